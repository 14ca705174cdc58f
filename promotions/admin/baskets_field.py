"""Baskets typed in a few words, to try a promotion on: ``CUP*2, LID | 31 | POS | gold``."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from django.utils.translation import gettext

from audit.admin import columns
from promotions.queries import shop
from promotions.rules.baskets import Basket, BasketLine, Outcome, Quote
from promotions.rules.engine import quote
from promotions.rules.matching import RuleSet, compile_rules
from promotions.rules.naming import money
from promotions.rules.rule import PublishedRule

MOST_BASKETS: Final = 10
MOST_LINES: Final = 20
MOST_UNITS: Final = 9_999
Known = Mapping[str, tuple[int, Decimal, str, str]]


def tried(text: str, draft: PublishedRule, live: Sequence[PublishedRule], *, at: datetime) -> list[dict[str, Any]]:
    """Return what each typed basket costs with the draft and all that is live, and what the draft did to it."""
    typed = [line.strip() for line in text.splitlines() if line.strip()][:MOST_BASKETS]
    known = shop.prices(code for line in typed for code, _units in _wanted(line))
    others = [rule for rule in live if rule.code != draft.code]
    with_it, without = compile_rules([*others, draft]), compile_rules(others)
    moment = max(at, draft.rule.starts_at) if draft.rule.starts_at else at
    return [_tried(line, known, (with_it, without), draft, moment) for line in typed]


def _tried(
    line: str, known: Known, rules: tuple[RuleSet, RuleSet], draft: PublishedRule, at: datetime
) -> dict[str, Any]:  # fmt: skip
    unknown = [code for code, _units in _wanted(line) if code not in known]
    if unknown or not _wanted(line):
        why = gettext("Not known: %(codes)s") % {"codes": ", ".join(unknown) or line}
        return {"basket": line, "before": "", "after": "", "gifts": "", "why": why, "applied": False}
    basket = _basket(line, known, at)
    after, before = (quote(basket, one, at=at) for one in rules)
    verdict = next(verdict for verdict in after.verdicts if verdict.code == draft.code)
    return {
        "basket": line, "before": money(before.total), "after": money(after.total),
        "gifts": _gifts(after), "why": columns.sentence(verdict.why.stored()),
        "applied": verdict.outcome is Outcome.APPLIED,
    }  # fmt: skip


def _gifts(made: Quote) -> str:
    return ", ".join(f"{gift.quantity} × {gift.sku}" for gift in made.gifts)


def _wanted(line: str) -> list[tuple[str, int]]:
    found = []
    for word in line.split("|")[0].replace("，", ",").split(",")[:MOST_LINES]:
        code, _star, units = word.strip().replace("×", "*").partition("*")
        count = int(units) if units.strip().isdecimal() and len(units.strip()) < 5 else 1
        if code.strip():
            found.append((code.strip(), min(max(count, 1), MOST_UNITS)))
    return found


def _basket(line: str, known: Known, at: datetime) -> Basket:
    facts = [part.strip() for part in [*line.split("|")[1:], "", "", ""]][:3]
    lines = [
        BasketLine(
            number, known[code][0], units, known[code][1], sku=code, category=known[code][2], brand=known[code][3]
        )
        for number, (code, units) in enumerate(_wanted(line), start=1)
    ]
    return Basket("TRY", facts[1], "CNY", tuple(lines), region=facts[0], tier=facts[2], placed_at=at)
