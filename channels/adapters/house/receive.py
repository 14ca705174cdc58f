"""A pushed body becomes raw messages: each keeps the bytes that were sent."""

import re
from collections.abc import Mapping
from typing import Any, Final

from audit.rules.sentences import say
from channels.adapters import fields
from channels.adapters.house import sign
from channels.adapters.protocol import Rejected
from channels.messages import RawMessage, Untranslatable
from channels.rules import arrivals

MOST_PARTS: Final = 500
KINDS: Final = frozenset({"order", "change"})
_SPACE = re.compile(r"[ \t\r\n]*")


def receive(headers: Mapping[str, str], body: bytes, credentials: Mapping[str, str]) -> list[RawMessage]:
    """Check the signature and return one raw message per object in ``body`` (one object, or a list of up to 500).

    What cannot be read is still returned, under the hash of its bytes, so that it is kept and refused with its reason.
    Raises ``NotAuthentic``, and ``Rejected`` for a list that is too long.
    """
    sign.verify(headers, body, credentials)
    try:
        text = body.decode("utf-8-sig")
        parts = _parts(text) if text.lstrip().startswith("[") else [(fields.JSON.decode(text), body)]
    except (ValueError, ArithmeticError, RecursionError):
        return [_unnamed(body)]
    if len(parts) > MOST_PARTS:
        raise Rejected(
            say(
                "A request carries at most %(most)s messages; this one has %(count)s.",
                most=MOST_PARTS,
                count=len(parts),
            )
        )
    return [_raw(value, payload) for value, payload in parts]


def _parts(text: str) -> list[tuple[Any, bytes]]:
    """Return each element of a JSON list with its own bytes; raises ValueError for a broken list."""
    parts: list[tuple[Any, bytes]] = []
    place = _after_space(text, text.index("[") + 1)
    if text[place : place + 1] == "]":
        return _ended(text, place, parts)
    while True:
        value, end = fields.JSON.raw_decode(text, place)
        parts.append((value, text[place:end].encode("utf-8")))
        place = _after_space(text, end)
        if text[place : place + 1] == "]":
            return _ended(text, place, parts)
        if text[place : place + 1] != ",":
            raise ValueError("the list is broken")
        place = _after_space(text, place + 1)


def _ended(text: str, place: int, parts: list[tuple[Any, bytes]]) -> list[tuple[Any, bytes]]:
    if _after_space(text, place + 1) != len(text):
        raise ValueError("there is more after the list")
    return parts


def _after_space(text: str, place: int) -> int:
    found = _SPACE.match(text, place)
    return found.end() if found else place


def _raw(value: object, payload: bytes) -> RawMessage:
    if not isinstance(value, dict):
        return _unnamed(payload)
    reader = fields.Fields(value, [])
    try:
        kind, external_id, revision = reader.code("type"), reader.code("external_id"), reader.whole("revision")
    except Untranslatable:
        return _unnamed(payload)
    return RawMessage(kind, external_id, revision, payload) if kind in KINDS else _unnamed(payload)


def _unnamed(payload: bytes) -> RawMessage:
    return RawMessage("order", arrivals.unnamed_id(payload), 0, payload)
