"""The column that keeps a sentence and shows it in the reader's language."""

from functools import reduce
from typing import Any

from django.db import models
from django.utils.translation import get_language, gettext

from audit.rules.sentences import Sentence, StoredSentence


def render(stored: StoredSentence | dict[str, Any] | None) -> str:
    """Return a stored sentence in the active language; an empty string for none."""
    if not stored or not stored.get("text"):
        return ""
    text = gettext(stored["text"])
    values = stored.get("values")
    return text % {name: _rendered(value) for name, value in values.items()} if values else text


def _rendered(value: Any) -> Any:
    """Return one value of a sentence: plain ones as they are, sentences, names and lists in the active language."""
    if not isinstance(value, dict):
        return value
    if "parts" in value:
        by = gettext(value["by"])
        parts = (str(_rendered(part)) for part in value["parts"])
        return reduce(lambda first, second: by % {"first": first, "second": second}, parts)
    if "name" in value:
        is_english = (get_language() or "en").startswith("en")
        return (value["name_en"] if is_english else "") or value["name"]
    return render(value)


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
