"""Bringing the drafted messages in, by the doors that platforms use, and waiting until they are taken up."""

import logging
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlsplit

import httpx

from audit.services import waking
from audit.services.waking import Happening
from channels.adapters import registry
from channels.adapters.house import sign
from channels.adapters.protocol import Pushed
from channels.models import Channel, InboundMessage, OutboundMessage
from channels.services import connections, inbox, pull
from channels.simulators.taobao import Platform
from channels.statuses import InboundStatus, OutboundStatus
from config.demo import drafts
from orders.services import pipeline

MESSAGES_A_REQUEST = 20
PATIENCE = 5.0  # seconds without progress after which nobody else seems to work
OUTBOX_SWEEP = 5.0  # seconds between two looks at the outbox, see the schedule
PAUSE = 0.2
TIMEOUT = httpx.Timeout(20.0, connect=2.0)
WEB_ADDRESSES = ("HUB_URL", "HUB_WEB_URL")  # in the environment, the first that is set
logger = logging.getLogger(__name__)

Report = Callable[[int], None]  # messages that went in, or were taken up, since the last call


class NoCompany(Exception):
    """The demo's channels are not there."""


@dataclass
class Sent:
    """How many messages went which way."""

    by_door: int = 0
    by_inbox: int = 0
    by_pull: int = 0


class Postman:
    """Delivers to the web door, or straight to the inbox once the door has not answered."""

    def __init__(self, *, report: Report) -> None:
        """Look the channels up; raises ``NoCompany``."""
        self._channels = {channel.code: channel for channel in Channel.objects.filter(is_active=True)}
        if missing := {code for code in drafts.BY_CODE if code not in self._channels}:
            raise NoCompany(f"Channels {', '.join(sorted(missing))} are not there.")
        self._address = next((os.environ[name] for name in WEB_ADDRESSES if os.environ.get(name)), "")
        self._report = report
        self.sent = Sent()

    def deliver(self, mail: drafts.Mail, *, at: datetime) -> Sent:
        """Bring everything in, round by round, the simulated platform's trades among them."""
        for letters in mail.rounds:
            for code, messages in sorted(letters.items()):
                for place in range(0, len(messages), MESSAGES_A_REQUEST):
                    part = messages[place : place + MESSAGES_A_REQUEST]
                    self._post(self._channels[code], drafts.encode(part), at)
                    self._report(len(part))
        for code, body in mail.broken.items():
            self._post(self._channels[code], body, at)
            self._report(1)
        self._pull(mail.trades, at)
        return self.sent

    def _post(self, channel: Channel, body: bytes, at: datetime) -> None:
        headers = {sign.HEADER: sign.signature(body, connections.of(channel).credentials["secret"])}
        if self._address and self._door_took(channel.code, body, headers):
            self.sent.by_door += 1
            return
        adapter = registry.BY_NAME[channel.adapter]
        received = adapter.receive(Pushed(body, headers), connections.of(channel), at=at)
        inbox.store(channel, received.messages, at=at)
        self.sent.by_inbox += 1

    def _door_took(self, code: str, body: bytes, headers: dict[str, str]) -> bool:
        """Post to the web door; one that is not there is not asked again."""
        url = f"{self._address.rstrip('/')}/in/{code}/"
        try:
            answer = httpx.post(url, content=body, headers=headers, timeout=TIMEOUT)
        except httpx.HTTPError as error:
            logger.warning("%s does not answer (%s): the inbox is filled directly", url, type(error).__name__)
        else:
            if answer.status_code == httpx.codes.ACCEPTED:
                return True
            logger.warning("%s answered %s: the inbox is filled directly", url, answer.status_code)
        self._address = ""
        return False

    def _pull(self, trades: list[dict[str, object]], at: datetime) -> None:
        """Give trades to the simulated platform and pull its channel."""
        if not trades:
            return
        code = next(code for code, channel in drafts.BY_CODE.items() if channel.adapter == "taobao")
        with _platform_of(self._channels[code]) as control:
            httpx.post(f"{control}/trades", json=trades, timeout=TIMEOUT).raise_for_status()
            pull.pull(self._channels[code], at=at)
        self.sent.by_pull += len(trades)
        self._report(len(trades))


def control_of(channel: Channel) -> str:
    """Return where the simulated platform behind a channel is controlled."""
    parts = urlsplit(channel.base_url)
    return f"{parts.scheme}://{parts.netloc}/control"


@contextmanager
def _platform_of(channel: Channel) -> Iterator[str]:
    """Yield where the simulated platform is controlled; one is played here for the while when none answers.

    The channel object then speaks with that one; its row is not changed.
    """
    control = control_of(channel)
    try:
        httpx.get(f"{control}/state", timeout=TIMEOUT).raise_for_status()
    except httpx.HTTPError:
        logger.warning("no simulated platform answers at %s: one is played for this run", control)
        with Platform().serve() as server:
            channel.base_url = f"{server.url}{urlsplit(channel.base_url).path}"
            yield control_of(channel)
    else:
        yield control


def drain(*, patience: float, report: Report) -> bool:
    """Wait until the messages are taken up and what they cause has gone out; take them up here when nobody else does.

    Returns whether others did all of it.
    """
    waking.happened(Happening.MESSAGES_CAME)
    if not _watch(_not_taken_up, patience=patience, report=report):
        left = _not_taken_up()
        pipeline.drain()
        report(left)
        return False
    _watch(_not_sent, patience=patience + OUTBOX_SWEEP, report=lambda _messages: None)
    return True


def _watch(count: Callable[[], int], *, patience: float, report: Report) -> bool:
    """Wait while a count falls; returns whether it reached zero, False after ``patience`` seconds without progress."""
    left, last_move = count(), time.monotonic()
    while left:
        time.sleep(min(PAUSE, patience))
        now = count()
        if now < left:
            report(left - now)
            left, last_move = now, time.monotonic()
        elif time.monotonic() - last_move >= patience:
            return False
    return True


def _not_taken_up() -> int:
    return InboundMessage.objects.filter(status=InboundStatus.RECEIVED).count()


def _not_sent() -> int:
    return OutboundMessage.objects.filter(status=OutboundStatus.PENDING, attempts=0).count()
