"""The column that keeps a sentence and shows it in the reader's language."""

from typing import Any

from django.db import models
from django.utils.translation import gettext

from audit.rules.sentences import Sentence, StoredSentence


def render(stored: StoredSentence | dict[str, Any] | None) -> str:
    """Return a stored sentence in the active language; an empty string for none."""
    if not stored or not stored.get("text"):
        return ""
    text = gettext(stored["text"])
    return text % stored["values"] if stored.get("values") else text


class SentenceField(models.JSONField):
    """A JSON column that holds one sentence (``{"text": …, "values": {…}}``) or ``{}``."""

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("default", dict)
        kwargs.setdefault("blank", True)
        super().__init__(**kwargs)

    def get_prep_value(self, value: Any) -> Any:
        """Accept a Sentence as well as its stored form."""
        return super().get_prep_value(value.stored() if isinstance(value, Sentence) else value)

    def get_db_prep_value(self, value: Any, connection: Any, prepared: bool = False) -> Any:
        """Accept a Sentence as well as its stored form."""
        stored = value.stored() if isinstance(value, Sentence) else value
        return super().get_db_prep_value(stored, connection, prepared)
