"""What the pages of expected receipts ask: what will come and when, what came of it, and another day."""

import secrets
from collections.abc import Mapping
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminIntegerFieldWidget, UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from audit.admin import columns
from audit.admin.verbs import VerbForm
from inventory.admin.document import HeadForm
from inventory.admin.lines import day_widget, suggest
from inventory.admin.transfer_forms import nodes, reasons
from inventory.models import ExpectedLine, ExpectedReceipt
from inventory.services.receipts import Arrival

MOST_UNITS = 100_000_000
LOTS_AT_ONCE = 3  # of one line in one receipt; more come with the next one


def units_widget() -> UnfoldAdminIntegerFieldWidget:
    """Return a field for units that opens the digits on a phone."""
    return UnfoldAdminIntegerFieldWidget(attrs={"inputmode": "numeric"})


def no_reason_or_one() -> list[tuple[str, str]]:
    """Return the reasons of a discrepancy after an empty choice."""
    return [("", "–"), *reasons()]


class ExpectedForm(HeadForm):
    """Who promised to bring it, where, and when."""

    number = forms.CharField(
        label=_("Number"), max_length=40, initial=lambda: suggest("PO"), widget=UnfoldAdminTextInputWidget
    )
    supplier = forms.CharField(label=_("Supplier"), max_length=80, required=False, widget=UnfoldAdminTextInputWidget)
    node = forms.TypedChoiceField(label=_("Node"), choices=nodes, coerce=int, widget=UnfoldAdminSelectWidget)
    due_date = forms.DateField(label=_("Due on"), widget=day_widget())


class SlipForm(VerbForm):
    """The day on which it comes instead."""

    due_date = forms.DateField(label=_("New date"), widget=day_widget())


class ReceivedForm(forms.Form):
    """What came of one line."""

    received = forms.IntegerField(label=_("Received"), min_value=0, max_value=MOST_UNITS, widget=units_widget())
    damaged = forms.IntegerField(label=_("Damaged"), min_value=0, max_value=MOST_UNITS, widget=units_widget())
    reason = forms.ChoiceField(
        label=_("Reason"), required=False, choices=no_reason_or_one, widget=UnfoldAdminSelectWidget
    )
    note = forms.CharField(label=_("Note"), max_length=160, required=False, widget=UnfoldAdminTextInputWidget)

    lot_code = forms.CharField(label=_("Lot"), max_length=40, required=False, widget=UnfoldAdminTextInputWidget)
    expires_date = forms.DateField(label=_("Expires on"), required=False, widget=day_widget())

    def __init__(self, told: Mapping[str, Any] | None, *, line: ExpectedLine, lot: int = 0) -> None:
        self.line, self.is_first = line, lot == 0
        self.left = line.quantity - line.quantity_received if self.is_first else 0
        prefix = f"line-{line.pk}" if self.is_first else f"line-{line.pk}-lot-{lot}"
        super().__init__(told, prefix=prefix, initial={"received": self.left, "damaged": 0})
        if not line.sku.tracks_lots:
            del self.fields["lot_code"], self.fields["expires_date"]

    @property
    def facts(self) -> list[tuple[Any, Any]]:
        """Return what stands before the fields: the SKU, and how many are still to come; blank for its other lots."""
        if not self.is_first:
            return [(_("SKU"), _("another lot")), (_("Still to come"), "")]
        return [(_("SKU"), columns.code_and_name(self.line.sku)), (_("Still to come"), columns.number(self.left))]

    @property
    def says_something(self) -> bool:
        """Return whether anything came, or somebody says why not."""
        told = self.cleaned_data
        return any(told.get(name) for name in ("received", "damaged", "reason", "note", "lot_code", "expires_date"))

    def arrival(self) -> Arrival:
        """Return the row as the service takes it."""
        told = self.cleaned_data
        return Arrival(
            self.line.sku_id,
            told["received"],
            told["damaged"],
            told["reason"],
            told["note"],
            told.get("lot_code", ""),
            told.get("expires_date"),
        )


def received_forms(expected: ExpectedReceipt, told: Mapping[str, Any] | None) -> list[ReceivedForm]:
    """Return a form for each line that is still to come, and for each told about, though it came meanwhile.

    Goods with lots have several, one for each lot.
    """
    lines = expected.lines.select_related("sku").order_by("pk")
    asked = [
        line for line in lines
        if line.quantity > line.quantity_received or f"line-{line.pk}-received" in (told or {})
    ]  # fmt: skip
    return [
        ReceivedForm(told, line=line, lot=lot)
        for line in asked
        for lot in range(LOTS_AT_ONCE if line.sku.tracks_lots else 1)
    ]


class ReceiptForm(forms.Form):
    """The receipt itself: its number, made when the page is opened, so that it counts once; and what of the rest."""

    number = forms.CharField(max_length=60, widget=forms.HiddenInput)
    rest = forms.ChoiceField(
        label=_("What did not come"),
        choices=[("later", _("comes later")), ("never", _("comes no more: close the receipt"))],
        widget=UnfoldAdminSelectWidget,
        help_text=_("To close it, each line that came short needs its reason."),
    )

    def __init__(self, told: Mapping[str, Any] | None, *, expected: ExpectedReceipt) -> None:
        super().__init__(told, initial={"number": f"{expected.number}-{secrets.token_hex(3).upper()}", "rest": "later"})
