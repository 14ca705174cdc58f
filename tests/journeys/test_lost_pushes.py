"""Whatever pushes are lost, doubled or overtake each other: after a second look the end is the loss-free one.

A partner on loopback pushes signed messages through the web door and shows the same messages to whoever pulls a window.
"""

import json
import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

import httpx
import pytest
from django.db import transaction
from django.test import Client
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from channels.adapters import registry
from channels.adapters.house import sign
from channels.adapters.protocol import Capabilities, Connection, Pushed, Received
from channels.messages import RawMessage
from channels.models import Channel, InboundMessage
from channels.services import pull, reconciliation
from channels.simulators.server import LoopbackServer, Request, Response
from inventory.models import Reservation, StockLevel
from orders.models import Order
from orders.services import pipeline, waiting
from tests import small_company as company
from tests.orders.services.speaking import Speaker, refund
from tests.small_company import NOON

SECRET = "partner-secret"
LATER = NOON + timedelta(minutes=30)
ORDERS = range(4)
IS_NIGHTLY = os.environ.get("HUB_STATEFUL") == "nightly"
EXAMPLES = 100 if IS_NIGHTLY else 5


@dataclass(frozen=True)
class Fact:
    """One message of the partner, and when it was said."""

    kind: str
    number: str
    revision: int
    body: dict[str, Any]
    said_at: datetime


class Pulled(Speaker):
    """The house language of a partner that can be pulled as well."""

    capabilities = Capabilities(push_orders=True, pull_orders=True)

    def receive(self, pushed: Pushed, connection: Connection, *, at: datetime) -> Received:
        super().receive(pushed, connection, at=at)
        return Received((as_raw(json.loads(pushed.body)),))

    def pull(self, connection: Connection, *, since: datetime, until: datetime) -> Iterator[list[RawMessage]]:
        page: int | None = 0
        while page is not None:
            asked = {"since": since.isoformat(), "until": until.isoformat(), "page": str(page)}
            answer = httpx.get(connection.base_url, params=asked).raise_for_status().json()
            yield [as_raw(message) for message in answer["messages"]]
            page = answer["next"]


def as_raw(told: dict[str, Any]) -> RawMessage:
    body = json.dumps(told["body"], ensure_ascii=False, sort_keys=True).encode()
    return RawMessage(told["kind"], told["number"], told["revision"], body)


def story(place: int) -> list[Fact]:
    """Return what happens to one order, oldest first; its SKU is short, so no node ever has it too early."""
    number, sku = f"N{place}", f"S{place}"
    order = company.order_message(number, {sku: 25}, paid_at=None)
    fewer = company.order_message(number, {sku: 12}, paid_at=None, revision=3, seller_note="fewer")
    last: dict[int, tuple[str, dict[str, Any]]] = {
        0: ("change", {"type": "change", "external_id": number, "revision": 5, "buyer_note": "please ring"}),
        1: ("change", {"type": "change", "external_id": number, "revision": 5, "cancelled_at": NOON.isoformat()}),
        2: ("refund", asdict(refund("asked", 5, order=number))),
        3: ("refund", asdict(refund("refunded", 5, order=number, amount="120.00"))),
    }
    paid = {"type": "change", "external_id": number, "revision": 4, "paid_at": NOON.isoformat()}
    told = [("order", 1, order), ("order", 3, fewer), ("change", 4, paid), (last[place][0], 5, last[place][1])]
    return [
        Fact(kind, number, revision, json.loads(json.dumps(body, default=str)), NOON + timedelta(minutes=revision))
        for kind, revision, body in told
    ]


FACTS = [fact for place in ORDERS for fact in story(place)]


def as_told(fact: Fact) -> dict[str, Any]:
    return {"kind": fact.kind, "number": fact.number, "revision": fact.revision, "body": fact.body}


def show(request: Request) -> Response:
    """Answer a pull: the messages of a window, five a page."""
    query = dict(httpx.QueryParams(request.query))
    since, until = (datetime.fromisoformat(query[name]) for name in ("since", "until"))
    shown = [as_told(fact) for fact in FACTS if since <= fact.said_at <= until]
    begin = 5 * int(query["page"])
    more = int(query["page"]) + 1 if begin + 5 < len(shown) else None
    return Response(json.dumps({"messages": shown[begin : begin + 5], "next": more}, default=str).encode())


@pytest.fixture(scope="module")
def partner() -> Iterator[str]:
    with LoopbackServer(show) as server:
        yield server.url


@pytest.fixture
def shop(db: None, partner: str, monkeypatch: pytest.MonkeyPatch) -> Channel:
    monkeypatch.setitem(registry.BY_NAME, "pulled", Pulled())
    near = company.node("SH")
    for place in ORDERS:
        company.stock(company.sku(f"S{place}"), near, 10)
    return Channel.objects.create(
        code="JD", name="P", platform="own", adapter="pulled", base_url=partner, credentials={"secret": SECRET}
    )


def push(fact: Fact) -> None:
    body = json.dumps(as_told(fact), default=str).encode()
    headers = {sign.HEADER: sign.signature(body, SECRET)}
    assert Client().post("/in/JD/", body, content_type="application/json", headers=headers).status_code == 202


def work_off() -> None:
    pipeline.drain(at=lambda: LATER)
    if waiting.wake(at=LATER):
        pipeline.drain(at=lambda: LATER)


def end() -> dict[str, Any]:
    """Return what must not depend on how the facts came."""
    orders = {
        order.external_id: (
            order.status, order.money_state, order.goods_state, order.total_amount, order.paid_amount, order.buyer_note,
            order.seller_note, order.revision, order.cancelled_at is not None,
            list(order.lines.order_by("line_number").values_list("quantity", "quantity_allocated", "is_cancelled")),
            sorted(order.holds.filter(lifted_at__isnull=True).values_list("kind", flat=True)),
            list(order.refunds.values_list("external_id", "status", "amount")),
        )
        for order in Order.objects.order_by("external_id")
    }  # fmt: skip
    held = sorted(Reservation.objects.filter(status="active").values_list("sku__code", "quantity"))
    return {"orders": orders, "held": held, "levels": sorted(StockLevel.objects.values_list("sku__code", "reserved"))}


def loss_free() -> dict[str, Any]:
    """Return the end when each fact comes once, as it happens."""
    with transaction.atomic():
        for fact in sorted(FACTS, key=lambda fact: fact.said_at):
            push(fact)
            work_off()
        state = end()
        transaction.set_rollback(True)
    return state


@st.composite
def arrivals(draw: st.DrawFn) -> tuple[list[int], list[bool]]:
    """Draw what arrives: a fifth never, a fifth twice, in any order, and after which arrivals work is done."""
    times = [draw(st.sampled_from([0, 1, 1, 1, 2])) for _ in FACTS]
    order = draw(st.permutations([place for place, count in enumerate(times) for _ in range(count)]))
    return list(order), [draw(st.sampled_from([False, False, True])) for _ in order]


def test_the_loss_free_end_is_what_it_should_be(shop: Channel) -> None:
    state = loss_free()
    assert {number: (facts[0], facts[10]) for number, facts in state["orders"].items()} == {
        "N0": ("backordered", []), "N1": ("cancelled", []), "N2": ("on_hold", ["refund"]), "N3": ("cancelled", []),
    }  # fmt: skip
    assert state["held"] == [("S0", 10), ("S2", 10)]


@pytest.mark.stateful
def test_lost_doubled_and_shuffled_pushes_end_in_the_loss_free_state(shop: Channel) -> None:
    expected = loss_free()

    @settings(
        max_examples=EXAMPLES, deadline=None, derandomize=not IS_NIGHTLY, database=None, phases=[Phase.generate],
        suppress_health_check=[HealthCheck.too_slow],
    )  # fmt: skip
    @given(arrivals())
    def end_alike(arrived: tuple[list[int], list[bool]]) -> None:
        with transaction.atomic():
            for place, works in zip(*arrived, strict=True):
                push(FACTS[place])
                if works:
                    work_off()
            lost = len(FACTS) - len(set(arrived[0]))
            assert reconciliation.reconcile(shop, at=LATER) == lost
            assert InboundMessage.objects.filter(source="reconcile").count() == lost
            work_off()
            ended = end()
            assert ended == expected
            assert (reconciliation.reconcile(shop, at=LATER), pull.pull(shop, at=LATER)) == (0, 0)
            transaction.set_rollback(True)

    end_alike()


@pytest.mark.parametrize("lost", [pytest.param(kind, id=kind) for kind in ("order", "change", "refund")])
def test_without_a_second_look_a_lost_push_stays_lost(shop: Channel, lost: str) -> None:
    newest = max((fact for fact in FACTS if fact.kind == lost), key=lambda fact: (fact.revision, fact.number))
    expected = loss_free()["orders"]
    for fact in FACTS:
        if fact is not newest:
            push(fact)
    work_off()
    unmended = end()["orders"]
    assert {number for number in expected if unmended[number] != expected[number]} == {newest.number}
    assert reconciliation.reconcile(shop, at=LATER) == 1
    work_off()
    assert end()["orders"] == expected
