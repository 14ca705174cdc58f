"""Readers of TOP's own ways to write a value, on top of the readers that all adapters share. Pure.

Numbers come as JSON numbers or as text, times as GMT+8 text without an offset.
"""

import re
from datetime import UTC, datetime
from typing import Any, Final

from channels.adapters import fields
from channels.adapters.renaming import GMT8

_DIGITS: Final = re.compile(r"[0-9]{1,19}")
_TIME: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2}")


class TopFields(fields.Fields):
    """Reads the fields of one TOP object."""

    __slots__ = ()

    def number_text(self, *names: str) -> str:
        """Return the first id that is there (a number or its digits) as text; it is required."""
        for name in names:
            value = self.values.get(name)
            if value is None or value == "":
                continue
            if isinstance(value, bool) or not _DIGITS.fullmatch(str(value)):
                self.bad_value(name, "bad_value")
            return str(value)
        return self.missing(names[0])

    def first_code(self, *names: str) -> str:
        """Return the first code that is there; a number counts as its digits. One of them is required."""
        for name in names:
            value = self.values.get(name)
            if value is None or value == "":
                continue
            return self.number_text(name) if isinstance(value, int) else self.code(name)
        return self.missing(names[0])

    def quantity(self, name: str) -> int:
        """Return a required quantity from 1 to 100,000, written as a number or as digits."""
        value = self.values.get(name)
        if value is None or value == "":
            self.missing(name)
        quantity = int(value) if isinstance(value, str) and _DIGITS.fullmatch(value) else value
        if type(quantity) is not int or not 0 < quantity <= fields.LARGEST_QUANTITY:
            self.bad_value(name, "bad_quantity")
        return quantity

    def time_or_none(self, name: str) -> datetime | None:
        """Return a GMT+8 time as aware UTC, or None when absent; raises ``Untranslatable`` bad_time."""
        value = self.values.get(name)
        if value is None or value == "":
            return None
        moment = read_time(value)
        if moment is None or not fields.EARLIEST_YEAR <= moment.year <= fields.LATEST_YEAR:
            self.bad_value(name, "bad_time")
        return moment

    def rows(self, name: str, inner: str) -> list[Any]:
        """Return the rows of ``{"orders": {"order": […]}}``, or of ``{"orders": […]}``; absent means none."""
        value = self.values.get(name)
        if isinstance(value, dict):
            value = value.get(inner)
        if value is None:
            return []
        if not isinstance(value, list):
            self.bad_value(name, "bad_value")
        return value


def read_time(value: object) -> datetime | None:
    """Return ``2026-11-23 09:00:00`` as aware UTC, or None when it is not such a time."""
    if not isinstance(value, str) or not _TIME.fullmatch(value):
        return None
    try:
        return datetime.fromisoformat(value).replace(tzinfo=GMT8).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
