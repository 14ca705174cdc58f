"""Sentences that are stored once and read in the reader's language.

A row keeps the English text with its values apart; the door that shows it translates the text and fills the values in.
``say("…")`` is a keyword of the message extraction, so each text reaches the translators.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import reduce
from typing import Any, TypedDict, Union


class StoredSentence(TypedDict):
    """How a sentence lies in a JSON column."""

    text: str
    values: dict[str, Any]


@dataclass(frozen=True)
class Name:
    """What something is called in both languages, where the names are data and no text of ours."""

    name: str
    name_en: str = ""

    def __str__(self) -> str:
        return self.name_en or self.name

    def stored(self) -> dict[str, Any]:
        """Return the form kept in a JSON column."""
        return {"name": self.name, "name_en": self.name_en}


@dataclass(frozen=True)
class Sentence:
    """One sentence for a person: English text with %(name)s places, and the values for them.

    A value may itself be a sentence, a name in both languages, or a list of such.
    """

    text: str
    values: dict[str, "Value"] = field(default_factory=dict)

    def __str__(self) -> str:
        return self.text % self.values if self.values else self.text

    def stored(self) -> StoredSentence:
        """Return the form kept in a JSON column."""
        return {"text": self.text, "values": {name: stored_value(value) for name, value in self.values.items()}}


@dataclass(frozen=True)
class Joined:
    """Several values as one; ``by`` is a sentence with the places ``first`` and ``second`` that joins two of them."""

    parts: tuple["Value", ...]
    by: str

    def __str__(self) -> str:
        return reduce(lambda first, second: self.by % {"first": first, "second": second}, map(str, self.parts))

    def stored(self) -> dict[str, Any]:
        """Return the form kept in a JSON column."""
        return {"by": self.by, "parts": [stored_value(part) for part in self.parts]}


Value = Union[str, int, Name, Sentence, Joined]  # noqa: UP007  # the names inside are not defined before this line


def say(text: str, **values: Value) -> Sentence:
    """Make a sentence; the text must be a literal so that it can be found for translation."""
    return Sentence(text, values)


def joined(parts: Sequence[Value], by: Sentence) -> Value:
    """Return several values as one: ``joined(parts, say("%(first)s and %(second)s"))``. At least one part."""
    return parts[0] if len(parts) == 1 else Joined(tuple(parts), by.text)


def stored_value(value: Value) -> Any:
    """Return the form in which a value lies in a JSON column."""
    return value.stored() if isinstance(value, (Name, Sentence, Joined)) else value
