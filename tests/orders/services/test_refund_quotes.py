"""Working out refunds: what the order would have cost without the units, gifts to send back, what to know before."""

from decimal import Decimal as D

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from orders.models import Order, OrderPricing, Refund, Return
from orders.services import refund_quotes
from orders.services.refund_quotes import NotWorkedOut
from promotions.models import Allowance, Coupon, Redemption
from promotions.rules.conditions import Amount, Member
from promotions.rules.rewards import FreeShipping, Gift, Item, SpendAndSave, Step
from promotions.rules.rule import Limits, Rule
from tests import small_company as company
from tests.orders.services import scenes
from tests.orders.services.scenes import order
from tests.promotions.services.scenes import live, stop
from tests.small_company import NOON, order_message

pytestmark = pytest.mark.django_db
SAVE_5 = SpendAndSave((Step(D(20), D(5)),))
ALL_OF_IT = {1: 2, 2: 1}


@pytest.fixture
def shop(hub):
    """A channel whose prices are ours."""
    hub.channel.is_priced_here = True
    hub.channel.save()
    return hub


@pytest.fixture
def saved(shop):
    """Two cups and a lid for ¥25, ¥5 off from ¥20 on."""
    version = live("SAVE", Rule(reward=SAVE_5))
    shop.take(order_message("1", {"CUP": 2, "LID": 1}))
    return version


def work_out(returned, **told):
    return refund_quotes.work_out(order(), returned, **told)


def figures(quote):
    return tuple(str(value) for value in (quote.amount, quote.price, quote.paid, quote.remaining))


def said(sentences):
    return [str(sentence) for sentence in sentences]


def refunded(lines, amount, *, status="refunded", number="R1"):
    told = [{"line": str(line), "quantity": units} for line, units in lines.items()]
    return Refund.objects.create(order=order(), external_id=number, status=status, amount=D(amount), lines=told,
                                 received_at=NOON)  # fmt: skip


def test_what_stays_is_priced_again_and_each_figure_has_its_reason(saved):
    quote = work_out({1: 2})
    assert figures(quote) == ("15.00", "16.67", "25.00", "10.00")
    assert [(one.line.line_number, one.before, one.now, str(one.price)) for one in quote.lines] == [(1, 0, 2, "16.67")]
    assert said(quote.reasons) == [
        "In this order the units cost 16.67.",
        "SAVE gave 5.00; without them it gives 0.00: Its goods come to 10.00; they need 20.00.",
        "The order cost 25.00; what stays costs 10.00.",
    ]
    assert (quote.warnings, quote.gifts) == ((), ())


def test_a_part_of_the_order_that_still_reaches_the_step_keeps_its_discount(saved):
    assert figures(work_out({2: 1})) == ("10.00", "8.33", "25.00", "15.00")
    assert figures(work_out({1: 1})) == ("10.00", "8.34", "25.00", "15.00")


def test_all_goods_back_give_all_the_money_but_shipping(shop):
    live("SAVE", Rule(reward=SAVE_5))
    shop.take(order_message("1", {"CUP": 2, "LID": 1}, shipping_amount="6.00"))
    assert figures(work_out(ALL_OF_IT)) == ("25.00", "25.00", "31.00", "6.00")


def test_shipping_that_is_no_longer_free_is_kept_back(shop):
    live("SEND", Rule(reward=FreeShipping(), condition=Amount(D(30))))
    shop.take(order_message("1", {"CUP": 2, "LID": 1}, shipping_amount="6.00"))
    assert order().total_amount == D(30)
    quote = work_out({2: 1})
    assert figures(quote) == ("4.00", "10.00", "30.00", "26.00")
    assert (quote.changes[0].code, quote.changes[0].before, quote.changes[0].after) == ("SEND", D(6), D(0))


def test_the_versions_of_then_count_not_those_of_now(saved):
    live("SAVE", Rule(reward=SpendAndSave((Step(D(5), D(4)),))))
    assert figures(work_out({1: 2})) == ("15.00", "16.67", "25.00", "10.00")


def test_a_promotion_that_was_stopped_since_still_counts(saved):
    stop(saved)
    assert figures(work_out({2: 1})) == ("10.00", "8.33", "25.00", "15.00")


def test_what_an_order_was_granted_does_not_run_out(shop):
    """The one use is this order's own; the coupon too."""
    version = live("ONCE", Rule(reward=SAVE_5, needs_coupon=True, limits=Limits(most_uses=1, budget=D(5))))
    Coupon.objects.create(code="HI", promotion=version.promotion, most_uses=1)
    shop.take(order_message("1", {"CUP": 2, "LID": 1}, coupon_codes=["HI"]))
    assert order().total_amount == D(25)
    assert figures(work_out({2: 1})) == ("10.00", "8.33", "25.00", "15.00")


def test_what_was_used_up_then_is_not_granted_now(shop):
    live("ONCE", Rule(reward=SAVE_5, limits=Limits(most_uses=1)))
    shop.take(order_message("0", {"CUP": 2}), order_message("1", {"CUP": 2, "LID": 1}))
    Allowance.objects.filter(buyer="").update(uses=0)
    assert figures(work_out({2: 1})) == ("10.00", "10.00", "30.00", "20.00")


def test_the_buyer_of_then_counts(shop):
    live("GOLD", Rule(reward=SAVE_5, condition=Member(("gold",))))
    shop.take(order_message("1", {"CUP": 2, "LID": 1}))
    row = order()
    row.customer.tier = "gold"
    row.customer.save()
    assert figures(work_out({2: 1})) == ("10.00", "10.00", "30.00", "20.00")


def test_a_gift_that_is_not_earned_any_more_is_sent_back_or_charged(shop):
    company.stock(company.sku("GIFT"), shop.near, 5)
    live("THREE", Rule(reward=Gift((Item("GIFT"),)), condition=Amount(D(30)), limits=Limits(most_uses=9)))
    shop.take(order_message("1", {"CUP": 2, "LID": 1}))
    quote = work_out({2: 1})
    assert [(gift.sku, gift.quantity, gift.code, gift.charge) for gift in quote.gifts] == [("GIFT", 1, "THREE", D(10))]
    assert (quote.amount, quote.amount_without_gifts) == (D(10), D(0))
    gift_line = order().lines.get(is_gift=True).line_number
    with_it = work_out({2: 1, gift_line: 1})
    assert (with_it.amount, with_it.gifts) == (D(10), ())


def test_a_second_refund_takes_off_what_the_first_one_paid(saved):
    refunded({2: 1}, "10.00")
    quote = work_out({1: 2})
    assert figures(quote) == ("15.00", "16.67", "25.00", "0.00")
    assert (quote.earlier, said(quote.reasons)[-1]) == (D(10), "10.00 of this went back before.")
    with pytest.raises(NotWorkedOut, match="Of line 2 0 units can come back."):
        work_out({2: 1})


def test_a_refund_that_is_only_asked_for_does_not_count_and_a_paid_return_does(saved):
    refunded({2: 1}, "10.00", status="asked")
    assert work_out({1: 2}).earlier == 0
    line = order().lines.get(line_number=2)
    Return.objects.create(order=order(), order_line=line, quantity=1, status="refunded", refund_amount=D(9),
                          requested_at=NOON)  # fmt: skip
    quote = work_out({1: 2})
    assert (quote.earlier, quote.amount) == (D(9), D(16))
    refunded({2: 1}, "10.00", number="R2")
    assert work_out({1: 2}).earlier == D(10)


def test_no_more_goes_back_than_was_paid_and_the_preview_says_so(saved):
    Order.objects.update(paid_amount=D(8))
    quote = work_out({1: 2})
    assert quote.amount == D(8)
    assert said(quote.warnings) == ["No more than 8.00 was paid and is not refunded yet."]
    refunded({}, "5.00")
    assert work_out({1: 2}).amount == D(3)


def test_where_the_platform_makes_the_prices_it_is_a_suggestion(hub):
    live("SAVE", Rule(reward=SAVE_5))
    message = order_message("1", {"CUP": 2, "LID": 1})
    message["lines"][0]["discount"] = "3.00"
    hub.take(message)
    quote = work_out({1: 1})
    assert figures(quote) == ("8.50", "8.50", "27.00", "18.50")
    assert said(quote.warnings) == ["The platform decides the amount; this is a suggestion."]


def test_an_order_that_no_promotion_priced_gives_back_what_the_units_cost(shop):
    shop.take(order_message("1", {"CUP": 2, "LID": 1}))
    assert not OrderPricing.objects.exists()
    assert figures(work_out({1: 1})) == ("10.00", "10.00", "30.00", "20.00")


def test_an_order_that_cannot_be_priced_again_as_it_was_says_so(saved):
    Order.objects.update(total_amount=D(24))
    assert said(work_out({2: 1}).warnings) == [
        "Priced again as a whole the order costs 25.00, not 24.00: look at it before you refund."
    ]


def test_a_refund_that_a_channel_told_is_worked_out_without_itself(saved):
    told = refunded({1: 2}, "16.00", status="refunded")
    assert refund_quotes.of_refund(told).amount == D(15)
    assert refund_quotes.of_refund(refunded({}, "1.00", number="R2", status="asked")) is None
    told.delete()
    assert refund_quotes.of_refund(Refund.objects.get(external_id="R2")).amount == D(25)
    assert refund_quotes.of_refund(refunded({77: 1}, "1.00", number="R3")) is None


@pytest.mark.parametrize(
    ("returned", "words", "line"),
    [({}, "Say how many units come back.", None), ({1: 0}, "Say how many units come back.", None),
     ({1: 3}, "Of line 1 2 units can come back.", 1), ({1: -1}, "Of line 1 2 units can come back.", 1),
     ({9: 1}, "The order has no line 9 that could come back.", 9)],
)  # fmt: skip
def test_what_cannot_come_back_is_refused(saved, returned, words, line):
    with pytest.raises(NotWorkedOut) as refusal:
        work_out(returned)
    assert (str(refusal.value.reason), refusal.value.line_number) == (words, line)


def test_an_order_that_is_not_priced_yet_is_refused(shop):
    shop.take(order_message("1", {"CUP": 1}))
    Order.objects.update(goods_state="received")
    with pytest.raises(NotWorkedOut, match="The order is not priced yet."):
        work_out({1: 1})


def test_a_preview_writes_nothing(saved):
    before = scenes.everything(), list(Redemption.objects.values()), list(Allowance.objects.values())
    work_out({1: 1})
    assert (scenes.everything(), list(Redemption.objects.values()), list(Allowance.objects.values())) == before


def test_the_number_of_queries_does_not_depend_on_the_lines(shop):
    live("SAVE", Rule(reward=SAVE_5))
    for number in range(4):
        company.stock(company.sku(f"S{number}"), shop.near, 5)
    shop.take(order_message("1", {"CUP": 2}), order_message("2", {"CUP": 1, **{f"S{n}": 1 for n in range(4)}}))
    counts = []
    for external_id in ("1", "2"):
        row = Order.objects.select_related("channel", "customer").get(external_id=external_id)
        with CaptureQueriesContext(connection) as queries:
            refund_quotes.work_out(row, {line.line_number: 1 for line in row.lines.all()})
        counts.append(len(queries))
    assert counts[0] == counts[1]
