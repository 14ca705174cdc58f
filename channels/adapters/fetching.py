"""What the adapters share that pull: one order that is asked for, and one page of a list.

A refusal to hand out an order becomes that order's message, so that the others go on and nothing is lost.
"""

import re
from collections.abc import Callable
from decimal import Decimal
from typing import Any, Final

from channels.adapters import calls
from channels.adapters.signing import NotThis
from channels.adapters.walking import Page, Row
from channels.messages import RawMessage

_PRICE: Final = re.compile(r"[0-9]{1,8}(\.[0-9]{1,4})?")
UNLIKE: Final = (KeyError, TypeError, ValueError, AttributeError, ArithmeticError)  # what another shape ends in


def one(kind: str, number: str, ask: Callable[[], RawMessage]) -> RawMessage:
    """Return what ``ask`` fetches, or the refusal as the message of this number, for ``translate`` to refuse."""
    try:
        return ask()
    except NotThis as refused:
        return RawMessage(kind, number, 0, refused.answer.encode())


def read(platform: str, body: bytes, reader: Callable[[], Any]) -> Any:
    """Return what ``reader`` finds in an answer; raises ``RetryLater`` for one in another shape."""
    try:
        return reader()
    except UNLIKE as error:
        raise calls.not_understood(platform, body) from error


def page(platform: str, body: bytes, *, rows: Callable[[], Any], row: Callable[[Any], Row], total: Any) -> Page:
    """Return a page of a list of so many rows; raises ``RetryLater`` for an answer in another shape."""
    return Page(*read(platform, body, lambda: ([row(each) for each in rows() or []], int(total))))


def digits(rows: Any, name: str) -> list[str]:
    """Return the numbers that a list's objects have under ``name``, each once, as texts; anything else is left out."""
    told = [str(row.get(name)) for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []
    return list(dict.fromkeys(text for text in told if text.isascii() and text.isdigit()))


def units(told: Any) -> int | None:
    """Return how many units of a listing a platform shows, None for what is no whole number."""
    return told if type(told) is int else None


def price(told: Any) -> Decimal | None:
    """Return what a listing costs as a platform shows it, None for what is no amount."""
    text = str(told)
    return Decimal(text) if _PRICE.fullmatch(text) else None
