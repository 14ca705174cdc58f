"""One order on every platform: the same facts in, parcel and figure out, and no payload that breaks an adapter."""

import importlib
import json
import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from decimal import Decimal
from functools import cache
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from channels.adapters import markup
from channels.adapters.protocol import (
    Connection,
    NotAuthentic,
    Pushed,
    Rejected,
    Throttled,
    TokenExpired,
)
from channels.adapters.registry import BY_NAME
from channels.messages import (
    IncomingOrder,
    IncomingRefund,
    ListedItem,
    RawMessage,
    ShipmentNotice,
    ShippedLine,
    StockFigure,
    Untranslatable,
)
from channels.simulators.server import LoopbackServer, Request, Response
from tests.channels.adapters.conformance import (
    ADAPTERS,
    CANCELLED,
    FOLDER,
    NOW,
    NUMBER,
    PAID,
    PLACED,
    PULLED,
    bought,
    connected,
    has_own,
    pulled,
    shop,
)

REFUNDING = [name for name in ADAPTERS if BY_NAME[name].capabilities.refund_in]


# -- the same order on every platform -------------------------------------------------------------


def order_of(name: str, **times: datetime) -> IncomingOrder:
    platform, number = bought(name, **times)
    with platform.serve() as server:
        connection = connected(platform, server)
        (raw,) = pulled(name, connection)
        assert (raw.kind, raw.external_id) == ("order", number)
        order = BY_NAME[name].translate(raw, connection)
    assert isinstance(order, IncomingOrder)
    assert order.revision == raw.revision
    return order


def facts(order: IncomingOrder) -> dict[str, Any]:
    return {
        "placed_at": order.placed_at,
        "paid_at": order.paid_at,
        "cancelled_at": order.cancelled_at,
        "currency": order.currency,
        "paid_amount": order.paid_amount,
        "shipping_amount": order.shipping_amount,
        "lines": [(line.sku_code, line.title, line.quantity, line.unit_price, line.discount) for line in order.lines],
        "place": (order.address.country, order.address.province, order.address.city),
        "must_not_ship": order.must_not_ship,
        "shipped_at": order.shipped_at,
        "remarks": order.remarks,
    }


PAID_FACTS = {
    "placed_at": PLACED,
    "paid_at": PAID,
    "cancelled_at": None,
    "currency": "CNY",
    "paid_amount": Decimal("227.90"),
    "shipping_amount": 0,
    "lines": [("CUP", "保温杯", 2, 109, 0), ("LID-RED", "盖", 1, Decimal("9.90"), 0)],
    "place": ("CN", "上海市", "上海市"),
    "must_not_ship": None,
    "shipped_at": None,
    "remarks": (),
}


@pytest.mark.parametrize("name", PULLED)
def test_the_same_paid_order_is_the_same_facts(name: str) -> None:
    assert facts(order_of(name, paid_at=PAID)) == PAID_FACTS


@pytest.mark.parametrize("name", PULLED)
def test_the_same_cancelled_order_is_the_same_facts(name: str) -> None:
    order = order_of(name, paid_at=PAID, cancelled_at=CANCELLED)
    assert facts(order) == PAID_FACTS | {"cancelled_at": CANCELLED}


@pytest.mark.parametrize("name", PULLED)
def test_an_order_that_nobody_has_paid_may_not_ship(name: str) -> None:
    order = order_of(name)
    if name == "pinduoduo":  # it shows paid orders only: this one is a group buy that is still forming
        assert str(order.must_not_ship) == "The group buy is still forming."
    else:
        assert facts(order) == PAID_FACTS | {"paid_at": None, "paid_amount": None}


@pytest.mark.parametrize("name", [name for name in PULLED if has_own(BY_NAME[name], "fetch")])
def test_an_order_that_is_asked_for_is_the_one_that_is_pulled(name: str) -> None:
    platform, number = bought(name, paid_at=PAID)
    with platform.serve() as server:
        connection = connected(platform, server)
        (raw,) = pulled(name, connection)
        (fetched,) = BY_NAME[name].fetch(connection, [number])
        assert (fetched.kind, fetched.external_id) == (raw.kind, raw.external_id)
        assert BY_NAME[name].translate(fetched, connection) == BY_NAME[name].translate(raw, connection)


@pytest.mark.parametrize("name", PULLED)
def test_a_parcel_and_a_figure_reach_the_platform(name: str) -> None:
    adapter, (platform, number) = BY_NAME[name], bought(name, paid_at=PAID)
    with platform.serve() as server:
        connection = connected(platform, server)
        (raw,) = pulled(name, connection)
        order = adapter.translate(raw, connection)
        assert isinstance(order, IncomingOrder)
        units = tuple(ShippedLine(line.external_id, line.quantity) for line in order.lines)
        before = shown(name, platform, number)
        adapter.deliver(ShipmentNotice(number, "P1", "SF", "SF1234567890", NOW, units), connection, key="k1")
        assert ("SF1234567890" in before, "SF1234567890" in shown(name, platform, number)) == (False, True)

        item, sku = listed(name, platform)
        adapter.deliver(StockFigure(item, sku, 41, 41, "CUP"), connection, key="k2")
        assert "41" in re.findall(r"[0-9]+", json.dumps(platform.state()["stock"], default=str))


def shown(name: str, platform: Any, number: str) -> str:
    order = platform.trade(NUMBER) if name == "taobao" else platform.order(NUMBER if name == "shopify" else number)
    return json.dumps([order, platform.state()], default=str)


def listed(name: str, platform: Any) -> tuple[str, str]:
    """List a cup and return its item's and its own number on the platform."""
    if name == "shopify":
        platform.add_product(900, "保温杯", [{"id": 901, "title": "", "sku": "CUP", "inventory_item_id": 902}])
        return "900", "902"
    if name == "square":
        platform.add_item("I1", "保温杯", [{"id": "V1", "name": "", "sku": "CUP", "amount": 10900}])
        return "I1", "V1"
    if name == "taobao":
        platform.add_item(701, 702, outer_id="CUP")
        return "701", "702"
    if name == "wechat_shop":
        product, sku = importlib.import_module("channels.simulators.wechat_shop_shop").ids_of("CUP")
        return str(product), str(sku)
    number = str(platform.add_item("CUP"))
    return number, number


@pytest.mark.parametrize("name", [name for name in PULLED if BY_NAME[name].capabilities.listing_pull])
def test_what_is_listed_is_listed(name: str) -> None:
    platform = shop(name).Platform()
    item, sku = listed(name, platform)
    with platform.serve() as server:
        rows = [row for page in BY_NAME[name].listings(connected(platform, server)) for row in page]

    assert [type(row) for row in rows] == [ListedItem]
    code = sku if name == "square" else "CUP"  # its orders name the variation only
    assert (rows[0].external_item_id, rows[0].external_sku_id, rows[0].external_code) == (item, sku, code)


@pytest.mark.parametrize("name", PULLED)
def test_a_right_channel_is_checked_and_a_wrong_one_is_refused(name: str) -> None:
    platform = shop(name).Platform()
    with platform.serve() as server:
        right = connected(platform, server)
        wrong = Connection("C", right.base_url, dict.fromkeys(platform.credentials, "wrong"), right.options)
        assert isinstance(BY_NAME[name].check(right), str)
        with pytest.raises((Rejected, TokenExpired)):
            BY_NAME[name].check(wrong)
        if has_own(BY_NAME[name], "renew"):
            with pytest.raises(Rejected):
                BY_NAME[name].renew(wrong)


@pytest.mark.parametrize("name", sorted({*PULLED, "qimen"} - {"weimob", "youzan"}))  # those publish no code of a limit
def test_too_many_calls_ask_for_a_pause_and_say_nothing_against_the_platform(name: str) -> None:
    platform = shop(name).Platform(**({"calls_at_once": 0} if name == "shopify" else {"calls_per_second": 0}))
    with platform.serve() as server, pytest.raises(Throttled) as caught:
        BY_NAME[name].check(connected(platform, server))

    assert 1 <= caught.value.seconds <= 3600


# -- pushes ---------------------------------------------------------------------------------------

POSTS: dict[str, Callable[[Any, str, str], object]] = {
    "wechat_shop": lambda platform, url, number: platform.push_to(url, "channels_ec_order_pay", number),
    "youzan": lambda platform, url, number: platform.push_to(url, "trade_TradePaid", number),
}


@pytest.mark.parametrize("name", [name for name in PULLED if BY_NAME[name].capabilities.push_orders])
def test_a_push_names_its_order_once_the_signature_is_right(name: str) -> None:
    platform, number = bought(name, paid_at=PAID)
    kept: list[Pushed] = []

    def answer(request: Request) -> Response:
        query = request.parameters() if request.query else {}
        url = f"{door.url}{request.path}" + (f"?{request.query}" if request.query else "")
        kept.append(Pushed(request.body, request.headers, query, url, request.method))
        return Response(b'{"code": 0, "msg": "success"}')

    with LoopbackServer(answer) as door:
        POSTS.get(name, lambda platform, url, number: platform.push_to(url))(platform, door.url + "/in/C/", number)
    (pushed,) = kept
    connection = Connection("C", "", platform.credentials, platform.options)
    received = BY_NAME[name].receive(pushed, connection, at=datetime.now(UTC))
    assert [*received.wanted, *(raw.external_id for raw in received.messages)] == [number]

    forged = Connection("C", "", {each: value[::-1] for each, value in platform.credentials.items()}, platform.options)
    with pytest.raises(NotAuthentic):
        BY_NAME[name].receive(pushed, forged, at=datetime.now(UTC))


# -- whatever a payload holds ---------------------------------------------------------------------

TILL = {
    "row": "2",
    "order_number": "SH01-2",
    "placed_at": "2026-11-23 15:20:00",
    "sku": "CUP",
    "quantity": "-1",
    "unit_price": "109.00",
    "type": "RETURN",
    "original_number": "SH01-1",
    "original_line": "1",
}
REFUNDS = {  # the recorded refund of a platform, and the order it is about
    "douyin": ("refund.json", "6919000000000000001"),
    "shopify": ("refund.json", "5501234567890"),
    "square": ("return.json", "CAISENgvlJ6jLWAzERDzjyHVybY"),
    "wechat_shop": ("aftersale.json", "3705115058471208928"),
    "weimob": ("rights.json", "1001234567890123456"),
    "youzan": ("refund.json", "E20261123100000012345"),
    "file": ("", "SH01-1"),
}
HOUSE = {
    "type": "order",
    "external_id": "A1",
    "revision": 1,
    "placed_at": "2026-11-23T09:00:00+08:00",
    "paid_at": "2026-11-23T09:01:00+08:00",
    "currency": "CNY",
    "lines": [{"external_id": "1", "sku_code": "CUP", "title": "保温杯", "quantity": 2, "unit_price": "109.00"}],
    "address": {"province": "浙江省", "city": "杭州市", "line": "文三路 1 号", "name": "王**", "phone": "138****0000"},
}
ROW = {
    "row": "2",
    "order_number": "A1",
    "placed_at": "2026-11-23 09:00",
    "paid_at": "2026-11-23 09:01",
    "status": "paid",
    "sku": "CUP",
    "quantity": "2",
    "unit_price": "109.00",
    "province": "浙江省",
}
CONNECTIONS = Connection("C", options={"locations": {"L1": {"province": "浙江省"}}})
ODD = st.sampled_from(
    [None, True, False, 0, -1, 10**30, 1.5, "", "x", "\x00", "9" * 100, "1e5", "NaN", [], {}, [1], {"a": 1}, [[]]]
) | st.text(max_size=6)


def places(value: Any, before: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Yield the path of every value inside a document."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, each in inner:
        yield (*before, name)
        yield from places(each, (*before, name))


def changed(document: Any, place: tuple[Any, ...], value: Any, *, drop: bool) -> None:
    """Drop or replace the value under a path, if an earlier change has left it there."""
    for name in place[:-1]:
        if not has(document, name):
            return
        document = document[name]
    if not has(document, place[-1]):
        return
    if drop:
        del document[place[-1]]
    else:
        document[place[-1]] = value


def has(document: Any, name: Any) -> bool:
    if isinstance(document, list):
        return isinstance(name, int) and name < len(document)
    return isinstance(document, dict) and name in document


def written(name: str, document: Any) -> bytes:
    if name == "qimen":
        return markup.write("request", document)
    return json.dumps(document).encode()


@cache
def examples(name: str) -> list[tuple[RawMessage, Any]]:
    """Return messages of a platform with what they hold: pulled from its simulator, and its own samples."""
    folder = FOLDER / name / "samples"
    if name == "house":
        return [(RawMessage("order", "A1", 1, b""), HOUSE)]
    if name == "file":
        sale = (RawMessage("order", "A1", 1, b""), {"rows": [ROW, {**ROW, "row": "3", "sku": "LID"}]})
        return [sale, (RawMessage("refund", "SH01-1", 1, b""), {"rows": [TILL], "about": "SH01-1"})]
    if name == "qimen":
        documents = [markup.read(path.read_bytes())[1] for path in sorted(folder.glob("*.xml"))]
        codes = [(each.get("deliveryOrder") or each["order"]) for each in documents]
        numbers = [each.get("deliveryOrderCode") or each["orderCode"] for each in codes]
        return [(RawMessage("parcel", code, 1, b""), each) for code, each in zip(numbers, documents, strict=True)]
    if name in PULLED:
        platform, _ = bought(name, paid_at=PAID)
        with platform.serve() as server:
            raws = pulled(name, connected(platform, server))
        if name in REFUNDS:
            file, number = REFUNDS[name]
            raws.append(RawMessage("refund", number, 1, (folder / file).read_bytes()))
        return [(raw, json.loads(raw.payload)) for raw in raws]
    return []


@pytest.mark.parametrize("name", [name for name in ADAPTERS if examples(name)])
def test_a_message_is_understood_or_refused_whatever_it_holds(name: str) -> None:
    adapter, understood = BY_NAME[name], 0

    @settings(max_examples=200, deadline=None, derandomize=True, database=None)
    @given(st.data())
    def check(data: st.DataObject) -> None:
        nonlocal understood
        raw, whole = data.draw(st.sampled_from(examples(name)))
        document = json.loads(json.dumps(whole))
        paths = list(places(document))
        for _ in range(data.draw(st.integers(0, 3))):
            changed(document, data.draw(st.sampled_from(paths)), data.draw(ODD), drop=data.draw(st.booleans()))
        try:
            adapter.translate(RawMessage(raw.kind, raw.external_id, raw.revision, written(name, document)), CONNECTIONS)
        except Untranslatable as refused:
            json.dumps(refused.reason.stored())
        else:
            understood += 1

    check()
    for raw, whole in examples(name):
        adapter.translate(RawMessage(raw.kind, raw.external_id, raw.revision, written(name, whole)), CONNECTIONS)
    assert understood > 10


def test_every_platform_that_tells_of_refunds_has_one_recorded() -> None:
    assert sorted(REFUNDS) == REFUNDING
    for name in REFUNDING:
        raw, whole = examples(name)[-1]
        told = RawMessage(raw.kind, raw.external_id, raw.revision, written(name, whole))
        refund = BY_NAME[name].translate(told, CONNECTIONS)
        assert isinstance(refund, IncomingRefund)
        assert refund.external_id == REFUNDS[name][1]


@pytest.mark.parametrize("name", [name for name in ADAPTERS if has_own(BY_NAME[name], "translate")])
@pytest.mark.parametrize("payload", [b"", b"\xff", b"[]", b"null", b'{"a": ', b"<a/>", b"[" * 5000, b"{}"])
@pytest.mark.parametrize("kind", ["order", "refund", "parcel", "tracking"])
def test_bytes_that_mean_nothing_are_refused(name: str, payload: bytes, kind: str) -> None:
    with pytest.raises(Untranslatable):
        BY_NAME[name].translate(RawMessage(kind, "1", 0, payload), CONNECTIONS)
