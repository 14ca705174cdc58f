"""The way out: a channel that never answers beside others that do, and shipments a second over the loopback."""

import statistics
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils import timezone

from benchmarks.figures import Figures, at_most
from benchmarks.machine import Database, empty_tables, settle
from benchmarks.options import Options
from channels.messages import ShipmentNotice, ShippedLine
from channels.models import Channel, OutboundMessage
from channels.services import outbox
from channels.services.outbox import Draft
from channels.simulators.house import House
from channels.simulators.server import LoopbackServer, Request, Response
from channels.statuses import Lane

SHOPS = 5
NOTICES = 100  # of each shop and round
ANSWER_SECONDS = 0.01  # of a shop
HOLE_NOTICES = 2  # as many as the channel takes at once: both are under way for longer than the others need
HOLE_SECONDS = 4.0
SECRET = "house-secret"
THROUGHPUT_NOTICES = 2000


@dataclass
class _Slow:
    """A partner that takes its time before it does what the house does."""

    seconds: float
    let_go: threading.Event

    def __post_init__(self) -> None:
        self.house = House(secret=SECRET)

    def answer(self, request: Request) -> Response:
        """Wait, then answer."""
        if self.seconds:
            self.let_go.wait(self.seconds)
        return self.house.answer(request)


def run(figures: Figures, options: Options, database: Database) -> None:
    """Measure both and show the figures."""
    figures.heading("out: one channel black-holed beside others")
    empty_tables()
    alone, beside = [], []
    with _partners([ANSWER_SECONDS] * SHOPS + [HOLE_SECONDS]) as urls:
        shops = [_channel(f"S{number}", url) for number, url in enumerate(urls[:-1])]
        hole = _channel("HOLE", urls[-1])
        settle()
        _round(shops, None, name="warm")
        for number in range(options.rounds):  # in turn, so that both see the same machine
            alone.append(_round(shops, None, name=f"alone{number}"))
            beside.append(_round(shops, hole, name=f"beside{number}"))
    figures.show("out_p95_alone_ms", statistics.median(alone) * 1000)
    figures.show("out_p95_beside_black_hole_ms", statistics.median(beside) * 1000)
    figures.show("out_p95_ratio", statistics.median(beside) / statistics.median(alone), at_most(1.10))
    figures.heading("out: shipment notices over the loopback")
    with _partners([0.0]) as urls:
        figures.show("out_notices_per_s", _throughput(_channel("FAST", urls[0])))


@contextmanager
def _partners(waits: list[float]) -> Iterator[list[str]]:
    let_go = threading.Event()
    with ExitStack() as stack:
        yield [stack.enter_context(LoopbackServer(_Slow(seconds, let_go).answer)).url for seconds in waits]
        let_go.set()


def _channel(code: str, url: str) -> Channel:
    return Channel.objects.create(
        code=code, name=code, platform="own", adapter="house", base_url=url, credentials={"secret": SECRET}
    )


def _drafts(channel: Channel, count: int, *, name: str, at: datetime) -> list[Draft]:
    return [
        Draft(
            channel.pk, Lane.SHIPMENTS, f"{channel.code}-{number}", f"{name}:{channel.code}:{number}",
            ShipmentNotice("A1", f"A1-{number}", "SF", f"SF{number}", at, (ShippedLine("1", 1),)),
        )
        for number in range(count)
    ]  # fmt: skip


def _round(shops: list[Channel], hole: Channel | None, *, name: str) -> float:
    """Deliver one round and return the 95th percentile of the shops' seconds from due to accepted."""
    at = timezone.now()
    drafts = [draft for shop in shops for draft in _drafts(shop, NOTICES, name=name, at=at)]
    if hole is not None:
        drafts += _drafts(hole, HOLE_NOTICES, name=name, at=at)
    outbox.enqueue(drafts, at=at)
    began = timezone.now()
    outbox.deliver(limit=len(drafts), at=began)
    sent = OutboundMessage.objects.filter(key__startswith=f"{name}:", channel__in=shops, status="sent")
    moments = [moment for moment in sent.values_list("sent_at", flat=True) if moment is not None]
    if len(moments) != NOTICES * len(shops):
        raise RuntimeError(f"{len(moments)} notices of {name} were sent")
    return statistics.quantiles([(moment - began) / timedelta(seconds=1) for moment in moments], n=20)[18]


def _throughput(channel: Channel) -> float:
    Channel.objects.filter(pk=channel.pk).update(calls_at_once=4)
    at = timezone.now()
    outbox.enqueue(_drafts(channel, THROUGHPUT_NOTICES, name="fast", at=at), at=at)
    began = time.perf_counter()
    done = outbox.deliver("shipments", limit=THROUGHPUT_NOTICES, at=timezone.now())
    if done.sent != THROUGHPUT_NOTICES:
        raise RuntimeError(f"{done} of {THROUGHPUT_NOTICES}")
    return THROUGHPUT_NOTICES / (time.perf_counter() - began)
