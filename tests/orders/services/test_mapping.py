"""Saying once which SKU a code is: all orders that wait for it go on."""

import pytest

from audit.models import Case
from channels.models import Listing
from inventory.models import Sku
from orders.models import Order
from orders.queries import unknown_codes
from orders.services import mapping
from orders.services.mapping import CodeRefused, Mapped
from tests import small_company as company
from tests.small_company import NOON, TESTER


def decide(hub, code: str, sku: Sku) -> Mapped:
    return mapping.decide(hub.channel, code, sku, actor=TESTER, at=NOON)


def statuses() -> dict[str, str]:
    return dict(Order.objects.order_by("pk").values_list("external_id", "status"))


def test_all_orders_that_wait_for_a_code_go_on(hub):
    hub.take(*(company.order_message(str(n), {"ALIEN": 1}) for n in range(1, 4)))
    hub.take(company.order_message("9", {"OTHER": 1}))
    assert decide(hub, "ALIEN", hub.cup) == Mapped(went_on=3)
    assert statuses() == {"1": "released", "2": "released", "3": "released", "9": "on_hold"}
    listing = Listing.objects.get()
    assert (listing.external_code, listing.sku, listing.channel) == ("ALIEN", hub.cup, hub.channel)
    assert Listing.history.get().history_change_reason == "person:tester: said for waiting orders"
    assert set(Case.objects.filter(status="open").values_list("subject", flat=True)) == {"JD-9"}


def test_an_order_with_another_unknown_code_waits_on(hub):
    hub.take(company.order_message("1", {"ALIEN": 1, "OTHER": 1}))
    assert decide(hub, "ALIEN", hub.cup) == Mapped(still_waiting=1)
    assert statuses() == {"1": "on_hold"}
    assert [one.code for one in unknown_codes.of_order(Order.objects.get())] == ["OTHER"]
    assert decide(hub, "OTHER", hub.lid) == Mapped(went_on=1)
    assert statuses() == {"1": "released"}


def test_another_channel_with_the_same_code_is_left_alone(hub):
    other = company.channel("TM")
    company.receive(other, company.order_message("1", {"ALIEN": 1}))
    hub.take(company.order_message("1", {"ALIEN": 1}))
    assert decide(hub, "ALIEN", hub.cup).went_on == 1
    assert dict(Order.objects.values_list("number", "status")) == {"JD-1": "released", "TM-1": "on_hold"}


def test_a_bundle_is_taken_like_any_sku(hub):
    bundle = company.sku("SET", parts={hub.cup: 2, hub.lid: 1})
    hub.take(company.order_message("1", {"ALIEN": 1}))
    assert decide(hub, "ALIEN", bundle) == Mapped(went_on=1)
    assert statuses() == {"1": "released"}


def test_more_than_a_person_waits_for_is_left_to_the_sweep(hub, monkeypatch):
    monkeypatch.setattr(mapping, "BATCH", 2)
    monkeypatch.setattr(mapping, "MOST_AT_ONCE", 3)
    hub.take(*(company.order_message(str(n), {"ALIEN": 1}) for n in range(1, 6)))
    assert decide(hub, "ALIEN", hub.cup) == Mapped(went_on=3, later=2)
    assert mapping.take_up(at=NOON) == 2
    assert set(statuses().values()) == {"released"}
    assert mapping.take_up(at=NOON) == 0


@pytest.mark.parametrize("how", ["listing", "sku"])
def test_the_sweep_takes_up_what_became_known_by_itself(hub, how):
    hub.take(company.order_message("1", {"ALIEN": 1}), company.order_message("2", {"OTHER": 1}))
    assert mapping.take_up(at=NOON) == 0
    if how == "listing":
        Listing.objects.create(channel=hub.channel, external_code="ALIEN", sku=hub.cup)
    else:
        Sku.objects.filter(pk=hub.lid.pk).update(code="ALIEN")
    assert mapping.take_up(at=NOON) == 1
    assert statuses() == {"1": "released", "2": "on_hold"}


@pytest.mark.parametrize(
    ("code", "active", "why"),
    [
        pytest.param("", True, "The channel names no code: correct the product in the shop.", id="no code"),
        pytest.param("ALIEN", False, "This SKU is not sold.", id="not sold"),
        pytest.param("KNOWN", True, "The code means another SKU on this channel already.", id="known"),
    ],
)
def test_what_cannot_be_is_refused_and_nothing_changes(hub, code, active, why):
    Listing.objects.create(channel=hub.channel, external_code="KNOWN", sku=hub.lid)
    hub.take(company.order_message("1", {"ALIEN": 1}))
    hub.cup.is_active = active
    with pytest.raises(CodeRefused) as refused:
        decide(hub, code, hub.cup)
    assert str(refused.value.reason) == why
    assert list(Listing.objects.values_list("external_code", "sku__code")) == [("KNOWN", "LID")]
    assert statuses() == {"1": "on_hold"}


def test_the_codes_of_an_order_cost_two_queries(hub, django_assert_num_queries):
    hub.take(company.order_message("1", {"A": 1, "B": 1, "C": 1, "CUP": 1}), company.order_message("2", {"B": 1}))
    order = Order.objects.get(external_id="1")
    with django_assert_num_queries(2):
        found = unknown_codes.of_order(order)
    assert [(one.code, one.title, one.orders) for one in found] == [("A", "A", 1), ("B", "B", 2), ("C", "C", 1)]
