"""Reading a page as a person does: its words without markup, scripts, data and names."""

import re
from html.parser import HTMLParser

SILENT = {"script", "style", "template", "pre", "code", "title"}
SPOKEN = ("placeholder", "title", "aria-label", "alt")
SYMBOLS = "material-symbols-outlined"


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.words: list[str] = []
        self._silent: list[str] = []

    def handle_starttag(self, tag: str, attrs) -> None:
        told = dict(attrs)
        self.words += [told[name] for name in SPOKEN if told.get(name)]
        if tag == "input" and told.get("type") in ("submit", "button"):
            self.words.append(told.get("value") or "")
        if self._silent:
            if tag == self._silent[-1]:
                self._silent.append(tag)
        elif tag in SILENT or SYMBOLS in (told.get("class") or ""):
            self._silent.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if self._silent and tag == self._silent[-1]:
            self._silent.pop()

    def handle_data(self, data: str) -> None:
        if not self._silent and data.strip():
            self.words.append(" ".join(data.split()))


def words_of(html: str) -> list[str]:
    """Return what a page says, piece by piece, hints included."""
    reader = _Reader()
    reader.feed(html)
    return reader.words


def english_left(html: str, allowed: set[str]) -> list[str]:
    """Return the pieces of a Chinese page with an English word that is not allowed."""
    found = []
    for piece in words_of(html):
        words = re.findall(r"[A-Za-z][A-Za-z']+", re.sub(r"\S*[@/_.*]\S*|\S*\d\S*", " ", piece))
        if any(word.strip("'") not in allowed for word in words):
            found.append(piece)
    return found


def chinese_left(html: str, allowed: set[str]) -> list[str]:
    """Return the pieces of an English page with Chinese characters."""
    return [piece for piece in words_of(html) if re.search(r"[一-鿿]", piece) and piece not in allowed]
