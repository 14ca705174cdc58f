"""The house language: what may be said, what is refused and how, and what a delivery looks like."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from audit.rules.sentences import say
from channels.adapters import house
from channels.adapters.house import client, sign
from channels.adapters.protocol import Connection, NotAuthentic, NotOffered, Pushed, Rejected, RetryLater
from channels.messages import (
    Address,
    DeliveryMethod,
    IncomingChange,
    IncomingLine,
    IncomingOrder,
    ParcelLine,
    ParcelRequest,
    RawMessage,
    StockFigure,
    Untranslatable,
)
from channels.simulators.house import House
from channels.simulators.server import LoopbackServer

SHOP = Connection(code="SHOP", currency="CNY", credentials={"secret": "house-secret"})
PLACED = datetime(2026, 11, 23, 1, 0, tzinfo=UTC)


def sample() -> dict[str, Any]:
    """Return an order with every field filled."""
    return {
        "type": "order",
        "external_id": "A1",
        "revision": 1795400000000,
        "placed_at": "2026-11-23T09:00:00+08:00",
        "paid_at": "2026-11-23T01:01:00Z",
        "currency": "CNY",
        "lines": [
            {
                "external_id": "1",
                "sku_code": "TEE-RED-L",
                "title": "T恤",
                "quantity": 2,
                "unit_price": "59.00",
                "discount": "5.5",
            },
            {"external_id": "2", "sku_code": "CAP", "quantity": 1, "unit_price": "0", "is_cancelled": True},
        ],
        "address": {
            "country": "CN", "province": "浙江省", "city": "杭州市", "district": "西湖区", "line": "文三路 1 号",
            "name": "王**", "phone": "138****0000", "token": "oaid",
        },
        "shipping_amount": "6.00",
        "paid_amount": "118.50",
        "buyer_key": "b-1",
        "buyer_name": "小王",
        "buyer_note": "快",
        "seller_note": "vip",
        "ship_by": "2026-11-25T09:00:00+08:00",
        "delivery_method": "express",
        "deliver_by": "2026-11-26T20:00:00+08:00",
        "cancelled_at": None,
        "cancel_reason": "",
        "must_not_ship": "group buy is forming",
    }  # fmt: skip


def translate(value: Any, connection: Connection = SHOP) -> Any:
    payload = value if isinstance(value, bytes) else json.dumps(value).encode()
    return house.ADAPTER.translate(RawMessage("order", "A1", 1, payload), connection)


def refusal(value: Any) -> tuple[str, str]:
    with pytest.raises(Untranslatable) as caught:
        translate(value)
    return caught.value.code, str(caught.value.reason)


def changed(change: Callable[[dict[str, Any]], Any]) -> dict[str, Any]:
    order = sample()
    change(order)
    return order


def with_line(**fields: Any) -> dict[str, Any]:
    return changed(lambda order: order["lines"][0].update(fields))


def test_a_full_order_is_read_field_by_field() -> None:
    assert translate(sample()) == IncomingOrder(
        external_id="A1",
        revision=1795400000000,
        placed_at=PLACED,
        currency="CNY",
        lines=(
            IncomingLine("1", "TEE-RED-L", "T恤", 2, Decimal("59.00"), Decimal("5.5")),
            IncomingLine("2", "CAP", "", 1, Decimal(0), is_cancelled=True),
        ),
        address=Address("浙江省", "杭州市", "西湖区", "文三路 1 号", "CN", "王**", "138****0000", "oaid"),
        paid_at=datetime(2026, 11, 23, 1, 1, tzinfo=UTC),
        shipping_amount=Decimal("6.00"),
        paid_amount=Decimal("118.50"),
        buyer_key="b-1",
        buyer_name="小王",
        buyer_note="快",
        seller_note="vip",
        ship_by=datetime(2026, 11, 25, 1, 0, tzinfo=UTC),
        delivery_method=DeliveryMethod.EXPRESS,
        deliver_by=datetime(2026, 11, 26, 12, 0, tzinfo=UTC),
        must_not_ship=say("The channel says: %(told)s", told="group buy is forming"),
    )


def test_an_order_needs_little() -> None:
    order = {
        "type": "order",
        "external_id": "A1",
        "revision": 0,
        "placed_at": "2026-11-23T09:00:00+08:00",
        "currency": "CNY",
        "lines": [{"external_id": "1", "sku_code": "CAP", "quantity": 1, "unit_price": 9.9}],
        "address": {"province": "浙江省"},
    }
    assert translate(order) == IncomingOrder(
        "A1", 0, PLACED, "CNY", (IncomingLine("1", "CAP", "", 1, Decimal("9.9")),), Address("浙江省")
    )


def test_times_are_utc_and_money_is_never_a_float() -> None:
    order = translate(with_line(unit_price=0.1, discount=None))
    assert order.placed_at.tzinfo is UTC
    assert order.lines[0].unit_price.as_tuple() == Decimal("0.1").as_tuple()


def test_a_change_says_what_it_knows() -> None:
    change = {"type": "change", "external_id": "A1", "revision": 9}
    assert translate(change) == IncomingChange("A1", 9)
    told = {
        "paid_at": "2026-11-23T09:00:00+08:00",
        "cancelled_at": "2026-11-23T10:00:00+08:00",
        "cancel_reason": "buyer changed mind",
        "address": {"province": "上海市"},
        "buyer_note": "",
    }
    assert translate(change | told) == IncomingChange(
        "A1", 9, PLACED, datetime(2026, 11, 23, 2, 0, tzinfo=UTC), "buyer changed mind", Address("上海市"), ""
    )


@pytest.mark.parametrize(
    ("text", "kept", "remarks"),
    [
        pytest.param("送给👩‍👩‍👧 😀", "送给👩‍👩‍👧 😀", [], id="emoji with joiners"),
        pytest.param("مرحبا \u200f\u202e!", "مرحبا \u200f\u202e!", [], id="right to left"),
        pytest.param("line\nbreak\tand tab", "line\nbreak\tand tab", [], id="line breaks stay"),
        pytest.param("a\x00b\x1fc\x7f", "abc", ["Control characters were taken out of buyer_note."], id="controls"),
        pytest.param("a\ud800b", "ab", ["Control characters were taken out of buyer_note."], id="half a character"),
        pytest.param("x" * 501, "x" * 500, ["buyer_note was cut to 500 characters."], id="too long"),
        pytest.param("x" * 500, "x" * 500, [], id="just fits"),
    ],
)
def test_texts_are_kept_or_mended_with_a_remark(text: str, kept: str, remarks: list[str]) -> None:
    order = translate(changed(lambda order: order.update(buyer_note=text)))
    assert (order.buyer_note, [str(remark) for remark in order.remarks]) == (kept, remarks)


@pytest.mark.parametrize(
    ("place", "field", "longest"),
    [
        ("lines[0]", "title", 200),
        ("address", "name", 80),
        ("address", "line", 300),
        ("address", "city", 60),
        ("address", "phone", 40),
        ("", "buyer_name", 80),
        ("", "seller_note", 500),
        ("", "cancel_reason", 200),
    ],
)
def test_long_texts_are_cut_to_what_is_kept(place: str, field: str, longest: int) -> None:
    order = sample()
    target = {"lines[0]": order["lines"][0], "address": order["address"], "": order}[place]
    target[field] = "长" * 1000
    (remark,) = translate(order).remarks
    assert str(remark) == f"{place}{'.' if place else ''}{field} was cut to {longest} characters."


MONEY = "an amount is from 0 to 10000000 with at most 4 decimals."
QUANTITY = "a quantity is a whole number from 1 to 100000."
TIME = "a time is ISO 8601 with its offset, from 2000 to 2100."


@pytest.mark.parametrize(
    ("value", "code", "reason"),
    [
        pytest.param(b"[1]", "not_an_object", "The message is not a JSON object but [1].", id="list"),
        pytest.param(b'"order"', "not_an_object", "The message is not a JSON object but order.", id="text"),
        pytest.param({}, "missing_field", "type is missing.", id="no type"),
        pytest.param({"type": "refund"}, "unknown_type", "type is refund; it must be order or change.", id="refund"),
        pytest.param({"type": 7}, "bad_value", "type is 7, which is not a value it can have.", id="type a number"),
        *[
            pytest.param(
                changed(lambda order, name=name: order.pop(name)),
                "missing_field",
                f"{name} is missing.",
                id=f"no {name}",
            )
            for name in ("external_id", "revision", "placed_at", "currency", "lines", "address")
        ],
        *[
            pytest.param(
                changed(lambda order, name=name: order["lines"][0].pop(name)),
                "missing_field",
                f"lines[0].{name} is missing.",
                id=f"line without {name}",
            )
            for name in ("external_id", "sku_code", "quantity", "unit_price")
        ],
        pytest.param(
            changed(lambda order: order["address"].update(province="")),
            "missing_field",
            "address.province is missing.",
            id="no province",
        ),
        pytest.param(
            changed(lambda order: order.update(lines=[])), "no_lines", "The order has no lines.", id="no lines"
        ),
        pytest.param(
            changed(lambda order: order["lines"][1].update(external_id="1")),
            "duplicate_line",
            "lines[1].external_id is 1, which another line has already.",
            id="same line twice",
        ),
        pytest.param(
            changed(lambda order: order.update(currency="USD")),
            "wrong_currency",
            "currency is USD, but this channel sells in CNY.",
            id="dollars",
        ),
        *[
            pytest.param(
                changed(lambda order, value=value: order.update(placed_at=value)),
                "bad_time",
                f"placed_at is {shown}; {TIME}",
                id=f"time {shown}",
            )
            for value, shown in [
                ("2026-11-23T09:00:00", "2026-11-23T09:00:00"),
                ("2026-11-23", "2026-11-23"),
                ("yesterday", "yesterday"),
                ("2026-02-30T00:00:00Z", "2026-02-30T00:00:00Z"),
                ("0001-01-01T00:00:00+14:00", "0001-01-01T00:00:00+14:00"),
                ("9999-12-31T23:59:59-14:00", "9999-12-31T23:59:59-14:00"),
                (1795400000, "1795400000"),
            ]
        ],
        *[
            pytest.param(
                with_line(quantity=value), "bad_quantity", f"lines[0].quantity is {shown}; {QUANTITY}", id=shown
            )
            for value, shown in [(0, "0"), (-3, "-3"), (100_001, "100001"), (1.5, "1.5"), (True, "True"), ("2", "2")]
        ],
        *[
            pytest.param(with_line(unit_price=value), "bad_price", f"lines[0].unit_price is {shown}; {MONEY}", id=shown)
            for value, shown in [
                ("-0.01", "-0.01"),
                ("10000000.01", "10000000.01"),
                ("1.00001", "1.00001"),
                ("12,50", "12,50"),
                ("1e3", "1e3"),
                ("１２", "１２"),
                ("twelve", "twelve"),
                (True, "True"),
                ([1], "[1]"),
                (float("nan"), "NaN"),
                (float("inf"), "Infinity"),
                (1e-9, "1E-9"),
                (1e300, "1E+300"),
            ]
        ],
        pytest.param(
            with_line(discount="118.01"),
            "bad_price",
            "lines[0].discount is 118.01, more than the line's 118.00.",
            id="discount above the line",
        ),
        pytest.param(
            with_line(quantity=100_000, unit_price="10000000"),
            "bad_price",
            "The lines add up to 1000000000000; at most 100000000000.",
            id="more than any order",
        ),
        pytest.param(
            changed(lambda order: order.update(revision="7")),
            "bad_value",
            "revision is 7, which is not a value it can have.",
            id="revision a text",
        ),
        pytest.param(
            changed(lambda order: order.update(delivery_method="drone")),
            "bad_value",
            "delivery_method is drone, which is not a value it can have.",
            id="delivery method nobody knows",
        ),
        pytest.param(
            changed(lambda order: order.update(deliver_by="2026-11-26T20:00:00")),
            "bad_time",
            "deliver_by is 2026-11-26T20:00:00; a time is ISO 8601 with its offset, from 2000 to 2100.",
            id="promise without offset",
        ),
        pytest.param(
            changed(lambda order: order.update(external_id="x" * 81)),
            "bad_value",
            f"external_id is {'x' * 59}…, which is not a value it can have.",
            id="number too long",
        ),
        pytest.param(
            with_line(sku_code="CAP\x00"),
            "bad_value",
            "lines[0].sku_code is CAP, which is not a value it can have.",
            id="code with NUL is not mended",
        ),
        pytest.param(
            changed(lambda order: order.update(lines={"a": 1})),
            "bad_value",
            "lines is {'a': 1}, which is not a value it can have.",
            id="lines an object",
        ),
        pytest.param(
            changed(lambda order: order.update(lines=["x"])),
            "bad_value",
            "lines[0] is x, which is not a value it can have.",
            id="line a text",
        ),
        pytest.param(
            changed(lambda order: order.update(address="Hangzhou")),
            "bad_value",
            "address is Hangzhou, which is not a value it can have.",
            id="address a text",
        ),
        pytest.param(
            changed(lambda order: order["address"].update(country="China")),
            "bad_value",
            "address.country is China, which is not a value it can have.",
            id="country a word",
        ),
        pytest.param(
            changed(lambda order: order["address"].update(token="t" * 201)),
            "bad_value",
            f"address.token is {'t' * 59}…, which is not a value it can have.",
            id="token too long is not cut",
        ),
        pytest.param(
            changed(lambda order: order.update(buyer_note=["x"])),
            "bad_value",
            "buyer_note is ['x'], which is not a value it can have.",
            id="note a list",
        ),
        pytest.param(
            with_line(is_cancelled="no"),
            "bad_value",
            "lines[0].is_cancelled is no, which is not a value it can have.",
            id="flag a text",
        ),
    ],
)
def test_bad_input_is_refused_with_field_and_value(value: Any, code: str, reason: str) -> None:
    assert refusal(value) == (code, reason)


@pytest.mark.parametrize(
    "payload",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"{", id="broken"),
        pytest.param(b"\xff", id="not UTF-8"),
        pytest.param(b'{"a":' * 100_000, id="nested without end"),
        pytest.param(b'{"a":' + b"9" * 5000 + b"}", id="a number too long to read"),
        pytest.param(b'{"a":1e99999999999999999999}', id="an exponent too large to read"),
    ],
)
def test_what_is_not_json_is_malformed(payload: bytes) -> None:
    assert refusal(payload)[0] == "malformed_json"


def test_the_edges_are_inside() -> None:
    (line, _) = translate(with_line(quantity=100_000, unit_price="0.0001", discount="10.0000")).lines
    assert (line.quantity, line.unit_price, line.discount) == (100_000, Decimal("0.0001"), Decimal(10))
    assert translate(with_line(quantity=1, unit_price="10000000", discount=None)).lines[0].unit_price == 10_000_000


def test_a_byte_order_mark_is_no_mistake() -> None:
    assert translate(b"\xef\xbb\xbf" + json.dumps(sample()).encode()).external_id == "A1"


def test_the_signature_is_checked_before_anything_is_read() -> None:
    body = b'{"type":"order","external_id":"A","revision":1}'
    right = {"x-hub-signature": "sha256=" + sign.signature(body, "house-secret").upper()}
    received = house.ADAPTER.receive(Pushed(body, right), SHOP, at=PLACED)
    assert (received.messages, received.answer) == ((RawMessage("order", "A", 1, body),), None)
    with pytest.raises(NotAuthentic):
        house.ADAPTER.receive(Pushed(body + b" ", right), SHOP, at=PLACED)


def test_the_signature_is_the_published_one() -> None:
    """RFC 4231, test case 2."""
    assert (
        sign.signature(b"what do ya want for nothing?", "Jefe")
        == "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
    )


def test_the_house_is_not_pulled() -> None:
    with pytest.raises(NotOffered):
        house.ADAPTER.pull(SHOP, since=PLACED, until=PLACED)


FIGURE = StockFigure("i", "s", 3)


def deliver(url: str, message: Any = FIGURE) -> str:
    connection = Connection(code="SHOP", base_url=url, credentials={"secret": "house-secret"})
    try:
        return house.ADAPTER.deliver(message, connection, key="k")
    finally:
        client.close()


def test_a_delivery_carries_signature_and_key() -> None:
    partner = House(secret="house-secret")
    request = ParcelRequest("P1", "O1", "W1", (ParcelLine("SKU-1", 2),), PLACED)
    with LoopbackServer(partner.answer) as server:
        assert deliver(server.url + "/", request) == '{"accepted": true}'
    (kept,) = partner.deliveries()
    assert (kept.key, kept.body) == (
        "k",
        {
            "type": "parcel_request",
            "parcel_number": "P1",
            "order_number": "O1",
            "node_code": "W1",
            "lines": [{"sku_code": "SKU-1", "quantity": 2, "unit_price": None}],
            "ship_by": "2026-11-23T01:00:00Z",
            "receiver": None,
            "order_external_id": "",
            "placed_at": None,
            "paid_at": None,
        },
    )


@pytest.mark.parametrize(
    ("fault", "seconds", "reason"),
    [
        pytest.param("http500", 30, "SHOP answered 500.", id="500"),
        pytest.param("http503", 7, "SHOP answered 503.", id="503 with Retry-After"),
        pytest.param("cut", 30, "SHOP cannot be reached: RemoteProtocolError.", id="hung up"),
    ],
)
def test_what_may_pass_is_tried_later(fault: str, seconds: int, reason: str) -> None:
    with LoopbackServer(House(secret="house-secret").answer) as server:
        server.faults.plan(fault)
        with pytest.raises(RetryLater) as caught:
            deliver(server.url)
    assert (caught.value.seconds, str(caught.value.reason)) == (seconds, reason)


def test_nobody_at_home_is_tried_later() -> None:
    with pytest.raises(RetryLater, match="SHOP cannot be reached: ConnectError"):
        deliver("http://127.0.0.1:9")


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        pytest.param("", "Channel SHOP has no address or no secret to deliver to.", id="no address"),
        pytest.param("shop.example", "The address shop.example cannot be called.", id="no scheme"),
        pytest.param("http://a:port", "The address http://a:port cannot be called.", id="no address at all"),
    ],
)
def test_an_address_that_cannot_be_called_needs_a_person(url: str, reason: str) -> None:
    with pytest.raises(Rejected) as caught:
        deliver(url)
    assert str(caught.value.reason) == reason


def test_a_refusal_needs_a_person_and_keeps_the_answer() -> None:
    with LoopbackServer(House(secret="another").answer) as server, pytest.raises(Rejected) as caught:
        deliver(server.url)
    assert (str(caught.value.reason), "bad_signature" in caught.value.answer) == ("SHOP answered 401.", True)
