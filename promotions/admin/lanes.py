"""The drawing of the lanes: what is live beside a draft, lane by lane, and which rules exclude each other."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final

from django.utils.translation import gettext_lazy as _

from promotions.rules.rule import LANES, Lane, PublishedRule

TITLES: Final = {
    Lane.PRICE: _("Member prices"),
    Lane.ITEM: _("Single goods"),
    Lane.ORDER: _("Whole order"),
    Lane.COUPON: _("Coupons"),
    Lane.DEPOSIT: _("Deposits"),
    Lane.SHIPPING: _("Shipping"),
    Lane.GIFT: _("Gifts"),
    Lane.LIMIT: _("Purchase limits"),
}
WIDTH, GAP, CHIP, TOP = 132, 8, 30, 34
MOST_SHOWN: Final = 8
LONGEST: Final = 15


@dataclass(frozen=True)
class Chip:
    """One rule of the drawing."""

    x: int
    y: int
    text: str
    title: str
    is_draft: bool
    is_alone: bool


def drawing(draft: PublishedRule, live: Sequence[PublishedRule]) -> dict[str, Any]:
    """Return where everything stands: columns, chips, and the lines between rules that exclude each other."""
    rules = [rule for rule in live if rule.code != draft.code]
    columns, chips, lines, tallest = [], [], [], 1
    for place, lane in enumerate(LANES):
        x = place * (WIDTH + GAP)
        here = [rule for rule in rules if rule.rule.lane is lane]
        shown = sorted(here, key=_rank)[: MOST_SHOWN - 1]
        if draft.rule.lane is lane:
            shown = sorted([draft, *shown], key=_rank)
        more = len(here) - len([rule for rule in shown if rule is not draft])
        chips += [_chip(rule, x, row, draft) for row, rule in enumerate(shown)]
        lines += _lines(shown, x)
        is_here = draft.rule.lane is lane
        columns.append({"x": x, "middle": x + WIDTH // 2, "title": TITLES[lane], "is_here": is_here, "more": more})
        tallest = max(tallest, len(shown) + bool(more))
    return {
        "width": len(LANES) * (WIDTH + GAP) - GAP, "height": TOP + tallest * (CHIP + GAP) + GAP,
        "columns": columns, "chips": chips, "lines": lines, "chip_width": WIDTH - 16, "chip_height": CHIP,
    }  # fmt: skip


def _rank(rule: PublishedRule) -> tuple[int, str]:
    return -rule.rule.priority, rule.code


def _chip(rule: PublishedRule, x: int, row: int, draft: PublishedRule) -> Chip:
    text = rule.code if len(rule.code) <= LONGEST else f"{rule.code[: LONGEST - 1]}…"
    return Chip(x + 8, TOP + row * (CHIP + GAP), text, rule.code, rule is draft, rule.rule.is_exclusive)


def _lines(shown: Sequence[PublishedRule], x: int) -> list[dict[str, int]]:
    """Join rules of one group, and a rule that stands alone with all others of its lane, at the column's edge."""
    found = []
    groups = {rule.rule.group for rule in shown if rule.rule.group}
    for place, group in enumerate(sorted(groups)):
        rows = [row for row, rule in enumerate(shown) if rule.rule.group == group]
        found += [_line(x + 4 - place * 2, low, high) for low, high in pairwise(rows)]
    if any(rule.rule.is_exclusive for rule in shown):
        found += [_line(x + WIDTH - 4, low, high) for low, high in pairwise(range(len(shown)))]
    return found


def _line(x: int, low: int, high: int) -> dict[str, int]:
    middle = TOP + CHIP // 2
    return {"x": x, "y1": middle + low * (CHIP + GAP), "y2": middle + high * (CHIP + GAP)}
