"""Readers of one field each, shared by the adapters: the right type or an ``Untranslatable`` that names the field.

Money is read as ``Decimal`` from text or from a JSON number; a float never appears, because ``JSON`` reads numbers as
decimals. Texts are freed from control characters and cut to what is kept, both with a remark.
"""

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from types import MappingProxyType, NoneType
from typing import Any, Final, NoReturn, TypeVar

from audit.rules.sentences import Sentence, say
from channels.messages import Untranslatable
from channels.rules import texts

LARGEST_QUANTITY: Final = 100_000
LARGEST_AMOUNT: Final = Decimal(10_000_000)
MOST_DECIMALS: Final = 4
EARLIEST_YEAR: Final = 2000
LATEST_YEAR: Final = 2100
LONGEST_CODE: Final = 80

JSON: Final = json.JSONDecoder(parse_float=Decimal, parse_constant=Decimal)
_MONEY = re.compile(r"[+-]?[0-9]{1,20}(\.[0-9]{1,20})?")
_NUMBERS: Final = frozenset({int, Decimal})  # not bool, which is an int to Python
_NO_MONEY = Decimal(0)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND: Final = timedelta(milliseconds=1)
Meaning = TypeVar("Meaning")


def milliseconds(moment: datetime) -> int:
    """Return a time as whole epoch milliseconds: what a revision is made of where a platform counts none."""
    return (moment - _EPOCH) // _MILLISECOND


def decode(payload: bytes) -> dict[str, Any]:
    """Return the JSON object in ``payload``; raises ``Untranslatable`` malformed_json or not_an_object."""
    try:
        value = JSON.decode(payload.decode("utf-8-sig"))
    except (ValueError, ArithmeticError, RecursionError) as error:
        raise Untranslatable(
            "malformed_json", say("The message is not JSON: %(error)s.", error=texts.shown(error))
        ) from error
    if not isinstance(value, dict):
        raise Untranslatable(
            "not_an_object", say("The message is not a JSON object but %(value)s.", value=texts.shown(value))
        )
    return value


class Fields:
    """Reads the fields of one object.

    ``where`` names the object in sentences, e.g. ``lines[2].``; ``names`` says what the other side calls a field, when
    that differs from the house's name.
    """

    __slots__ = ("names", "remarks", "values", "where")

    def __init__(
        self,
        values: Mapping[str, Any],
        remarks: list[Sentence],
        where: str = "",
        names: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        self.values = values
        self.remarks = remarks
        self.where = where
        self.names = names

    def label(self, name: str) -> str:
        """Return what people call a field of this object."""
        return self.where + self.names.get(name, name)

    def code(self, name: str) -> str:
        """Return a text that identifies something: required, never mended, because a mended code is another code."""
        value = self.values.get(name)
        if value is None or value == "":
            self.missing(name)
        if not isinstance(value, str) or len(value) > LONGEST_CODE or not texts.is_fit(value) or not value.strip():
            self.bad_value(name, "bad_value")
        return value

    def ident(self, name: str) -> str:
        """Return a required number of something as text: platforms write the same one as a number or as a text."""
        value = self.values.get(name)
        return str(value) if type(value) is int else self.code(name)

    def meaning(self, name: str, table: Mapping[Any, Meaning]) -> Meaning:
        """Return what a platform's word means by its table; raises ``Untranslatable`` unknown_status, never guesses."""
        word = self.values.get(name)
        if isinstance(word, (str, int, NoneType)) and type(word) is not bool and word in table:
            return table[word]
        raise Untranslatable(
            "unknown_status",
            say("%(field)s is %(value)s, a word that is not known.", field=self.label(name), value=texts.shown(word)),
        )

    def objects(self, name: str) -> "list[Fields]":
        """Return the readers of a list of objects; absent means none."""
        values = self.values.get(name)
        if values is None:
            return []
        if not isinstance(values, list) or not all(isinstance(value, dict) for value in values):
            self.bad_value(name, "bad_value")
        label = self.label(name)
        return [Fields(value, self.remarks, f"{label}[{place}].") for place, value in enumerate(values)]

    def text(self, name: str, limit: int) -> str:
        """Return a text, empty when absent, without control characters and cut to ``limit``."""
        value = self.values.get(name)
        if not value and (value is None or value == ""):
            return ""
        if not isinstance(value, str):
            self.bad_value(name, "bad_value")
        if value.isprintable() and len(value) <= limit:
            return value
        return self._mended(name, value, limit)

    def _mended(self, name: str, value: str, limit: int) -> str:
        fit = texts.fit(value)
        if fit != value:
            self.remarks.append(say("Control characters were taken out of %(field)s.", field=self.label(name)))
        if len(fit) <= limit:
            return fit
        self.remarks.append(say("%(field)s was cut to %(limit)s characters.", field=self.label(name), limit=limit))
        return fit[:limit]

    def time(self, name: str) -> datetime:
        """Return a required time as aware UTC; raises ``Untranslatable`` bad_time for one without offset."""
        value = self.time_or_none(name)
        if value is None:
            self.missing(name)
        return value

    def time_or_none(self, name: str) -> datetime | None:
        """Return a time as aware UTC, or None when absent."""
        value = self.values.get(name)
        if value is None or value == "":
            return None
        if not isinstance(value, str):
            self.bad_value(name, "bad_time")
        try:
            moment = datetime.fromisoformat(value)
        except ValueError:
            self.bad_value(name, "bad_time")
        if moment.utcoffset() is None or not EARLIEST_YEAR <= moment.year <= LATEST_YEAR:
            self.bad_value(name, "bad_time")
        return moment.astimezone(UTC)

    def whole(self, name: str) -> int:
        """Return a required whole number of at least 0 that fits the database."""
        value = self.values.get(name)
        if value is None:
            self.missing(name)
        if type(value) is not int or not 0 <= value < 2**63:
            self.bad_value(name, "bad_value")
        return value

    def quantity(self, name: str) -> int:
        """Return a required quantity from 1 to 100,000."""
        value = self.values.get(name)
        if value is None:
            self.missing(name)
        if type(value) is not int or not 0 < value <= LARGEST_QUANTITY:
            self.bad_value(name, "bad_quantity")
        return value

    def money(self, name: str) -> Decimal:
        """Return a required amount from 0 to 10,000,000 with at most four decimals."""
        amount = self.money_or_none(name)
        if amount is None:
            self.missing(name)
        return amount

    def money_or_zero(self, name: str) -> Decimal:
        """Return an amount, 0 when absent."""
        amount = self.money_or_none(name)
        return _NO_MONEY if amount is None else amount

    def money_or_none(self, name: str) -> Decimal | None:
        """Return an amount, or None when absent."""
        value = self.values.get(name)
        if value is None or value == "":
            return None
        if not (_MONEY.fullmatch(value) if isinstance(value, str) else type(value) in _NUMBERS):
            self.bad_value(name, "bad_price")
        amount = Decimal(value)
        if not (amount.is_finite() and 0 <= amount <= LARGEST_AMOUNT and _decimals(amount) <= MOST_DECIMALS):
            self.bad_value(name, "bad_price")
        return amount

    def flag(self, name: str) -> bool:
        """Return a yes or no, no when absent."""
        value = self.values.get(name, False)
        if value is not True and value is not False:
            self.bad_value(name, "bad_value")
        return value

    def inner(self, name: str) -> "Fields | None":
        """Return the readers of an object inside this one, or None when absent."""
        value = self.values.get(name)
        if value is None:
            return None
        if not isinstance(value, dict):
            self.bad_value(name, "bad_value")
        return Fields(value, self.remarks, f"{self.label(name)}.")

    def missing(self, name: str) -> NoReturn:
        """Refuse the message because a field is not there."""
        raise Untranslatable("missing_field", say("%(field)s is missing.", field=self.label(name)))

    def bad_value(self, name: str, code: str) -> NoReturn:
        """Refuse the message because a field cannot be read, with the sentence that belongs to ``code``."""
        what = {"field": self.label(name), "value": texts.shown(self.values.get(name))}
        raise Untranslatable(code, _bad_value(code, what))


def _decimals(amount: Decimal) -> int:
    exponent = amount.as_tuple().exponent
    return -exponent if isinstance(exponent, int) else 0


def _bad_value(code: str, what: dict[str, str]) -> Sentence:
    if code == "bad_quantity":
        return say("%(field)s is %(value)s; a quantity is a whole number from 1 to 100000.", **what)
    if code == "bad_price":
        return say("%(field)s is %(value)s; an amount is from 0 to 10000000 with at most 4 decimals.", **what)
    if code == "bad_time":
        return say("%(field)s is %(value)s; a time is ISO 8601 with its offset, from 2000 to 2100.", **what)
    return say("%(field)s is %(value)s, which is not a value it can have.", **what)
