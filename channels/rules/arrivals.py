"""What is kept of a page of raw messages: each once, and nothing that the inbox could not hold."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date
from hashlib import sha256
from typing import Final

from audit.rules.sentences import Sentence, say
from channels.messages import RawMessage
from channels.rules import texts

LARGEST_PAYLOAD: Final = 10 * 1024 * 1024
KEPT_HEAD: Final = 64 * 1024
LONGEST_EXTERNAL_ID: Final = 80
LARGEST_REVISION: Final = 2**63 - 1
TOO_LARGE: Final = "too_large"
BAD_NUMBER: Final = "bad_number"


@dataclass(frozen=True)
class Arrival:
    """One row for the inbox; with a reason it is rejected at the door."""

    kind: str
    external_id: str
    revision: int
    payload: bytes
    times: int = 1
    code: str = ""
    reason: Sentence | None = None


def fold(raws: Iterable[RawMessage]) -> list[Arrival]:
    """Return one arrival per message in the order of first arrival; the later copy of a doubled message counts."""
    folded: dict[tuple[str, str, int], Arrival] = {}
    for raw in raws:
        row = _arrival(raw)
        key = (row.kind, row.external_id, row.revision)
        seen = folded.get(key)
        folded[key] = replace(row, times=seen.times + 1) if seen else row
    return list(folded.values())


def too_large(head: bytes, *, size: int, day: date) -> Arrival:
    """Return the one arrival that stands for all requests of a day that were too large to be read."""
    return Arrival("order", f"too-large:{day.isoformat()}", 0, head[:KEPT_HEAD], 1, TOO_LARGE, _too_large(size))


def unnamed_id(payload: bytes) -> str:
    """Return the number under which a message is kept that does not say its own."""
    return f"sha256:{sha256(payload).hexdigest()}"


def _arrival(raw: RawMessage) -> Arrival:
    if not _has_number(raw):
        reason = say(
            "The message's number %(number)s or revision %(revision)s cannot be kept.",
            number=texts.shown(raw.external_id),
            revision=texts.shown(raw.revision),
        )
        return Arrival(raw.kind, unnamed_id(raw.payload), 0, raw.payload[:LARGEST_PAYLOAD], 1, BAD_NUMBER, reason)
    if len(raw.payload) > LARGEST_PAYLOAD:
        head, reason = raw.payload[:KEPT_HEAD], _too_large(len(raw.payload))
        return Arrival(raw.kind, raw.external_id, raw.revision, head, 1, TOO_LARGE, reason)
    return Arrival(raw.kind, raw.external_id, raw.revision, raw.payload)


def _has_number(raw: RawMessage) -> bool:
    number_fits = 0 < len(raw.external_id) <= LONGEST_EXTERNAL_ID and texts.is_fit(raw.external_id)
    return number_fits and 0 <= raw.revision <= LARGEST_REVISION


def _too_large(size: int) -> Sentence:
    return say(
        "The message has %(size)s bytes; at most %(largest)s are read. Its first %(kept)s bytes are kept.",
        size=size,
        largest=LARGEST_PAYLOAD,
        kept=KEPT_HEAD,
    )
