"""What goods, places, channels and amounts are called in a sentence."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Final
from zoneinfo import ZoneInfo

from audit.rules.sentences import Name, Sentence, Value, joined, say
from inventory.rules.geography import REGIONS
from promotions.rules.goods import Goods

SHOP_TIME: Final = ZoneInfo("Asia/Shanghai")
MOST_SHOWN: Final = 6
AREAS: Final = {
    "east": say("East China"),
    "south": say("South China"),
    "central": say("Central China"),
    "north": say("North China"),
    "northwest": say("Northwest China"),
    "southwest": say("Southwest China"),
    "northeast": say("Northeast China"),
    "abroad": say("places abroad"),
}
WEEKDAYS: Final = (
    say("Monday"), say("Tuesday"), say("Wednesday"), say("Thursday"), say("Friday"), say("Saturday"), say("Sunday"),
)  # fmt: skip


@dataclass(frozen=True)
class Names:
    """What codes are called; a code without a name stands for itself."""

    categories: Mapping[str, Value] = field(default_factory=dict)
    channels: Mapping[str, Value] = field(default_factory=dict)
    stores: Mapping[str, Value] = field(default_factory=dict)


NO_NAMES: Final = Names()


def money(amount: Decimal) -> str:
    """Return an amount without superfluous zeros: ``¥300``, ``¥99.50``."""
    return f"¥{amount:,.2f}".removesuffix(".00")


def figure(number: Decimal) -> str:
    """Return a number without superfluous zeros."""
    return f"{number.normalize():f}"


def percent_off(percent: Decimal) -> Name:
    """Return a discount as each language says it: 20 % off is 8折."""
    if percent == 100:
        return Name("0折", "no cost")
    return Name(f"{figure((100 - percent) / 10)}折", f"{figure(percent)}% off")


def moment(at: datetime) -> str:
    """Return a moment in the shop's time, to the minute."""
    return f"{at.astimezone(SHOP_TIME):%Y-%m-%d %H:%M}"


def region(code: str) -> Value:
    """Return what a province, a country or an area is called."""
    if code in AREAS:
        return AREAS[code]
    known = REGIONS.get(code)
    return Name(known.name, known.name_en) if known else code


def one_of(values: Sequence[Value]) -> Value:
    """Return several values of which one is enough."""
    return _listed(values, say("%(first)s or %(second)s"))


def all_of(values: Sequence[Value]) -> Value:
    """Return several values that go together."""
    return _listed(values, say("%(first)s and %(second)s"))


def in_a_row(values: Sequence[Value]) -> Value:
    """Return several values one after the other."""
    return _listed(values, say("%(first)s, %(second)s"))


def called(codes: Sequence[str], names: Mapping[str, Value] | Callable[[str], Value]) -> Value:
    """Return what these codes are called, of which one is enough."""
    find = names if callable(names) else lambda code: names.get(code, code)
    return one_of([find(code) for code in codes])


def goods(which: Goods, names: Names) -> Sentence:
    """Return what the goods are called: SKUs, categories, brands, without the excepted ones."""
    kinds: list[Value] = list(which.skus)
    kinds += [say("goods of category %(name)s", name=names.categories.get(code, code)) for code in which.categories]
    kinds += [say("goods of brand %(name)s", name=brand) for brand in which.brands]
    named = say("%(goods)s", goods=one_of(kinds)) if kinds else say("any goods")
    if not which.except_skus:
        return named
    return say("%(goods)s except %(others)s", goods=named, others=all_of(which.except_skus))


def _listed(values: Sequence[Value], by: Sentence) -> Value:
    """Join values; more than a reader can take in are counted."""
    if not values:
        return say("nothing")
    if len(values) <= MOST_SHOWN:
        return joined(values, by)
    rest = say("%(count)s more", count=len(values) - MOST_SHOWN + 1)
    return joined([*values[: MOST_SHOWN - 1], rest], by)
