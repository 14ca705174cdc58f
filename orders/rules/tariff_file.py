"""A carrier's price list as a file: its columns, and what one row of it says. Plain Python."""

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Final

from audit.rules.sentences import Sentence, say
from inventory.rules.geography import REGIONS

ALIASES: Final[Mapping[str, tuple[str, ...]]] = {
    "carrier": ("carrier_code", "承运商", "快递"),
    "method": ("方式", "时效"),
    "from": ("from_region", "始发", "始发省"),
    "to": ("to_region", "目的", "目的省"),
    "first_g": ("首重", "首重克"),
    "first_price": ("首重价", "首重价格"),
    "step_g": ("续重", "续重克"),
    "step_price": ("续重价", "续重价格"),
    "hours_min": ("最快小时",),
    "hours_max": ("最慢小时",),
    "valid_from": ("生效", "生效日期"),
}
METHODS: Final = ("standard", "express", "pickup")
MOST_ROWS: Final = 20_000
_BY_NAME: Final = {region.name: code for code, region in REGIONS.items()} | {
    region.name_en.casefold(): code for code, region in REGIONS.items()
}


@dataclass(frozen=True)
class Tariff:
    """One row: a step price on one lane; an empty region is everywhere."""

    carrier_code: str
    method: str
    from_region: str
    to_region: str
    first_g: int
    first_price: Decimal
    step_g: int
    step_price: Decimal
    hours_min: int
    hours_max: int
    valid_from: date


@dataclass(frozen=True)
class Wrong:
    """What is wrong with a row; the first row under the head is number 2."""

    row_number: int
    why: Sentence


class Unreadable(Exception):
    """A file of which nothing can be read."""

    def __init__(self, why: Sentence) -> None:
        super().__init__(str(why))
        self.why = why


def read(content: bytes) -> tuple[list[Tariff], list[Wrong]]:
    """Return the rows that can stand and what is wrong with the others. Raises ``Unreadable``."""
    lines = list(csv.reader(io.StringIO(_text(content))))
    if not lines:
        raise Unreadable(say("The file is empty."))
    places = _places(lines[0])
    missing = sorted(set(ALIASES) - set(places) - {"method", "from", "to"})
    if missing:
        raise Unreadable(say("The file lacks these columns: %(names)s.", names=", ".join(missing)))
    if len(lines) - 1 > MOST_ROWS:
        raise Unreadable(say("The file has more than %(most)s rows. Split it.", most=MOST_ROWS))
    good: list[Tariff] = []
    wrong: list[Wrong] = []
    seen: set[tuple[object, ...]] = set()
    for number, cells in enumerate(lines[1:], start=2):
        if not any(cell.strip() for cell in cells):
            continue
        told = {name: cells[place].strip() if place < len(cells) else "" for name, place in places.items()}
        found = _tariff(told)
        if isinstance(found, Sentence):
            wrong.append(Wrong(number, found))
            continue
        key = (found.carrier_code, found.method, found.from_region, found.to_region, found.valid_from)
        if key in seen:
            wrong.append(Wrong(number, say("An earlier row is for the same lane from the same day.")))
            continue
        seen.add(key)
        good.append(found)
    return good, wrong


def _text(content: bytes) -> str:
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise Unreadable(say("The file is neither UTF-8 nor GB 18030."))


def _places(head: Sequence[str]) -> dict[str, int]:
    words = {alias: name for name, aliases in ALIASES.items() for alias in (name, *aliases)}
    found = {}
    for place, cell in enumerate(head):
        name = words.get(cell.strip().casefold().replace(" ", "_"))
        if name and name not in found:
            found[name] = place
    return found


def _tariff(told: Mapping[str, str]) -> Tariff | Sentence:
    """Return a row as a tariff, or what is wrong with it."""
    regions = [_region(told.get(name, "")) for name in ("from", "to")]
    if None in regions:
        return say("No region is called %(name)s.", name=told["from"] if regions[0] is None else told["to"])
    method = told.get("method", "") or "standard"
    if method not in METHODS:
        return say("The method is none of %(names)s.", names=", ".join(METHODS))
    if not told["carrier"] or len(told["carrier"]) > 20:
        return say("The carrier is missing or longer than 20 characters.")
    try:
        row = Tariff(
            told["carrier"], method, regions[0] or "", regions[1] or "", int(told["first_g"]),
            Decimal(told["first_price"]), int(told["step_g"]), Decimal(told["step_price"]),
            int(told["hours_min"]), int(told["hours_max"]), date.fromisoformat(told["valid_from"]),
        )  # fmt: skip
    except (ValueError, InvalidOperation):
        return say("A number or the date cannot be read; dates are like 2026-12-31.")
    return _complaint(row) or row


def _complaint(row: Tariff) -> Sentence | None:
    prices = (row.first_price, row.step_price)
    if not all(price.is_finite() and 0 <= price < 1_000_000 for price in prices):
        return say("A price is negative or too large.")
    if not (0 < row.first_g <= 1_000_000 and 0 < row.step_g <= 1_000_000):
        return say("A weight must be between 1 and 1,000,000 grams.")
    if not 0 <= row.hours_min <= row.hours_max <= 9_999:
        return say("The hours at most must not be fewer than those at best.")
    return None


def _region(word: str) -> str | None:
    """Return a region's code: of a code, a Chinese or an English name; empty and * are everywhere, None is unknown."""
    if word in ("", "*"):
        return ""
    if word in REGIONS:
        return word
    short = word.removesuffix("省").removesuffix("市")
    return _BY_NAME.get(short) or _BY_NAME.get(word.casefold())
