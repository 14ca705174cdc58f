"""The kinds of promotions that can be chosen by cards, and what each asks."""

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from django import forms
from django.utils.translation import gettext_lazy as _
from unfold.widgets import (
    UnfoldAdminDecimalFieldWidget,
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminSelectWidget,
    UnfoldBooleanSwitchWidget,
)

from audit.admin.verbs import Words
from promotions.admin.rows_field import Column, GoodsField, RowsField
from promotions.rules import rewards as r
from promotions.rules.rule import Rule


@dataclass(frozen=True)
class Kind:
    """One card: what it is called, what it is for, which reward it makes and what that asks."""

    title: Words
    hint: Words
    icon: str
    reward: type
    fields: tuple[str, ...]
    starts_with: str = ""  # the condition that its form begins with
    needs_coupon: bool = False


_STEPS = ("steps", "is_percent", "is_repeated", "most", "goods")
KINDS: Final[dict[str, Kind]] = {
    "save": Kind(_("Spend and save"), _("¥50 off from ¥300 on"), "savings", r.SpendAndSave, _STEPS),
    "discount": Kind(_("Discount"), _("20 per cent off, or ¥5 off each unit"), "percent", r.ItemOff,
                     ("off", "is_percent", "goods", "most_units", "most")),
    "nth": Kind(_("Second item cheaper"), _("Every 2nd unit at half price"), "looks_two", r.NthOff,
                ("nth", "percent", "goods")),
    "n_price": Kind(_("N for one price"), _("Any 3 for ¥99"), "filter_3", r.NForPrice, ("count", "price", "goods")),
    "bundle": Kind(_("Bundle price"), _("A and B together for ¥59"), "join", r.BundlePrice, ("parts", "price")),
    "gift": Kind(_("Gift by spend"), _("A gift from ¥300 on"), "redeem", r.Gift,
                 ("items", "choice", "every", "most_times", "goods"), "amount"),
    "buy_gift": Kind(_("Buy A, get B"), _("A gift for every unit of A"), "featured_seasonal_and_gifts", r.BuyGet,
                     ("goods", "buy_count", "items", "choice", "most_times")),
    "buy_off": Kind(_("Buy A, B cheaper"), _("With A, one B at half price"), "swap_horiz", r.BuyGetOff,
                    ("buy", "buy_count", "get", "get_count", "percent", "most_times")),
    "shipping": Kind(_("Free shipping"), _("No shipping fee from ¥99 on"), "local_shipping", r.FreeShipping, ("most",),
                     "amount"),
    "member": Kind(_("Member price"), _("Own prices for members"), "card_membership", r.MemberPrice, ("prices",),
                   "member"),
    "deposit": Kind(_("Presale deposit"), _("A deposit of ¥10 counts for ¥30"), "hourglass_top", r.Deposit,
                    ("deposit", "worth", "goods")),
    "coupon": Kind(_("Coupon"), _("¥20 off with a code"), "confirmation_number", r.SpendAndSave, _STEPS, "", True),
    "limit": Kind(_("Purchase limit"), _("At most 5 for each buyer"), "block", r.PurchaseLimit,
                  ("units", "days", "goods")),
}  # fmt: skip
_SKU, _UNITS = Column("sku", _("SKU"), "sku"), Column("quantity", _("Units"), "units")
_CHOICES: Final = (
    (r.Choice.ALL.value, _("All of them")),
    (r.Choice.FIRST_IN_STOCK.value, _("The first that is in stock")),
    (r.Choice.BUYER.value, _("The buyer chooses one")),
)


def kind_of(rule: Rule) -> str:
    """Return under which card a rule is edited."""
    return next(
        name
        for name, kind in KINDS.items()
        if type(rule.reward) is kind.reward
        and (kind.reward is not r.SpendAndSave or kind.needs_coupon is rule.needs_coupon)
    )


def field(name: str) -> forms.Field:
    """Return the form field of one part of a reward."""
    return _FIELDS[name]()


def _money(label: Any, help_text: Any = "", **kwargs: Any) -> Callable[[], forms.Field]:
    return lambda: forms.DecimalField(
        label=label, help_text=help_text, max_digits=12, decimal_places=2,
        widget=UnfoldAdminDecimalFieldWidget, **kwargs,
    )  # fmt: skip


def _count(label: Any, help_text: Any = "", **kwargs: Any) -> Callable[[], forms.Field]:
    return lambda: forms.IntegerField(
        label=label, help_text=help_text, max_value=1_000_000, widget=UnfoldAdminIntegerFieldWidget, **kwargs
    )


def _switch(label: Any) -> Callable[[], forms.Field]:
    return lambda: forms.BooleanField(label=label, required=False, widget=UnfoldBooleanSwitchWidget)


_EMPTY_MOST = _("Empty: no limit.")
_FIELDS: Final[dict[str, Callable[[], forms.Field]]] = {
    "steps": lambda: RowsField(
        r.Step, (Column("at_least", _("From this amount on"), "money"), Column("off", _("so much comes off"), "money")),
        label=_("Steps"),
    ),
    "is_percent": _switch(_("In per cent")),
    "is_repeated": _switch(_("Again for every full amount")),
    "most": _money(_("At most"), _EMPTY_MOST, required=False),
    "goods": GoodsField,
    "buy": lambda: GoodsField(label=_("Which goods are bought")),
    "get": lambda: GoodsField(label=_("Which goods get cheaper")),
    "off": _money(_("So much comes off")),
    "most_units": _count(_("For at most so many units"), _EMPTY_MOST, required=False),
    "nth": _count(_("Which unit"), _("2: every second unit"), initial=2),
    "percent": _money(_("Per cent off"), _("20 means: 20 per cent less"), initial=Decimal(50)),
    "count": _count(_("Units together"), initial=3),
    "price": _money(_("Price together")),
    "parts": lambda: RowsField(r.Item, (_SKU, _UNITS), label=_("Parts")),
    "items": lambda: RowsField(r.Item, (_SKU, _UNITS), label=_("Gifts")),
    "choice": lambda: forms.TypedChoiceField(
        label=_("Which gifts"), choices=_CHOICES, coerce=r.Choice, initial=r.Choice.ALL.value,
        widget=UnfoldAdminSelectWidget,
    ),
    "every": _money(_("Again for every full"), _("Empty: once for each order."), required=False),
    "most_times": _count(_("At most so often in one order"), initial=1),
    "buy_count": _count(_("For every so many units bought"), initial=1),
    "get_count": _count(_("so many get cheaper"), initial=1),
    "prices": lambda: RowsField(
        r.SkuPrice, (_SKU, Column("price", _("Members' price"), "money")), label=_("Prices")
    ),
    "deposit": _money(_("Deposit")),
    "worth": _money(_("counts for")),
    "units": _count(_("Units at most")),
    "days": _count(_("Within so many days"), _("Empty: in each order."), required=False),
}  # fmt: skip
