"""What every adapter offers, and how a failed call is said."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from audit.rules.sentences import Sentence
from channels.messages import Incoming, Outgoing, RawMessage


@dataclass(frozen=True)
class Connection:
    """What an adapter needs to know of a channel: never a row."""

    code: str
    base_url: str = ""
    credentials: Mapping[str, str] = field(default_factory=dict)
    options: Mapping[str, Any] = field(default_factory=dict)
    currency: str = "CNY"


@dataclass(frozen=True)
class Capabilities:
    """What can be done with a platform, as data that screens and jobs read."""

    pull_orders: bool = False
    push_orders: bool = False
    ship_confirm: bool = False
    stock_set: bool = False


class RetryLater(Exception):
    """The other side cannot now; the same call may succeed after ``seconds``."""

    def __init__(self, reason: Sentence, *, seconds: int = 30, answer: str = "") -> None:
        super().__init__(str(reason))
        self.reason = reason
        self.seconds = seconds
        self.answer = answer


class Rejected(Exception):
    """The other side says no for good: the same call will fail again until a person changes something."""

    def __init__(self, reason: Sentence, *, answer: str = "") -> None:
        super().__init__(str(reason))
        self.reason = reason
        self.answer = answer


class Adapter(Protocol):
    """One outside system's language. Pure translation apart from the three calls that speak HTTP."""

    capabilities: Capabilities

    def translate(self, raw: RawMessage, connection: Connection) -> Incoming:
        """Turn a raw message into the house language; raises ``Untranslatable``."""

    def receive(self, headers: Mapping[str, str], body: bytes, connection: Connection) -> list[RawMessage]:
        """Check a pushed request's signature and split it into raw messages; raises ``NotAuthentic``."""

    def pull(self, connection: Connection, *, since: datetime, until: datetime) -> Iterator[list[RawMessage]]:
        """Yield pages of orders changed in the window; raises ``RetryLater`` or ``Rejected``."""

    def deliver(self, message: Outgoing, connection: Connection, *, key: str) -> str:
        """Send one message and return the other side's answer; raises ``RetryLater`` or ``Rejected``."""


class NotAuthentic(Exception):
    """A pushed request whose signature does not belong to this channel."""


class NotOffered(Exception):
    """The platform has no such call."""
