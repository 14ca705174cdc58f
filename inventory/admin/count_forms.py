"""What the pages of a count ask: which SKUs, within which limits, and how many lie there."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminDecimalFieldWidget, UnfoldAdminTextInputWidget

from audit.admin.columns import local_name
from audit.admin.verbs import VerbForm
from inventory.admin.document import HeadForm
from inventory.admin.lines import suggest
from inventory.models import CountLine, StockCount
from inventory.statuses import CountLineStatus


class ConfirmForm(VerbForm):
    """Nothing to tell: the page only asks whether it is meant."""


class NewCountForm(HeadForm):
    """The number of a count, and above which variance another person counts again."""

    number = forms.CharField(
        label=_("Number"), max_length=40, initial=lambda: suggest("CT"), widget=UnfoldAdminTextInputWidget
    )
    limit_percent = forms.DecimalField(
        label=_("Limit in per cent"),
        min_value=Decimal(0),
        max_value=Decimal(100),
        decimal_places=2,
        initial=Decimal(5),
        widget=UnfoldAdminDecimalFieldWidget,
        help_text=_("Above this share of the expected units another person counts again."),
    )
    limit_value = forms.DecimalField(
        label=_("Limit in money"),
        min_value=Decimal(0),
        max_digits=12,
        decimal_places=2,
        initial=Decimal(500),
        widget=UnfoldAdminDecimalFieldWidget,
        help_text=_("Above this value at cost another person counts again."),
    )


class UnitsForm(forms.Form):
    """How many units of one SKU lie there. Says nothing of what should: an empty field is not counted yet."""

    units = forms.IntegerField(
        required=False,
        min_value=0,
        max_value=100_000_000,
        widget=forms.NumberInput(attrs={"inputmode": "numeric", "autocomplete": "off", "class": "units"}),
    )

    def __init__(self, told: Mapping[str, Any] | None, *, line: CountLine) -> None:
        super().__init__(told, prefix=f"line-{line.pk}")
        self.line, self.name = line, local_name(line.sku)
        self.fields["units"].widget.attrs["aria-label"] = f"{line.sku.code} {self.name}"

    @property
    def is_again(self) -> bool:
        """Return whether somebody else counted it before."""
        return self.line.status == CountLineStatus.RECOUNT


def units_forms(count: StockCount, told: Mapping[str, Any] | None, *, counter: str) -> list[UnitsForm]:
    """Return a form for each line that this person may count now, and for each told about, though it was counted."""
    lines = count.lines.select_related("sku").order_by("rank", "pk")
    return [
        UnitsForm(told, line=line) for line in lines
        if is_for(line, counter) or (told or {}).get(f"line-{line.pk}-units")
    ]  # fmt: skip


def is_for(line: CountLine, counter: str) -> bool:
    """Return whether a line waits for this person: nobody counts the same SKU a second time."""
    if line.status == CountLineStatus.RECOUNT:
        return line.first_counted_by != counter
    return line.status == CountLineStatus.OPEN


def ticked(told: Sequence[str]) -> list[int]:
    """Return the SKUs that were ticked, in the order of the page."""
    return [int(word) for word in dict.fromkeys(told) if word.isascii() and word.isdigit() and len(word) < 19]
