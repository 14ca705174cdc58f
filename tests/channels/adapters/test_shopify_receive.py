"""Webhooks of Shopify: who is let in, and which order they name."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from channels.adapters import shopify
from channels.adapters.protocol import Connection, NotAuthentic, Pushed
from channels.adapters.signing import base64_hmac
from channels.simulators.server import LoopbackServer, Request, Response
from channels.simulators.shopify import Platform, make_order

NOON = datetime(2026, 11, 20, 4, 0, tzinfo=UTC)
LINES = [("TEE-RED-M", "Tee", 2, Decimal("109.00"))]
BODY = b'{"id":820982911946154508,"name":"#1001","total_price":"199.00","currency":"CNY"}'
DIGEST = "F4kJ6s57oHgJsDff7eMWUSBZj3lb3vN+pgI+qqwXQYo="


def pushed(body: bytes, topic: str = "orders/updated", **headers: str) -> Pushed:
    given = {"X-Shopify-Hmac-Sha256": base64_hmac("hush", body), "X-Shopify-Topic": topic}
    return Pushed(body, given | {f"x-shopify-{name.replace('_', '-')}": value for name, value in headers.items()})


def receive(push: Pushed, **options: str) -> tuple[str, ...]:
    credentials = {"webhook_secret": "new", "previous_webhook_secret": "hush"}
    received = shopify.ADAPTER.receive(push, Connection("SH", "", credentials, options), at=NOON)
    assert (received.messages, received.answer) == ((), b"{}")
    return received.wanted


def test_the_signing_vector() -> None:
    assert base64_hmac("hush", BODY) == DIGEST
    assert receive(Pushed(BODY, {"x-shopify-hmac-sha256": DIGEST, "x-shopify-topic": "orders/create"})) == (
        "820982911946154508",
    )


@pytest.mark.parametrize(
    ("topic", "body", "wanted"),
    [
        ("orders/cancelled", b'{"id": 7}', ("7",)),
        ("refunds/create", b'{"id": 7, "order_id": 8}', ("8",)),
        ("fulfillments/update", b'{"id": 7, "order_id": 8}', ("8",)),
        ("inventory_levels/update", b'{"inventory_item_id": 7}', ()),
        ("orders/create", b'{"id": "x"}', ()),
        ("orders/create", b"not json", ()),
    ],
)
def test_a_webhook_names_its_order(topic: str, body: bytes, wanted: tuple[str, ...]) -> None:
    assert receive(pushed(body, topic)) == wanted


@pytest.mark.parametrize(
    "push",
    [
        Pushed(BODY, {"X-Shopify-Hmac-Sha256": DIGEST.lower()}),
        Pushed(BODY + b" ", {"X-Shopify-Hmac-Sha256": DIGEST}),
        Pushed(BODY, {"X-Shopify-Hmac-Sha256": "ключ"}),
        Pushed(BODY),
        pushed(BODY, triggered_at="2026-11-19T22:59:59Z"),
        pushed(BODY, triggered_at="2026-11-20T04:10:01Z"),
        pushed(BODY, triggered_at="soon"),
    ],
)
def test_what_is_not_authentic_or_stale_is_refused(push: Pushed) -> None:
    with pytest.raises(NotAuthentic):
        receive(push)


def test_a_redelivery_of_hours_later_is_taken() -> None:
    assert receive(pushed(BODY, triggered_at="2026-11-19T23:00:00Z")) == ("820982911946154508",)


def test_another_shop_of_the_same_app_is_refused() -> None:
    ours = "demo.myshopify.com"

    assert receive(pushed(BODY, shop_domain="Demo.myshopify.com"), shop_domain=ours) != ()
    with pytest.raises(NotAuthentic):
        receive(pushed(BODY, shop_domain="other.myshopify.com"), shop_domain=ours)


def test_no_secret_means_nobody_is_let_in() -> None:
    push = Pushed(BODY, {"X-Shopify-Hmac-Sha256": base64_hmac("", BODY)})
    with pytest.raises(NotAuthentic):
        shopify.ADAPTER.receive(push, Connection("SH", "", {"webhook_secret": ""}), at=NOON)


def test_a_webhook_of_the_platform_leads_to_its_order() -> None:
    platform, wanted = Platform(), list[str]()

    def take(request: Request) -> Response:
        told = Pushed(request.body, request.headers, url=f"{ours.url}{request.path}")
        received = shopify.ADAPTER.receive(told, connection, at=datetime.now(UTC))
        wanted.extend(received.wanted)
        return Response(received.answer or b"")

    with platform.serve() as server, LoopbackServer(take) as ours:
        connection = Connection("SH", server.url, platform.credentials, platform.options)
        platform.add_order(make_order(1001, LINES, placed_at=NOON, paid_at=NOON))
        platform.add_refund(1001, {100101: 1}, "109.00")
        statuses = platform.push_to(f"{ours.url}/in/SH/")
        raws = shopify.ADAPTER.fetch(connection, list(dict.fromkeys(wanted)))

    assert (statuses, wanted) == ([200, 200, 200], ["1001", "1001", "1001"])
    assert [(raw.kind, raw.external_id) for raw in raws] == [("order", "1001"), ("refund", "1001")]
