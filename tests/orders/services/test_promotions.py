"""Orders under promotions: amounts and reasons, gifts in the parcel, limits, and the same price for ever."""

from datetime import timedelta
from decimal import Decimal
from functools import partial

import pytest

from channels.models import InboundMessage, OutboundMessage
from orders.models import Customer, FulfillmentLine, Hold, Order, OrderEvent, OrderLine, OrderPricing
from orders.services import cancellation, expiry, fulfillment, holds, pipeline
from promotions.models import Allowance, Coupon, Redemption
from promotions.rules.conditions import All, Amount, Member, OrdersBefore, ShipsTo
from promotions.rules.goods import Goods
from promotions.rules.rewards import BuyGet, FreeShipping, Gift, Item, PurchaseLimit, SpendAndSave, Step
from promotions.rules.rule import Limits, Rule
from tests import small_company as company
from tests.orders.services import scenes
from tests.orders.services.scenes import change, order
from tests.promotions.services.scenes import live, stop
from tests.races import race
from tests.small_company import NOON, TESTER, order_message

pytestmark = pytest.mark.django_db
SAVE_5 = SpendAndSave((Step(Decimal(20), Decimal(5)),))
CUP_GIFT = BuyGet(goods=Goods(skus=("CUP",)), items=(Item("GIFT"),), most_times=1)
UNPAID = {"paid_at": None}


@pytest.fixture
def shop(hub):
    """A channel whose prices are ours."""
    hub.channel.is_priced_here = True
    hub.channel.save()
    return hub


@pytest.fixture
def gift(hub):
    row = company.sku("GIFT")
    company.stock(row, hub.near, 2)
    return row


def amounts(external_id="1"):
    row = order(external_id)
    return row.goods_amount, row.discount_amount, row.total_amount


def gifts(external_id="1"):
    lines = OrderLine.objects.filter(order__external_id=external_id, is_gift=True).order_by("pk")
    return [(line.external_sku, line.quantity, line.quantity_allocated, line.is_cancelled) for line in lines]


def verdicts(external_id="1"):
    newest = OrderPricing.objects.filter(order__external_id=external_id).order_by("pk").last()
    return {verdict["code"]: verdict["outcome"] for verdict in newest.verdicts}


def taken(status=None):
    rows = Redemption.objects.filter(status=status) if status else Redemption.objects.all()
    return sorted(rows.values_list("reference", "promotion__code", "amount", "status"))


def test_without_live_rules_an_order_is_priced_as_before(shop):
    shop.take(order_message("1", {"CUP": 2}))
    assert amounts() == (Decimal("20.00"), Decimal(0), Decimal("20.00"))
    assert not OrderPricing.objects.exists()
    assert "priced" not in scenes.kinds()


def test_our_discount_comes_on_top_of_the_channels_own(shop):
    live("SAVE", Rule(reward=SAVE_5))
    message = order_message("1", {"CUP": 3})
    message["lines"][0]["discount"] = "2.00"
    shop.take(message)
    line = OrderLine.objects.get()
    assert (line.discount_amount, line.promotion_amount, line.net_amount) == (Decimal(7), Decimal(5), Decimal(23))
    assert amounts() == (Decimal(30), Decimal(7), Decimal(23))
    assert order().paid_amount == Decimal(23)
    pricing = OrderPricing.objects.get()
    assert (pricing.versions, pricing.amount, verdicts()) == ([["SAVE", 1]], Decimal(5), {"SAVE": "applied"})
    assert taken() == [("JD-1", "SAVE", Decimal(5), "committed")]
    told = OrderEvent.objects.get(kind="priced").detail
    assert told["values"] == {"total": "23.00", "currency": "CNY", "codes": "SAVE"}


def test_a_channel_that_makes_its_prices_keeps_them_and_the_verdict_says_so(hub):
    live("SAVE", Rule(reward=SAVE_5))
    hub.take(order_message("1", {"CUP": 3}))
    assert amounts() == (Decimal(30), Decimal(0), Decimal(30))
    assert (verdicts(), taken()) == ({"SAVE": "not_priced_here"}, [])


def test_free_shipping_is_part_of_the_orders_discount(shop):
    live("SHIP", Rule(reward=FreeShipping()))
    shop.take(order_message("1", {"CUP": 1}, shipping_amount="8.00"))
    assert amounts() == (Decimal(10), Decimal(8), Decimal(10))
    assert taken() == [("JD-1", "SHIP", Decimal(8), "committed")]


def test_a_gift_by_spend_and_region_is_reserved_and_packed_on_any_channel(hub, gift):
    east = Rule(reward=Gift((Item("GIFT"),)), condition=All((Amount(at_least=Decimal(30)), ShipsTo(("east",)))))
    live("EAST", east)
    far = scenes.address("广东省", "广州市")
    hub.take(
        order_message("1", {"CUP": 3}), order_message("2", {"CUP": 3}, address=far), order_message("3", {"CUP": 2})
    )
    assert (gifts("1"), gifts("2"), gifts("3")) == ([("GIFT", 1, 1, False)], [], [])
    assert verdicts("2") == {"EAST": "not_met"} or verdicts("2") == {}
    packed = FulfillmentLine.objects.filter(fulfillment__order__external_id="1").values_list("sku__code", "quantity")
    assert sorted(packed) == [("CUP", 3), ("GIFT", 1)]
    assert order("1").total_amount == Decimal(30)
    assert order("1").status == "released"


def test_a_gift_that_is_not_there_any_more_is_left_out_and_the_order_goes_on(hub, gift):
    live("GIVE", Rule(reward=CUP_GIFT))
    hub.take(*(order_message(number, {"CUP": 1}) for number in "123"))
    assert [gifts(number) for number in "12"] == [[("GIFT", 1, 1, False)]] * 2
    assert (gifts("3"), verdicts("3")) == ([], {"GIVE": "no_stock"})
    assert [reference for reference, *_rest in taken()] == ["JD-1", "JD-2"]
    assert order("3").status == "released"


def test_a_gift_that_goes_while_the_order_is_planned_is_left_out(hub, gift):
    """Two gifts are promisable, but no node that serves the channel has them."""
    live("GIVE", Rule(reward=CUP_GIFT))
    hub.channel.nodes.set([hub.far])
    hub.take(order_message("1", {"CUP": 1}))
    assert gifts() == [("GIFT", 1, 0, True)]
    assert (order().status, verdicts()) == ("released", {"GIVE": "no_stock"})
    assert [status for *_rest, status in taken()] == ["released"]


def test_a_gift_that_was_told_and_is_gone_holds_the_order_until_a_person_lets_it_go(hub, gift):
    live("GIVE", Rule(reward=CUP_GIFT))
    hub.take(order_message("1", {"CUP": 1}, **UNPAID))
    assert gifts() == [("GIFT", 1, 1, False)]
    hub.channel.nodes.set([hub.far])
    hub.take(order_message("1", {"CUP": 2}, revision=2))
    assert (order().status, gifts()) == ("on_hold", [("GIFT", 1, 0, False)])
    assert list(Hold.objects.filter(lifted_at=None).values_list("kind", flat=True)) == ["gift"]
    holds.lift([order().pk], actor=TESTER, at=NOON)
    assert (order().status, gifts()) == ("released", [("GIFT", 1, 0, True)])


def test_a_held_gift_that_comes_lifts_the_hold(hub, gift):
    live("GIVE", Rule(reward=CUP_GIFT))
    hub.take(order_message("1", {"CUP": 1}, **UNPAID))
    hub.channel.nodes.set([hub.far])
    hub.take(order_message("1", {"CUP": 2}, revision=2))
    hub.channel.nodes.set([])
    holds.try_again([order().pk], actor=TESTER, at=NOON)
    assert (order().status, gifts()) == ("released", [("GIFT", 1, 1, False)])


def test_the_shipment_notice_tells_no_gift(hub, gift):
    live("GIVE", Rule(reward=CUP_GIFT))
    hub.take(order_message("1", {"CUP": 1}))
    (parcel,) = scenes.parcels()
    fulfillment.pack([parcel.pk], actor=TESTER, at=NOON)
    fulfillment.ship({parcel.pk: fulfillment.Handover("SF", "SF1")}, actor=TESTER, at=NOON)
    notice = OutboundMessage.objects.get(lane="shipments")
    assert [line["external_line_id"] for line in notice.body["lines"]] == ["1"]


def test_a_changed_order_is_priced_under_the_versions_it_came_with(shop, gift):
    live("SAVE", Rule(reward=SAVE_5))
    shop.take(order_message("1", {"CUP": 2}, **UNPAID))
    live("SAVE", Rule(reward=SpendAndSave((Step(Decimal(20), Decimal(1)),))))
    stop(live("GIVE", Rule(reward=CUP_GIFT)))
    for revision, at in ((2, NOON), (3, NOON + timedelta(days=300))):
        shop.take(order_message("1", {"CUP": 3}, revision=revision, **UNPAID), at=at)
        assert amounts() == (Decimal(30), Decimal(5), Decimal(25))
        assert OrderPricing.objects.order_by("pk").last().versions == [["SAVE", 1]]
    assert taken("reserved") == [("JD-1", "SAVE", Decimal(5), "reserved")]


def test_an_order_from_before_a_promotion_never_gets_it(shop):
    shop.take(order_message("1", {"CUP": 2}, **UNPAID))
    live("SAVE", Rule(reward=SAVE_5))
    shop.take(order_message("1", {"CUP": 3}, revision=2, **UNPAID))
    assert (amounts(), taken()) == ((Decimal(30), Decimal(0), Decimal(30)), [])


def test_a_change_below_the_threshold_takes_the_gift_back(hub, gift):
    live("GIVE", Rule(reward=Gift((Item("GIFT"),)), condition=Amount(at_least=Decimal(30))))
    hub.take(order_message("1", {"CUP": 3}, **UNPAID))
    hub.take(order_message("1", {"CUP": 2}, revision=2, **UNPAID))
    assert (gifts(), order().status) == ([("GIFT", 1, 0, True)], "awaiting_payment")
    hub.take(order_message("1", {"CUP": 3}, revision=3, **UNPAID))
    assert gifts() == [("GIFT", 1, 1, False)]
    assert [status for *_rest, status in taken()].count("reserved") == 1


def test_what_an_order_reserved_is_used_when_it_is_paid(shop):
    live("SAVE", Rule(reward=SAVE_5, limits=Limits(most_uses=5)))
    shop.take(order_message("1", {"CUP": 2}, **UNPAID))
    assert taken() == [("JD-1", "SAVE", Decimal(5), "reserved")]
    shop.take(change(2, paid_at=NOON.isoformat()))
    assert taken() == [("JD-1", "SAVE", Decimal(5), "committed")]


def test_a_cancelled_order_gives_back_what_it_took(shop):
    live("SAVE", Rule(reward=SAVE_5, limits=Limits(most_uses=1)))
    shop.take(order_message("1", {"CUP": 2}, **UNPAID))
    cancellation.cancel([order().pk], reason="no", actor=TESTER, at=NOON)
    assert (Allowance.objects.get().uses, [status for *_rest, status in taken()]) == (0, ["released"])
    shop.take(order_message("2", {"CUP": 2}))
    assert order("2").total_amount == Decimal(15)


def test_a_cancellation_by_the_channel_gives_back_too(shop):
    live("SAVE", Rule(reward=SAVE_5, limits=Limits(most_uses=1)))
    shop.take(order_message("1", {"CUP": 2}, **UNPAID))
    shop.take(change(2, cancelled_at=NOON.isoformat()))
    assert (order().status, Allowance.objects.get().uses) == ("cancelled", 0)


def test_an_expired_order_gives_back_and_a_late_payment_takes_again_if_it_can(shop):
    live("SAVE", Rule(reward=SAVE_5, limits=Limits(most_uses=1)))
    shop.take(order_message("1", {"CUP": 2}, **UNPAID))
    later = NOON + timedelta(hours=2)
    assert expiry.expire_unpaid(at=later) == 1
    assert Allowance.objects.get().uses == 0
    shop.take(order_message("2", {"CUP": 2}), at=later)
    shop.take(change(2, paid_at=later.isoformat()), at=later)
    assert (order("2").total_amount, order("1").total_amount) == (Decimal(15), Decimal(20))
    assert verdicts("1") == {"SAVE": "spent"}
    assert Allowance.objects.get().uses == 1


def test_a_coupon_is_taken_once_whatever_its_case(shop):
    version = live("SAVE", Rule(reward=SAVE_5, needs_coupon=True))
    Coupon.objects.create(code="HELLO1", promotion=version.promotion, most_uses=1)
    shop.take(
        order_message("1", {"CUP": 2}, coupon_codes=["hello-1"]),
        order_message("2", {"CUP": 2}, coupon_codes=["HELLO1"]),
    )
    assert sorted((order("1").total_amount, order("2").total_amount)) == [Decimal(15), Decimal(20)]
    assert (Coupon.objects.get().taken, order("1").coupon_codes) == (1, ["HELLO1"])


def test_a_member_price_follows_the_tier_that_the_channel_tells(shop):
    live("GOLD", Rule(reward=SAVE_5, condition=Member(("gold",))))
    shop.take(order_message("1", {"CUP": 2}, member_tier="gold", buyer_key="b", store="S1"))
    shop.take(order_message("2", {"CUP": 2}, buyer_key="b"), order_message("3", {"CUP": 2}, buyer_key="c"))
    assert [order(n).total_amount for n in "123"] == [Decimal(15), Decimal(15), Decimal(20)]
    assert (Customer.objects.get(external_key="b").tier, order("1").store_code) == ("gold", "S1")


def test_a_first_order_is_the_first_also_within_one_batch(shop):
    live("FIRST", Rule(reward=SAVE_5, condition=OrdersBefore(at_most=0)))
    early = (NOON - timedelta(hours=1)).isoformat()
    shop.take(
        order_message("1", {"CUP": 2}, buyer_key="b"), order_message("2", {"CUP": 2}, buyer_key="b", placed_at=early)
    )
    shop.take(order_message("3", {"CUP": 2}, buyer_key="b"))
    assert [order(n).total_amount for n in "123"] == [Decimal(20), Decimal(15), Decimal(20)]


def test_more_than_a_purchase_limit_holds_the_order_with_the_reason(hub):
    live("LIMIT", Rule(reward=PurchaseLimit(units=3, days=7, goods=Goods(skus=("CUP",)))))
    hub.take(order_message("1", {"CUP": 2}, buyer_key="b"))
    hub.take(order_message("2", {"CUP": 2, "LID": 1}, buyer_key="b"), order_message("3", {"CUP": 2}, buyer_key="c"))
    assert [order(n).status for n in "123"] == ["released", "on_hold", "released"]
    hold = Hold.objects.get()
    assert (hold.kind, hold.reason["values"]) == ("purchase_limit", {"here": 2, "before": 2, "days": 7, "most": 3})
    holds.lift([order("2").pk], actor=TESTER, at=NOON)
    assert order("2").status == "released"


def test_a_limit_of_one_is_given_to_one_order_of_a_batch(shop):
    live("SAVE", Rule(reward=SAVE_5, limits=Limits(most_uses=1)))
    shop.take(*(order_message(str(number), {"CUP": 2}) for number in range(1, 4)))
    assert sorted(order(n).total_amount for n in "123") == [Decimal(15), Decimal(20), Decimal(20)]
    assert (Allowance.objects.get().uses, Redemption.objects.count()) == (1, 1)


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("standard_reasons")
def test_orders_that_lose_the_race_for_the_last_uses_are_priced_without_them():
    channels = [company.channel(f"C{number}", is_priced_here=True) for number in range(4)]
    cup, near = company.sku("CUP"), company.node("SH")
    company.stock(cup, near, 500)
    live("SAVE", Rule(reward=SAVE_5, limits=Limits(most_uses=10)))
    for channel in channels:
        company.receive(channel, *(order_message(f"{channel.code}-{n}", {"CUP": 2}) for n in range(10)))
    ids = [list(InboundMessage.objects.filter(channel=channel).values_list("pk", flat=True)) for channel in channels]
    results = race([partial(_drain, wanted) for wanted in ids])
    assert [result for result in results if isinstance(result, Exception)] == []
    totals = sorted(Order.objects.values_list("total_amount", flat=True))
    assert totals == [Decimal(15)] * 10 + [Decimal(20)] * 30
    assert (Allowance.objects.get().uses, Redemption.objects.count()) == (10, 10)


def _drain(ids):
    return pipeline.drain(batch_size=3, at=lambda: NOON, message_ids=ids)
