"""Cutting one value out of a JSON text exactly as it was sent. Pure."""

import json
import re
from typing import Final

_SPACE: Final = re.compile(r"[ \t\r\n]*")
_DECODER: Final = json.JSONDecoder()


def cut(text: str, *path: str) -> str:
    """Return the text of the value that lies under ``path``; raises ``ValueError`` when it is not there."""
    place = _after_space(text, 0)
    for name in path:
        place = _value_of(text, place, name)
    return text[place : _DECODER.raw_decode(text, place)[1]]


def _value_of(text: str, place: int, wanted: str) -> int:
    """Return where the value of the member ``wanted`` begins in the object at ``place``."""
    _expect(text, place, "{")
    place = _after_space(text, place + 1)
    while True:
        name, place = _DECODER.raw_decode(text, place)
        place = _after_space(text, place)
        _expect(text, place, ":")
        place = _after_space(text, place + 1)
        if name == wanted:
            return place
        place = _after_space(text, _DECODER.raw_decode(text, place)[1])
        _expect(text, place, ",")
        place = _after_space(text, place + 1)


def _expect(text: str, place: int, sign: str) -> None:
    if text[place : place + 1] != sign:
        raise ValueError(f"{sign} expected at {place}")


def _after_space(text: str, place: int) -> int:
    found = _SPACE.match(text, place)
    return found.end() if found else place
