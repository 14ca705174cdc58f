"""What channels send by mistake: each message ends with its own reason, and the good one beside it goes through."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from channels.messages import RawMessage
from channels.models import InboundMessage
from channels.services import inbox
from orders.models import Order
from tests import small_company as company
from tests.orders.services import scenes
from tests.orders.services.scenes import Shop, address, change
from tests.small_company import NOON

Message = dict[str, Any]
ABSURD = 10**30


def order(**facts: Any) -> Message:
    return company.order_message("1", {"CUP": 1}) | facts


def without(name: str) -> Message:
    message = order()
    del message[name]
    return message


def line(**facts: Any) -> Message:
    message = order()
    message["lines"][0] |= facts
    return message


def line_without(name: str) -> Message:
    message = order()
    del message["lines"][0][name]
    return message


def raw(text: str | bytes) -> bytes:
    return text.encode() if isinstance(text, str) else text


REFUSED: list[Any] = [
    pytest.param(raw("{"), "malformed_json", id="cut off"),
    pytest.param(raw(""), "malformed_json", id="empty"),
    pytest.param(raw(b"\xff\xfe\x00"), "malformed_json", id="not text"),
    pytest.param(raw("[" * 100_000), "malformed_json", id="nested without end"),
    pytest.param(raw("[]"), "not_an_object", id="a list"),
    pytest.param(raw("null"), "not_an_object", id="null"),
    pytest.param(order(type="invoice"), "unknown_type", id="unknown type"),
    *(pytest.param(without(name), "missing_field", id=f"without {name}")
      for name in ("type", "external_id", "revision", "placed_at", "currency", "lines", "address")),
    *(pytest.param(line_without(name), "missing_field", id=f"line without {name}")
      for name in ("external_id", "sku_code", "quantity", "unit_price")),
    pytest.param(order(address={"city": "上海市"}), "missing_field", id="address without province"),
    pytest.param(order(lines=[]), "no_lines", id="no lines"),
    pytest.param(order(lines={"a": 1}), "bad_value", id="lines are no list"),
    pytest.param(order(lines=["CUP"]), "bad_value", id="a line is no object"),
    pytest.param(line(quantity=0), "bad_quantity", id="quantity zero"),
    pytest.param(line(quantity=-3), "bad_quantity", id="quantity minus three"),
    pytest.param(line(quantity=1.5), "bad_quantity", id="half a cup"),
    pytest.param(line(quantity="2"), "bad_quantity", id="quantity as text"),
    pytest.param(line(quantity=True), "bad_quantity", id="quantity true"),
    pytest.param(line(quantity=ABSURD), "bad_quantity", id="absurd quantity"),
    pytest.param(line(unit_price="-0.01"), "bad_price", id="negative price"),
    pytest.param(line(unit_price="ten"), "bad_price", id="price in words"),
    pytest.param(line(unit_price="1e3"), "bad_price", id="price with exponent"),
    pytest.param(line(unit_price=str(ABSURD)), "bad_price", id="absurd price"),
    pytest.param(line(unit_price="0.00001"), "bad_price", id="too many decimals"),
    pytest.param(line(discount="10.01"), "bad_price", id="discount above the line"),
    pytest.param(line(discount="-1"), "bad_price", id="negative discount"),
    pytest.param(order(shipping_amount="-6"), "bad_price", id="negative shipping"),
    pytest.param(order(currency="USD"), "wrong_currency", id="wrong currency"),
    pytest.param(order(placed_at="yesterday"), "bad_time", id="time in words"),
    pytest.param(order(placed_at="2026-11-02T12:00:00"), "bad_time", id="time without offset"),
    pytest.param(order(placed_at=1793600000), "bad_time", id="time as number"),
    pytest.param(order(lines=order()["lines"] * 2), "duplicate_line", id="a line twice"),
    pytest.param(line(sku_code="CU\x00P"), "bad_value", id="NUL in a code"),
]  # fmt: skip


def payload(message: Message | bytes) -> bytes:
    return message if isinstance(message, bytes) else json.dumps(message).encode()


def arrive(hub: Shop, *messages: tuple[str, Message | bytes]) -> None:
    """Put messages in with the number that the envelope gave them, whatever their content says."""
    raws = [RawMessage("order", number, 1, payload(message)) for number, message in messages]
    inbox.store(hub.channel, raws, at=NOON)
    scenes.drain()


@pytest.mark.parametrize(("message", "code"), REFUSED)
def test_a_message_nobody_understands_is_refused_and_its_neighbours_go_through(hub, message, code):
    arrive(
        hub,
        ("0", company.order_message("0", {"CUP": 1})),
        ("1", message),
        ("2", company.order_message("2", {"CUP": 1})),
    )
    assert scenes.outcome("1") == ("rejected", code)
    assert [scenes.outcome(n) for n in "02"] == [("done", ""), ("done", "")]
    assert sorted(Order.objects.values_list("external_id", "status")) == [("0", "released"), ("2", "released")]
    assert scenes.books()["held"] == [("CUP", "SH", 2)]


def test_a_refusal_names_the_field_and_the_value(hub):
    arrive(hub, ("1", line(quantity=-3)))
    reason = InboundMessage.objects.get().reason
    assert reason["text"] % reason["values"] == (
        "lines[0].quantity is -3; a quantity is a whole number from 1 to 100000."
    )


HELD: list[Any] = [
    pytest.param(lambda: company.order_message("1", {"GHOST": 1}), "held_unknown_sku", id="unknown SKU"),
    pytest.param(lambda: order(address=address("Atlantis", "")), "held_address", id="unknown province"),
    pytest.param(lambda: order(address={"province": "CA", "country": "XX"}), "held_address", id="unknown country"),
]


@pytest.mark.parametrize(("message", "code"), HELD)
def test_what_a_person_can_mend_becomes_an_order_on_hold(hub, message: Callable[[], Message], code):
    hub.take(message(), company.order_message("2", {"CUP": 1}))
    assert (scenes.outcome("1"), scenes.outcome("2")) == (("done", code), ("done", ""))
    assert (scenes.order("1").status, scenes.order("2").status) == ("on_hold", "released")
    assert scenes.books()["held"] == [("CUP", "SH", 1)]


def test_a_message_twice_counts_twice_and_acts_once(hub):
    hub.take(order())
    before = scenes.everything()
    hub.take(order())
    hub.take(order(), order())
    message = InboundMessage.objects.get()
    assert (message.status, message.times_received) == ("done", 4)
    assert scenes.everything() == before


def test_other_content_under_a_taken_revision_changes_nothing(hub):
    hub.take(order())
    before = scenes.everything()
    hub.take(company.order_message("1", {"CUP": 9}))
    assert (scenes.outcome("1"), scenes.everything()) == (("done", ""), before)


def test_an_older_view_is_superseded(hub):
    hub.take(order(revision=5))
    before = scenes.everything()
    hub.take(company.order_message("1", {"CUP": 9}, revision=4))
    assert scenes.outcome("1", 4) == ("superseded", "older_revision")
    assert scenes.everything() == before


@pytest.mark.parametrize(
    ("fact", "status"),
    [
        pytest.param(change(2, cancelled_at=NOON.isoformat()), "cancelled", id="cancel before create"),
        pytest.param(change(2, paid_at=NOON.isoformat()), "released", id="payment before create"),
        pytest.param(change(2, address=address("湖北省", "武汉市")), "awaiting_payment", id="address before create"),
    ],
)
def test_a_change_before_its_order_waits_and_is_taken_with_it(hub, fact, status):
    hub.take(fact, company.order_message("2", {"CUP": 1}))
    assert scenes.outcome("1", 2, "change") == ("waiting", "before_its_order")
    assert scenes.order("2").status == "released"
    hub.take(order(paid_at=None))
    assert scenes.outcome("1", 2, "change") == ("done", "")
    assert scenes.order("1").status == status
    assert InboundMessage.objects.exclude(status="done").count() == 0


def test_a_newer_order_before_the_first_one_supersedes_it(hub):
    hub.take(company.order_message("1", {"CUP": 3}, revision=7))
    hub.take(order())
    assert scenes.outcome("1", 1) == ("superseded", "older_revision")
    assert scenes.order().lines.get().quantity == 3


@pytest.mark.parametrize(
    ("name", "kept", "code"),
    [
        pytest.param("王小明👨‍👩‍👧‍👦🎉", "王小明👨‍👩‍👧‍👦🎉", "", id="emoji"),
        pytest.param("محمد علي", "محمد علي", "", id="right to left"),
        pytest.param("\u202eevil", "\u202eevil", "", id="direction override"),
        pytest.param("A\x00B", "AB", "mended", id="NUL"),
        pytest.param("A\ud800B", "AB", "mended", id="half a character"),
        pytest.param("𠮷" * 90, "𠮷" * 80, "mended", id="too long"),
        pytest.param("Robert'); DROP TABLE orders_order;--", "Robert'); DROP TABLE orders_order;--", "", id="SQL"),
        pytest.param("<script>alert(1)</script>", "<script>alert(1)</script>", "", id="HTML is kept as text"),
    ],
)
def test_odd_text_is_kept_as_text(hub, name, kept, code):
    odd = order(address=address() | {"name": name}, buyer_name=name, buyer_note=name)
    arrive(hub, ("1", odd), ("2", company.order_message("2", {"CUP": 1})))
    first = scenes.order("1")
    assert (first.recipient_name, first.customer.name, first.status) == (kept, kept, "released")
    assert scenes.outcome("1") == ("done", code)
    assert scenes.order("2").status == "released"


def test_odd_numbers_of_orders_are_kept_as_they_are(hub):
    for number in ("订单-🎉-1", "a/b?c=d&e", "'; --", " 1 2 "):
        hub.take(company.order_message(number, {"LID": 1}))
        assert scenes.order(number).number == f"JD-{number}"
        assert scenes.parcels(number)[0].number == f"JD-{number}-1"


def test_the_longest_number_fits_every_column(hub):
    number = "9" * 80
    hub.take(company.order_message(number, {"CUP": 1}, buyer_key="b"))
    assert (scenes.order(number).status, scenes.outcome(number)) == ("released", ("done", ""))


def test_a_hundred_good_and_bad_messages_in_one_batch(hub):
    company.stock(hub.cup, hub.near, 100)
    messages: list[tuple[str, Message | bytes]] = []
    for n in range(100):
        good = company.order_message(str(n), {"CUP": 1})
        messages.append((str(n), good if n % 2 else good | {"currency": "USD"}))
    arrive(hub, *messages)
    assert Order.objects.filter(status="released").count() == 50
    assert InboundMessage.objects.filter(status="rejected", reason_code="wrong_currency").count() == 50
    assert InboundMessage.objects.filter(status="done").count() == 50
