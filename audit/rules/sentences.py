"""Sentences that are stored once and read in the reader's language.

A row keeps the English text with its values apart; the door that shows it translates the text and fills the values in.
``say("…")`` is a keyword of the message extraction, so each text reaches the translators.
"""

from dataclasses import dataclass, field
from typing import TypedDict


class StoredSentence(TypedDict):
    """How a sentence lies in a JSON column."""

    text: str
    values: dict[str, str | int]


@dataclass(frozen=True)
class Sentence:
    """One sentence for a person: English text with %(name)s places, and the values for them."""

    text: str
    values: dict[str, str | int] = field(default_factory=dict)

    def __str__(self) -> str:
        return self.text % self.values if self.values else self.text

    def stored(self) -> StoredSentence:
        """Return the form kept in a JSON column."""
        return {"text": self.text, "values": self.values}


def say(text: str, **values: str | int) -> Sentence:
    """Make a sentence; the text must be a literal so that it can be found for translation."""
    return Sentence(text, values)
