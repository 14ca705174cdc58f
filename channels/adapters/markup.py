"""XML without attributes as plain values and back. Pure.

An element with elements inside is a dict, any other its text; elements of one name side by side are a list. A document
with a DOCTYPE is refused before anything it declares could be expanded; attributes are not read.
"""

from collections.abc import Mapping
from typing import Any, Final, NoReturn
from xml.parsers import expat
from xml.sax.saxutils import escape

from channels.rules import texts

DEEPEST: Final = 20
DECLARATION: Final = '<?xml version="1.0" encoding="utf-8"?>'


class NotReadable(ValueError):
    """Bytes that are no XML, or XML that is not read."""


class _Tree:
    """Takes what the parser meets, and puts it together."""

    def __init__(self) -> None:
        self.parts: list[tuple[str, dict[str, Any], list[str]]] = [("", {}, [])]

    def start(self, name: str, attributes: dict[str, str]) -> None:
        if len(self.parts) > DEEPEST:
            raise NotReadable("elements lie too deep")
        self.parts.append((name, {}, []))

    def text(self, text: str) -> None:
        self.parts[-1][2].append(text)

    def end(self, name: str) -> None:
        _, inside, told = self.parts.pop()
        value: Any = inside or "".join(told).strip()
        siblings = self.parts[-1][1]
        if name not in siblings:
            siblings[name] = value
        elif isinstance(siblings[name], list):
            siblings[name].append(value)
        else:
            siblings[name] = [siblings[name], value]

    def refuse(self, *_: object) -> NoReturn:
        raise NotReadable("a DOCTYPE is not read")


def read(body: bytes) -> tuple[str, dict[str, Any]]:
    """Return the name of the outermost element and what is inside; raises ``NotReadable``."""
    tree, parser = _Tree(), expat.ParserCreate()
    parser.buffer_text = True
    parser.StartDoctypeDeclHandler = tree.refuse
    parser.StartElementHandler, parser.EndElementHandler = tree.start, tree.end
    parser.CharacterDataHandler = tree.text
    try:
        parser.Parse(body, True)
    except (expat.ExpatError, ValueError, LookupError) as error:
        raise NotReadable(str(error)) from error
    [(name, value)] = tree.parts[0][1].items()
    return name, value if isinstance(value, dict) else {}


def rows(value: Any, name: str) -> list[Any]:
    """Return the rows of ``<items><item>…</item></items>``, one, many or none; ``value`` is what ``items`` holds."""
    inside = value.get(name) if isinstance(value, Mapping) else None
    return inside if isinstance(inside, list) else [inside] if inside is not None else []


def write(name: str, value: Mapping[str, Any]) -> bytes:
    """Write a document; what is None or empty is left out."""
    return (DECLARATION + _element(name, value)).encode()


def _element(name: str, value: Any) -> str:
    if isinstance(value, list):
        return "".join(_element(name, each) for each in value)
    if isinstance(value, Mapping):
        inside = "".join(_element(inner, each) for inner, each in value.items() if each not in (None, "", {}))
    else:
        inside = escape(texts.fit(str(value)).replace("\ufffe", "").replace("\uffff", ""))
    return f"<{name}>{inside}</{name}>"
