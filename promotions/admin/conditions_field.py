"""The conditions of a promotion as groups of rows: all of a group, any of it, or none of it must be true.

A group may lie inside another one: it then counts there as one more row. Groups come in the order of a book's chapters,
each after the one it lies in.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import time
from decimal import Decimal
from typing import Any, Final

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from promotions.admin.rows_field import amount, goods_of, goods_words, units, words
from promotions.rules import conditions as c
from promotions.rules.conditions import Condition

MOST_GROUPS: Final = 12
MOST_DEEP: Final = 4  # groups within each other
MOST_ROWS: Final = 12
COLUMNS: Final = ("what", "least", "most", "words")
MODES: Final = (
    ("all", _("All of these are true")), ("any", _("Any of these is true")), ("not", _("None of these is true")),
)  # fmt: skip
# what → how people call it, which values it has (least, most, words), and where its words come from
KINDS: Final[dict[str, tuple[Any, str, str]]] = {
    "amount": (_("Amount of the goods"), "least most words", "goods"),
    "quantity": (_("Units of the goods"), "least most words", "goods"),
    "ships_to": (_("Shipped to"), "words", "regions"),
    "on_channel": (_("Bought on the channel"), "words", "channels"),
    "at_store": (_("Bought in the store"), "words", "stores"),
    "member": (_("Member of the tier"), "words", "tiers"),
    "segment": (_("Buyer belongs to the group"), "words", "segments"),
    "orders_before": (_("Orders before"), "least most", ""),
    "pays_by": (_("Paid by"), "words", "payments"),
    "on_weekdays": (_("On weekdays"), "words", "weekdays"),
    "in_hours": (_("Between the hours"), "least most", ""),
}
Row = dict[str, str]
Group = dict[str, Any]  # mode, rows, and inside: the place of the group it lies in, or nothing


class ConditionsWidget(forms.Widget):
    """Groups of rows, each row one condition."""

    template_name = "admin/promotions/conditions.html"

    def get_context(self, name: str, value: Any, attrs: Any) -> dict[str, Any]:
        """Add the groups with what was typed, and a row to fill in each."""
        groups = value or [{"mode": "all", "rows": [], "inside": ""}]
        depths = _depths(groups)
        return {
            "name": name, "modes": MODES, "kinds": KINDS, "most_groups": MOST_GROUPS, "most_rows": MOST_ROWS,
            "most_deep": MOST_DEEP,
            "groups": [group | {"rows": group["rows"] or [{}], "depth": depth, "inside": group.get("inside", "")}
                       for group, depth in zip(groups, depths, strict=True)],
        }  # fmt: skip

    def value_from_datadict(self, data: Mapping[str, Any], files: Any, name: str) -> list[dict[str, Any]]:
        """Return the groups that came, with the rows of which a kind was chosen."""
        groups = []
        for place in range(MOST_GROUPS):
            mode = data.get(f"{name}-{place}-mode")
            if mode is None:
                continue
            rows = [
                {column: str(data.get(f"{name}-{place}-{row}-{column}", "")).strip() for column in COLUMNS}
                for row in range(MOST_ROWS)
            ]
            inside = str(data.get(f"{name}-{place}-inside", "")).strip()
            groups.append({"mode": mode, "rows": [row for row in rows if row["what"]], "inside": inside})
        return groups


class ConditionsField(forms.Field):
    """Groups of conditions; all groups must be true."""

    widget = ConditionsWidget

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(required=False, **kwargs)

    def prepare_value(self, value: Any) -> Any:
        """Show a rule's condition as well as what was typed."""
        return value if isinstance(value, list) or value is None else groups_of(value)

    def clean(self, value: Any) -> Condition:
        """Return the condition. An empty group says nothing when it is the only one, and is refused beside others."""
        groups = list(value or ())
        _refuse_wrong_order(groups)
        made = [_group(groups, place) for place, group in enumerate(groups) if not group["inside"]]
        if len(made) == 1 and made[0] == c.ALWAYS:
            return c.ALWAYS
        flat = [part for group in made for part in (group.of if isinstance(group, c.All) and group.of else (group,))]
        return c.All(tuple(flat))


def can_show(condition: Condition) -> bool:
    """Return whether the groups of the page can hold a condition: so many, so deep, with so many rows."""
    groups = groups_of(condition)
    return (
        len(groups) <= MOST_GROUPS
        and max(_depths(groups), default=0) < MOST_DEEP
        and all(len(group["rows"]) <= MOST_ROWS for group in groups)
    )


def groups_of(condition: Condition) -> list[Group]:
    """Return a condition as groups of rows, each group after the one it lies in."""
    parts = condition.of if isinstance(condition, c.All) else (condition,)
    plain = [_row(part) for part in parts if _is_row(part)]
    inner = [part for part in parts if isinstance(part, c.All)]
    groups: list[Group] = []
    if plain or inner or not parts:
        groups.append({"mode": "all", "rows": plain, "inside": ""})
    for group in inner:  # a group of its own, or it would melt into the rows around it
        _add_group(groups, group, inside="0")
    for part in parts:
        if isinstance(part, c.Any | c.Not):
            _add_group(groups, part, inside="")
    return groups


def _add_group(groups: list[Group], part: Condition, *, inside: str) -> None:
    """Add a group, then the groups within it."""
    mode, held = _held(part)
    place = str(len(groups))
    groups.append({"mode": mode, "rows": [_row(one) for one in held if _is_row(one)], "inside": inside})
    for one in held:
        if not _is_row(one):
            _add_group(groups, one, inside=place)


def _held(part: Condition) -> tuple[str, tuple[Condition, ...]]:
    """Return how a group goes together and what it holds; “none of” holds what must not be true."""
    if isinstance(part, c.Not):
        return "not", part.of.of if isinstance(part.of, c.Any) else (part.of,)
    return ("any" if isinstance(part, c.Any) else "all"), part.of if isinstance(part, c.All | c.Any) else (part,)


def _is_row(part: Condition) -> bool:
    return not isinstance(part, c.All | c.Any | c.Not)


def _depths(groups: Sequence[Group]) -> list[int]:
    """Return how deep each group lies."""
    depths: list[int] = []
    for place, group in enumerate(groups):
        inside = _place(group.get("inside", ""), before=place)
        depths.append(0 if inside is None else depths[inside] + 1)
    return depths


def _place(text: str, *, before: int) -> int | None:
    """Return the place of an earlier group out of what a form says; nothing for none or another one."""
    is_number = text.isascii() and text.isdecimal() and len(text) < 3
    return int(text) if is_number and int(text) < before else None


def _refuse_wrong_order(groups: Sequence[Group]) -> None:
    for place, group in enumerate(groups):
        if group["inside"] and _place(group["inside"], before=place) is None:
            raise ValidationError(gettext("A group lies inside one that stands before it."))
    if max(_depths(groups), default=0) >= MOST_DEEP:
        raise ValidationError(gettext("At most %(most)s groups lie within each other.") % {"most": MOST_DEEP})


def _group(groups: Sequence[Group], place: int) -> Condition:
    """Return a group with all that lies in it: its rows, then the groups within."""
    rows = [_condition(row) for row in groups[place]["rows"]]
    within = [_group(groups, other) for other, group in enumerate(groups) if group["inside"] == str(place)]
    parts = (*rows, *within)
    if groups[place]["mode"] == "any":
        return c.Any(parts)
    if groups[place]["mode"] == "not":
        return c.Not(parts[0] if len(parts) == 1 else c.Any(parts))
    return c.All(parts)


def _condition(row: Row) -> Condition:
    maker = _MAKERS.get(row["what"])
    if maker is None:
        raise ValidationError(gettext("This kind of condition is not known."))
    return maker(row)


def _amount(row: Row) -> Condition:
    below = amount(row["most"]) if row["most"] else None
    return c.Amount(amount(row["least"] or "0"), below, goods_of(words(row["words"])))


def _quantity(row: Row) -> Condition:
    most = units(row["most"]) if row["most"] else None
    return c.Quantity(units(row["least"] or "0"), most, goods_of(words(row["words"])))


def _orders_before(row: Row) -> Condition:
    return c.OrdersBefore(units(row["least"] or "0"), units(row["most"]) if row["most"] else None)


def _on_weekdays(row: Row) -> Condition:
    return c.OnWeekdays(tuple(units(word) for word in words(row["words"])))


def _in_hours(row: Row) -> Condition:
    return c.InHours(_hour(row["least"]), _hour(row["most"]))


def _hour(text: str) -> time:
    try:
        return time.fromisoformat(text.replace("：", ":").zfill(5))
    except ValueError as trouble:
        raise ValidationError(gettext("“%(text)s” is no time of day: write 20:00.") % {"text": text}) from trouble


_MAKERS: Final[dict[str, Callable[[Row], Condition]]] = {
    "amount": _amount,
    "quantity": _quantity,
    "ships_to": lambda row: c.ShipsTo(words(row["words"])),
    "on_channel": lambda row: c.OnChannel(words(row["words"])),
    "at_store": lambda row: c.AtStore(words(row["words"])),
    "member": lambda row: c.Member(words(row["words"])),
    "segment": lambda row: c.Segment(words(row["words"])),
    "orders_before": _orders_before,
    "pays_by": lambda row: c.PaysBy(words(row["words"])),
    "on_weekdays": _on_weekdays,
    "in_hours": _in_hours,
}
_WORDS: Final = {
    c.ShipsTo: ("ships_to", "regions"), c.OnChannel: ("on_channel", "channels"), c.AtStore: ("at_store", "stores"),
    c.Member: ("member", "tiers"), c.Segment: ("segment", "segments"), c.PaysBy: ("pays_by", "methods"),
    c.OnWeekdays: ("on_weekdays", "days"),
}  # fmt: skip


def _row(part: Condition) -> Row:
    """Return one condition as it is typed."""
    if isinstance(part, c.Amount):
        return _ranged("amount", part.at_least, part.below) | {"words": ", ".join(goods_words(part.goods))}
    if isinstance(part, c.Quantity):
        return _ranged("quantity", part.at_least, part.at_most) | {"words": ", ".join(goods_words(part.goods))}
    if isinstance(part, c.OrdersBefore):
        return _ranged("orders_before", part.at_least, part.at_most)
    if isinstance(part, c.InHours):
        return {"what": "in_hours", "least": f"{part.starts:%H:%M}", "most": f"{part.ends:%H:%M}", "words": ""}
    what, name = _WORDS[type(part)]
    return {"what": what, "least": "", "most": "", "words": ", ".join(map(str, getattr(part, name)))}


def _ranged(what: str, least: Decimal | int, most: Decimal | int | None) -> Row:
    return {"what": what, "least": _figure(least), "most": "" if most is None else _figure(most), "words": ""}


def _figure(value: Decimal | int) -> str:
    return f"{value.normalize():f}" if isinstance(value, Decimal) else str(value)
