"""What every adapter offers, and how a failed call is said."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, ClassVar

from audit.rules.sentences import Sentence
from channels.messages import Incoming, ListedItem, Outgoing, RawMessage


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
    refund_in: bool = False  # refunds reach us as refunds
    cancel_in: bool = False  # a cancelled order reaches us
    stock_set: bool = False  # absolute figures
    stock_delta: bool = False  # differences, under an idempotency key
    listing_pull: bool = False
    price: bool = False
    parcels: bool = False  # a node's own system: parcels out, what became of them in
    receivers: bool = False  # it prints the labels: a parcel is told with its receiver
    documents: bool = False  # an ERP: documents for the books
    tracking: bool = False  # a carrier: parcels to follow out, scans in
    notices: bool = False  # messages to people
    events: bool = False  # webhooks to partners


@dataclass(frozen=True)
class Pushed:
    """A request that somebody pushed to us, as it came over the wire."""

    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)  # read through ``header``
    query: Mapping[str, str] = field(default_factory=dict)
    url: str = ""  # the whole address that was called; some platforms sign it
    method: str = "POST"

    def header(self, name: str) -> str:
        """Return a header whatever the case of its name; empty when absent."""
        return next((value for key, value in self.headers.items() if key.lower() == name.lower()), "")


@dataclass(frozen=True)
class Received:
    """What a pushed request held, and the words with which its platform wants to be answered.

    ``wanted`` names orders of which the push told the number only: they are fetched. Without ``answer`` the door
    answers 202 with its own counts.
    """

    messages: tuple[RawMessage, ...] = ()
    wanted: tuple[str, ...] = ()
    answer: bytes | None = None
    content_type: str = "application/json"


class RetryLater(Exception):
    """The other side cannot now; the same call may succeed after ``seconds``."""

    def __init__(self, reason: Sentence, *, seconds: int = 30, answer: str = "") -> None:
        super().__init__(str(reason))
        self.reason = reason
        self.seconds = seconds
        self.answer = answer


class TokenExpired(RetryLater):
    """The access token is no longer good: ``Adapter.renew`` gets a new one, then the same call is made again."""


class Throttled(RetryLater):
    """The other side is there and wants no calls of this channel at all for ``seconds``."""


class Rejected(Exception):
    """The other side says no for good: the same call will fail again until a person changes something."""

    def __init__(self, reason: Sentence, *, answer: str = "") -> None:
        super().__init__(str(reason))
        self.reason = reason
        self.answer = answer


class Gone(Rejected):
    """The other side says that nobody listens there any more: the channel is switched off, and people are told."""


class NotAuthentic(Exception):
    """A pushed request whose signature does not belong to this channel, or whose time is too far from ours."""


class NotOffered(Exception):
    """The platform has no such call."""


class Adapter:
    """One outside system's language; every call that a platform does not have stays as it is here: not offered.

    ``credential_names`` is what a person enters to connect (secrets are never shown again), ``option_names`` what else
    the adapter reads. Translation and ``receive`` are pure; the other calls speak HTTP.
    """

    capabilities: ClassVar[Capabilities] = Capabilities()
    credential_names: ClassVar[tuple[str, ...]] = ()
    option_names: ClassVar[tuple[str, ...]] = ()

    def translate(self, raw: RawMessage, connection: Connection) -> Incoming:
        """Turn a raw message into the house language; raises ``Untranslatable``."""
        raise NotOffered(f"{type(self).__name__} sends us nothing")

    def receive(self, pushed: Pushed, connection: Connection, *, at: datetime) -> Received:
        """Check a pushed request's signature and time, and split it into raw messages.

        Raises ``NotAuthentic``, and ``Rejected`` for a request that is authentic and cannot be taken at all.
        """
        raise NotOffered(f"{type(self).__name__} does not push")

    def pull(self, connection: Connection, *, since: datetime, until: datetime) -> Iterator[list[RawMessage]]:
        """Yield pages of what changed in the window; raises ``RetryLater`` or ``Rejected``."""
        raise NotOffered(f"{type(self).__name__} cannot be pulled")

    def fetch(self, connection: Connection, external_ids: Sequence[str]) -> list[RawMessage]:
        """Return these orders as they are now; raises ``RetryLater`` or ``Rejected``."""
        raise NotOffered(f"{type(self).__name__} cannot be asked for an order")

    def listings(self, connection: Connection) -> Iterator[list[ListedItem]]:
        """Yield pages of what the shop lists now; raises ``RetryLater`` or ``Rejected``."""
        raise NotOffered(f"{type(self).__name__} lists nothing")

    def deliver(self, message: Outgoing, connection: Connection, *, key: str) -> str:
        """Send one message and return the other side's answer; raises ``RetryLater`` or ``Rejected``."""
        raise NotOffered(f"{type(self).__name__} cannot be told anything")

    def renew(self, connection: Connection) -> Mapping[str, str]:
        """Return the credentials with a fresh access token; raises ``RetryLater`` or ``Rejected``."""
        raise NotOffered(f"{type(self).__name__} has no token that expires")

    def check(self, connection: Connection) -> str:
        """Make the cheapest authenticated call and return what the platform calls the shop (or an empty text)."""
        raise NotOffered(f"{type(self).__name__} cannot be tried")
