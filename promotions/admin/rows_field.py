"""Form fields for what a rule holds several of: rows of typed values, goods, and words out of a list."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from audit.admin.verbs import Words
from promotions.rules.goods import Goods

MOST_ROWS: Final = 30
SPARE_ROWS: Final = 2
LONGEST: Final = 8_000
MOST_UNITS: Final = 1_000_000
MOST_MONEY: Final = Decimal(10) ** 10
PREFIXES: Final = {"category": "categories", "brand": "brands", "except": "except_skus"}


@dataclass(frozen=True)
class Column:
    """One value of a row: how the rule calls it, how people call it, what it is (money, units, sku)."""

    name: str
    title: Words
    kind: str


class RowsWidget(forms.Widget):
    """A small table of inputs."""

    template_name = "admin/promotions/rows.html"

    def __init__(self, columns: Sequence[Column]) -> None:
        self.columns = columns
        super().__init__()

    def get_context(self, name: str, value: Any, attrs: Any) -> dict[str, Any]:
        """Add the rows that are filled and some to fill."""
        filled = [[str(cell) for cell in row] for row in value or ()]
        wanted = max(len(filled) + 1, SPARE_ROWS)
        filled += [[""] * len(self.columns)] * (wanted - len(filled))
        rows = [
            [(f"{name}-{place}-{column.name}", column, cell) for column, cell in zip(self.columns, cells, strict=True)]
            for place, cells in enumerate(filled[:MOST_ROWS])
        ]
        return {"columns": self.columns, "rows": rows, "name": name, "most": MOST_ROWS}

    def value_from_datadict(self, data: Mapping[str, Any], files: Any, name: str) -> list[list[str]]:
        """Return the rows of which something is filled in."""
        rows = [
            [str(data.get(f"{name}-{place}-{column.name}", "")).strip() for column in self.columns]
            for place in range(MOST_ROWS)
        ]
        return [row for row in rows if any(row)]


class RowsField(forms.Field):
    """Rows of typed values, each made into one ``struct``."""

    def __init__(self, struct: type, columns: Sequence[Column], **kwargs: Any) -> None:
        self.struct, self.columns = struct, columns
        super().__init__(widget=RowsWidget(columns), required=False, **kwargs)

    def prepare_value(self, value: Any) -> list[list[str]]:
        """Show what a rule holds as well as what was typed."""
        return [
            [_shown(getattr(row, column.name)) for column in self.columns] if isinstance(row, self.struct) else row
            for row in value or ()
        ]

    def clean(self, value: Any) -> tuple[Any, ...]:
        """Return the rows as structs; which of them belong together is a law of the rule."""
        return tuple(
            self.struct(**{column.name: _typed(cell, column) for column, cell in zip(self.columns, row, strict=True)})
            for row in value
        )


class WordsField(forms.Field):
    """Codes with commas between; the page offers what there is."""

    def __init__(self, source: str, **kwargs: Any) -> None:
        attrs = {"data-tokens": source, "autocomplete": "off", "spellcheck": "false", "class": "typed"}
        super().__init__(required=False, widget=forms.TextInput(attrs=attrs), **kwargs)

    def to_python(self, value: Any) -> Any:
        """Return the codes in their order, each once."""
        return words(value)

    def prepare_value(self, value: Any) -> str:
        """Show codes with commas between."""
        return value if isinstance(value, str) else ", ".join(value or ())


class GoodsField(WordsField):
    """Goods: SKU codes, ``category:…``, ``brand:…``, ``except:SKU``; empty: all goods."""

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("label", _("Which goods"))
        kwargs.setdefault("help_text", _("Type a code or a name and choose. Empty: all goods."))
        super().__init__("goods", **kwargs)

    def to_python(self, value: Any) -> Goods:
        """Return the goods."""
        return goods_of(words(value))

    def prepare_value(self, value: Any) -> str:
        """Show goods as they are typed."""
        return value if isinstance(value, str) else ", ".join(goods_words(value)) if value else ""


def words(value: Any) -> tuple[str, ...]:
    """Return codes out of a text with commas (also Chinese ones), each once."""
    parts = str(value or "")[:LONGEST].replace("，", ",").replace("、", ",").split(",")
    return tuple(dict.fromkeys(part.strip() for part in parts if part.strip()))


def goods_of(typed: Iterable[str]) -> Goods:
    """Return goods out of words with prefixes."""
    found: dict[str, list[str]] = {"skus": [], "categories": [], "brands": [], "except_skus": []}
    for word in typed:
        prefix, colon, rest = word.partition(":")
        kind = PREFIXES.get(prefix.strip().lower()) if colon else None
        found[kind or "skus"].append(rest.strip() if kind else word)
    return Goods(**{name: tuple(codes) for name, codes in found.items()})


def goods_words(goods: Goods) -> list[str]:
    """Return goods as words with prefixes."""
    prefixed = [f"{prefix}:{code}" for prefix, name in PREFIXES.items() for code in getattr(goods, name)]
    return [*goods.skus, *prefixed]


def amount(text: str) -> Decimal:
    """Return an amount as people type it. Raises ``ValidationError``."""
    try:
        typed = Decimal(text.replace("¥", "").replace("，", "").replace(",", "").strip())
    except InvalidOperation:
        typed = Decimal("NaN")
    if not typed.is_finite() or abs(typed) > MOST_MONEY:
        raise ValidationError(gettext("“%(text)s” is no number.") % {"text": text})
    return typed


def units(text: str) -> int:
    """Return a number of units as people type it. Raises ``ValidationError``."""
    typed = amount(text)
    if typed != typed.to_integral_value() or abs(typed) > MOST_UNITS:
        raise ValidationError(gettext("“%(text)s” is no whole number.") % {"text": text})
    return int(typed)


def _typed(cell: str, column: Column) -> Any:
    if column.kind == "sku":
        return cell
    return units(cell or "1") if column.kind == "units" else amount(cell or "0")


def _shown(value: Any) -> str:
    return f"{value.normalize():f}" if isinstance(value, Decimal) else str(value)
