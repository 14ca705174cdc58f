"""What becomes of a listing when its figure was read again: what the channel should say, and what to do about it."""

from dataclasses import dataclass
from datetime import datetime
from enum import Enum


class Message(Enum):
    """Where the newest message about the listing's stock stands."""

    NONE = "none"  # there is none, or it is settled
    WAITING = "waiting"
    UNDER_WAY = "under_way"  # somebody sends it now, or will try again


class Deed(Enum):
    """What to do with the outbox."""

    LEAVE = "leave"
    SEND = "send"
    WITHDRAW = "withdraw"


@dataclass(frozen=True)
class Known:
    """What is known of a listing: the figure due, since when the channel's was not right, what it accepted last."""

    due: int | None
    since: datetime | None
    accepted: int | None


@dataclass(frozen=True)
class Verdict:
    """The figure due, since when the channel has another one (None: it has this one), and the deed."""

    due: int | None
    since: datetime | None
    deed: Deed


def decide(
    known: Known, figure: int | None, message: Message, *, changed_at: datetime, is_repeated: bool = False
) -> Verdict:
    """Return what becomes of a listing whose figure is now ``figure`` (None: nobody knows).

    An unknown figure is never sent. While a message is under way nothing else is sent, so that the channel gets figures
    in their order; what is due then goes out when that one was accepted. ``is_repeated`` sends a figure that the
    channel has already.
    """
    if figure is None:
        return Verdict(None, None, Deed.WITHDRAW)
    if message == Message.UNDER_WAY:
        return Verdict(figure, known.since if figure == known.due else changed_at, Deed.LEAVE)
    if figure == known.accepted:
        return Verdict(figure, None, Deed.SEND if is_repeated else Deed.WITHDRAW)
    return Verdict(figure, known.since or changed_at, Deed.SEND)
