"""Square over real HTTP: pulling while it moves, webhooks, a token that expires, parcels and counts."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from channels.adapters import square
from channels.adapters.protocol import Connection, NotAuthentic, Pushed, Rejected, RetryLater, Throttled, TokenExpired
from channels.adapters.signing import base64_hmac
from channels.adapters.square import pull
from channels.messages import (
    IncomingOrder,
    IncomingRefund,
    ListedItem,
    Outgoing,
    ParcelCancel,
    RawMessage,
    ShipmentNotice,
    ShippedLine,
    StockFigure,
)
from channels.simulators.server import LoopbackServer, Request, Response
from channels.simulators.square import Platform, make_order

NOON = datetime(2026, 11, 20, 4, 0, tzinfo=UTC)
END = NOON + timedelta(hours=1)
LINES = [("VAR-1", "Tee", 2, Decimal("109.00")), ("VAR-2", "Cap", 3, Decimal("20.00"))]
BODY = b'{"merchant_id":"M1","type":"order.updated","event_id":"e1"}'
URL = "https://oms.example.com/hooks/square"
DIGEST = "eZClWJzdlnXd5bjefJr9wdAvIUKNXyQx5d8p0A6mf70="
FIRST = "ORDER00001001"


@pytest.fixture
def platform() -> Platform:
    return Platform()


@pytest.fixture
def server(platform: Platform) -> Iterator[LoopbackServer]:
    with platform.serve() as running:
        yield running


@pytest.fixture
def connection(platform: Platform, server: LoopbackServer) -> Connection:
    return Connection("SQ", server.url, dict(platform.credentials), platform.options)


@pytest.fixture
def _pages_of_ten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pull, "PAGE_SIZE", 10)


def fill(platform: Platform, count: int) -> None:
    for number in range(1001, 1001 + count):
        at = NOON + timedelta(seconds=number)
        platform.add_order(make_order(number, LINES, placed_at=at, paid_at=at))


def pull_all(connection: Connection) -> list[RawMessage]:
    return [raw for page in square.ADAPTER.pull(connection, since=NOON, until=END) for raw in page]


# -- pulling --------------------------------------------------------------------------------------


def test_orders_and_returns_go_round_to_the_house_language(platform: Platform, connection: Connection) -> None:
    platform.clock = lambda: NOON + timedelta(minutes=40)
    fill(platform, 1)
    platform.add_refund(FIRST, {"u2": 1}, 2000)

    order, refund = [square.ADAPTER.translate(raw, connection) for raw in pull_all(connection)]

    assert isinstance(order, IncomingOrder)
    assert isinstance(refund, IncomingRefund)
    assert (order.external_id, order.paid_amount) == (FIRST, Decimal("278.00"))
    assert [(line.external_id, line.sku_code, line.quantity, line.unit_price) for line in order.lines] == [
        ("u1", "VAR-1", 2, Decimal("109.00")),
        ("u2", "VAR-2", 3, Decimal("20.00")),
    ]
    assert (refund.external_id, refund.amount, refund.lines[0].external_line_id) == (FIRST, Decimal("20.00"), "u2")


@pytest.mark.usefixtures("_pages_of_ten")
def test_rows_that_leave_the_window_while_it_is_read_push_nothing_past_us(
    platform: Platform, connection: Connection
) -> None:
    fill(platform, 35)
    platform.faults.plan("move", 4)
    platform.faults.plan("duplicate", 2)

    raws = pull_all(connection)

    assert {raw.external_id for raw in raws} == {f"ORDER0000{number}" for number in range(1001, 1036)}
    assert platform.calls["/v2/orders/search"] == 4


def test_more_than_ten_locations_are_asked_in_tens(platform: Platform, connection: Connection) -> None:
    fill(platform, 1)
    many = {"locations": {f"L{number}": {} for number in range(1, 22)}}

    raws = pull_all(Connection("SQ", connection.base_url, connection.credentials, many))

    assert [raw.external_id for raw in raws] == [FIRST]
    assert platform.calls["/v2/orders/search"] == 3


def test_drafts_and_other_shops_are_left_out(platform: Platform, connection: Connection) -> None:
    fill(platform, 3)
    platform.change_order("ORDER00001002", state="DRAFT", location_id="L1")
    platform.change_order("ORDER00001003", location_id="L9")

    raws = square.ADAPTER.fetch(connection, [FIRST, "ORDER00001002", "ORDER00001003", "NONE"])

    assert [(raw.external_id, raw.revision == 0) for raw in raws] == [(FIRST, False), ("NONE", True)]
    with pytest.raises(Exception, match="Square did not hand out this order"):
        square.ADAPTER.translate(raws[1], connection)


@pytest.mark.usefixtures("_pages_of_ten")
def test_a_token_that_expires_in_the_middle_is_renewed_and_nothing_is_lost(
    platform: Platform, connection: Connection
) -> None:
    fill(platform, 25)
    pages = square.ADAPTER.pull(connection, since=NOON, until=END)
    first = next(pages)
    platform.expire_token()

    with pytest.raises(TokenExpired):
        next(pages)
    fresh = square.ADAPTER.renew(connection)
    again = pull_all(Connection("SQ", connection.base_url, fresh, connection.options))

    assert (len(first), len(again), fresh["access_token"]) == (10, 25, "token-2")
    assert fresh["signature_key"] == "sq-signature-key"


def test_a_renewal_with_a_wrong_secret_needs_a_person(connection: Connection) -> None:
    wrong = Connection("SQ", connection.base_url, {**connection.credentials, "client_secret": "x"})

    with pytest.raises(Rejected, match="Square refused: UNAUTHORIZED"):
        square.ADAPTER.renew(wrong)


def test_a_wrong_token_needs_a_person(connection: Connection) -> None:
    wrong = Connection("SQ", connection.base_url, {"access_token": "x"}, connection.options)

    with pytest.raises(Rejected, match="Square refused: UNAUTHORIZED no such token") as caught:
        pull_all(wrong)
    assert type(caught.value) is Rejected


def test_a_channel_without_locations_or_token_calls_nobody(platform: Platform, connection: Connection) -> None:
    with pytest.raises(Rejected, match="Channel SQ has no locations of Square"):
        pull_all(Connection("SQ", connection.base_url, connection.credentials))
    with pytest.raises(Rejected, match="access_token, base_url is not set"):
        pull_all(Connection("SQ", "", {}, connection.options))
    assert platform.state()["calls"] == {}


def test_the_check_tells_the_location(connection: Connection) -> None:
    assert square.ADAPTER.check(connection) == "Store L1"


# -- what cannot be done --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fault", "seconds", "words"),
    [
        ("http500", 30, "Square answered with HTTP status 500."),
        ("http503", 7, "Square answered with HTTP status 503."),
        ("html", 30, "Square did not answer in its own format."),
        ("cut", 30, "Square cannot be reached: RemoteProtocolError."),
    ],
)
def test_a_fault_on_the_way_is_tried_later(
    platform: Platform, connection: Connection, fault: str, seconds: int, words: str
) -> None:
    platform.faults.plan(fault)

    with pytest.raises(RetryLater) as caught:
        pull_all(connection)

    assert (caught.value.seconds, str(caught.value.reason)) == (seconds, words)
    assert pull_all(connection) == []


@pytest.mark.parametrize(
    ("status", "code", "kind", "seconds"),
    [
        (401, "ACCESS_TOKEN_EXPIRED", TokenExpired, 30),
        (401, "ACCESS_TOKEN_REVOKED", Rejected, None),
        (403, "INSUFFICIENT_SCOPES", Rejected, None),
        (404, "NOT_FOUND", Rejected, None),
        (400, "IDEMPOTENCY_KEY_REUSED", Rejected, None),
        (409, "CONFLICT", RetryLater, 2),
        (400, "VERSION_MISMATCH", RetryLater, 2),
        (400, "RATE_LIMITED", RetryLater, 30),
        (429, "RATE_LIMITED", Throttled, 30),
        (200, "BAD_REQUEST", Rejected, None),
    ],
)
def test_each_error_means_later_or_no(
    connection: Connection, status: int, code: str, kind: type[Exception], seconds: int | None
) -> None:
    body = {"errors": [{"category": "X", "code": code, "detail": "why", "field": "what"}]}
    answer = Response(json.dumps(body).encode(), status)
    with LoopbackServer(lambda request: answer) as odd, pytest.raises(kind) as caught:
        square.ADAPTER.check(Connection("SQ", odd.url, connection.credentials, connection.options))

    assert type(caught.value) is kind
    assert getattr(caught.value, "seconds", None) == seconds


@pytest.mark.parametrize(("status", "body"), [(404, b"not here"), (302, b"")])
def test_another_status_without_json_needs_a_person(connection: Connection, status: int, body: bytes) -> None:
    answer = Response(body, status)
    with LoopbackServer(lambda request: answer) as odd, pytest.raises(Rejected, match=f"HTTP status {status}"):
        square.ADAPTER.check(Connection("SQ", odd.url, connection.credentials, connection.options))


# -- webhooks -------------------------------------------------------------------------------------


def event(kind: str = "order_updated", at: str = "2026-11-20T04:00:00Z", **told: Any) -> bytes:
    return json.dumps({"type": "order.updated", "created_at": at, "data": {"object": {kind: told}}}).encode()


def receive(body: bytes, signature: str | None = None, url: str = URL, **options: Any) -> tuple[str, ...]:
    credentials = {"signature_key": "new", "previous_signature_key": "sq-signature-key"}
    given = signature if signature is not None else base64_hmac("sq-signature-key", URL.encode() + body)
    push = Pushed(body, {"X-Square-HmacSha256-Signature": given}, url=url)
    connection = Connection("SQ", "", credentials, {"locations": {"L1": {}}, **options})
    received = square.ADAPTER.receive(push, connection, at=NOON)
    assert (received.messages, received.answer) == ((), b"{}")
    return received.wanted


def test_the_signing_vector() -> None:
    assert base64_hmac("sq-signature-key", URL.encode() + BODY) == DIGEST
    assert receive(BODY, DIGEST) == ()


@pytest.mark.parametrize(
    ("body", "wanted"),
    [
        (event(order_id="O1", location_id="L1"), ("O1",)),
        (event("order_fulfillment_updated", order_id="O1", location_id="L1"), ("O1",)),
        (event("refund", order_id="O2", location_id="L1"), ("O2",)),
        (event("refund", order_id="O2"), ("O2",)),
        (event(order_id="O1", location_id="L9"), ()),
        (event("inventory_counts", count=1), ()),
        (b"[]", ()),
    ],
)
def test_a_webhook_names_its_order(body: bytes, wanted: tuple[str, ...]) -> None:
    assert receive(body) == wanted


def test_behind_a_proxy_the_configured_address_is_signed() -> None:
    body = event(order_id="O1", location_id="L1")

    assert receive(body, url="http://inside:8000/in/SQ/", notification_url=URL) == ("O1",)
    with pytest.raises(NotAuthentic):
        receive(body, url="http://inside:8000/in/SQ/")


@pytest.mark.parametrize(
    ("body", "signature"),
    [
        (BODY, DIGEST.lower()),
        (BODY + b" ", DIGEST),
        (BODY, ""),
        (event(at="2026-11-19T02:59:59Z", order_id="O1"), None),
        (event(at="2026-11-20T04:10:01Z", order_id="O1"), None),
    ],
)
def test_what_is_not_authentic_or_stale_is_refused(body: bytes, signature: str | None) -> None:
    with pytest.raises(NotAuthentic):
        receive(body, signature)


def test_a_redelivery_within_a_day_is_taken() -> None:
    assert receive(event(at="2026-11-19T03:00:00Z", order_id="O1", location_id="L1")) == ("O1",)


def test_a_webhook_of_the_platform_leads_to_its_order(platform: Platform, connection: Connection) -> None:
    wanted: list[str] = []

    def take(request: Request) -> Response:
        told = Pushed(request.body, request.headers, url=f"{ours.url}{request.path}")
        received = square.ADAPTER.receive(told, connection, at=datetime.now(UTC))
        wanted.extend(received.wanted)
        return Response(received.answer or b"")

    with LoopbackServer(take) as ours:
        fill(platform, 1)
        returned = platform.add_refund(FIRST, {"u1": 1}, 10900)
        statuses = platform.push_to(f"{ours.url}/in/SQ/")
    raws = square.ADAPTER.fetch(connection, wanted)

    assert (statuses, wanted) == ([200, 200], [FIRST, returned])
    assert [(raw.kind, raw.external_id) for raw in raws] == [("order", FIRST), ("refund", FIRST)]


# -- parcels and counts ---------------------------------------------------------------------------


def deliver(message: Outgoing, connection: Connection, key: str = "k1") -> str:
    return square.ADAPTER.deliver(message, connection, key=key)


def notice(*lines: tuple[str, int], parcel: str = "P-1", tracking: str = "SF1", order: str = FIRST) -> ShipmentNotice:
    shipped = tuple(ShippedLine(line, quantity) for line, quantity in lines)
    return ShipmentNotice(order, parcel, "SF", tracking, NOON, shipped, is_partial=True)


def shipped(platform: Platform) -> tuple[str, str, dict[str, Any]]:
    order = platform.order(FIRST)
    details = order["fulfillments"][0]["shipment_details"]
    kept = {name: details[name] for name in ("carrier", "tracking_number", "shipped_at") if name in details}
    return order["state"], order["fulfillments"][0]["state"], kept


def test_the_last_parcel_completes_the_fulfillment(platform: Platform, connection: Connection) -> None:
    fill(platform, 1)

    deliver(notice(("u1", 2), ("u2", 1)), connection)
    halfway = shipped(platform)
    deliver(notice(("u2", 2), parcel="P-2", tracking="SF2"), connection, "k2")

    assert halfway == ("OPEN", "PREPARED", {"carrier": "SF Express", "tracking_number": "SF1"})
    told = {"carrier": "SF Express", "tracking_number": "SF1, SF2", "shipped_at": "2026-11-20T04:00:00Z"}
    assert shipped(platform) == ("COMPLETED", "COMPLETED", told)


@pytest.mark.parametrize("lines", [[("u2", 1)], [("u1", 2), ("u2", 3)]])
def test_the_same_parcel_again_changes_nothing(
    platform: Platform, connection: Connection, lines: list[tuple[str, int]]
) -> None:
    fill(platform, 1)
    platform.faults.plan("lost", 1, after=1)  # the order is read, then the answer to its change is lost

    with pytest.raises(RetryLater):
        deliver(notice(*lines), connection)
    before = platform.order(FIRST)

    assert deliver(notice(*lines), connection) == "known"
    assert platform.order(FIRST) == before


def test_an_order_that_changes_meanwhile_is_told_later(platform: Platform, connection: Connection) -> None:
    fill(platform, 1)

    def meddle(request: Request) -> Response:
        if request.method == "PUT":
            platform.change_order(FIRST, reference_id="x")
        return platform.answer(request)

    with LoopbackServer(meddle) as server, pytest.raises(RetryLater, match="VERSION_MISMATCH"):
        deliver(notice(("u1", 2)), Connection("SQ", server.url, connection.credentials, connection.options))
    assert shipped(platform)[:2] == ("OPEN", "PROPOSED")


@pytest.mark.parametrize(
    ("message", "words"),
    [
        (notice(("u1", 3)), "Square has nothing left to ship that parcel P-1 holds."),
        (notice(("u9", 1)), "Square has nothing left to ship that parcel P-1 holds."),
        (notice(), "Parcel P-1 has no lines to tell Square about."),
        (notice(("u1", 1), tracking=""), "Parcel P-1 has no tracking number."),
        (notice(("u1", 1), order="../x"), "../x is not a number of Square."),
        (notice(("u1", 1), order="NONE"), "Square refused: NOT_FOUND /v2/orders/NONE"),
        (StockFigure("I", "VAR-1", -1), "Square cannot be told a stock of -1."),
        (StockFigure("I", "", 1), " is not a number of Square."),
        (ParcelCancel("P-1", "N"), "Square takes shipment notices and stock figures, nothing else."),
    ],
)
def test_what_cannot_be_told_changes_nothing(
    platform: Platform, connection: Connection, message: Outgoing, words: str
) -> None:
    fill(platform, 1)
    before = platform.order(FIRST)

    with pytest.raises(Rejected) as caught:
        deliver(message, connection)

    assert str(caught.value.reason) == words
    assert (platform.order(FIRST), platform.state()["stock"]) == (before, [])


def test_an_order_of_the_till_cannot_be_changed(platform: Platform, connection: Connection) -> None:
    order = make_order(1001, LINES, placed_at=NOON)
    del order["version"]
    platform.add_order(order)

    with pytest.raises(Rejected, match="does not let order ORDER00001001 be changed"):
        deliver(notice(("u1", 2)), connection)


def test_a_count_is_absolute(platform: Platform, connection: Connection) -> None:
    for key, quantity in (("a", 12), ("a", 12), ("b", 7)):
        deliver(StockFigure("ITEM", "VAR-1", quantity), connection, key)

    assert platform.state()["stock"] == [{"catalog_object_id": "VAR-1", "location_id": "L1", "quantity": "7"}]


def test_every_variation_is_listed_under_the_number_that_orders_use(platform: Platform, connection: Connection) -> None:
    for number in range(101):
        platform.add_item(
            f"I{number}", "Tee", [{"id": f"V{number}", "name": "Red", "sku": "TEE", "upc": "69", "amount": 10900}]
        )

    pages = list(square.ADAPTER.listings(connection))

    assert [len(page) for page in pages] == [100, 1]
    assert pages[1] == [ListedItem("I100", "V100", "V100", "Tee Red TEE", "69", None, Decimal("109.00"))]
