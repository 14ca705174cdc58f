"""What a text may hold when it is kept: no control characters, no halves of characters (a database refuses them)."""

import re

# Tabs and line breaks stay. Halves of a surrogate pair come from JSON escapes such as "\ud800" and are no characters.
_UNFIT = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")


def is_fit(text: str) -> bool:
    """Return whether nothing has to be taken out of ``text``."""
    return text.isprintable() or _UNFIT.search(text) is None


def fit(text: str) -> str:
    """Return ``text`` without what cannot be kept; emoji and right-to-left text stay as they are."""
    return text if text.isprintable() else _UNFIT.sub("", text)


def shown(value: object, *, limit: int = 60) -> str:
    """Return any value as people may read it in a sentence: one line, short, nothing that cannot be kept."""
    text = fit(str(value)).replace("\n", " ").replace("\r", " ").strip()
    return text if len(text) <= limit else text[: limit - 1] + "…"
