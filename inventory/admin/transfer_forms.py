"""What a transfer's pages ask: where it goes and what is in it, what came of it, why the rest never will."""

import secrets
from collections.abc import Mapping
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminIntegerFieldWidget, UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from audit.admin import columns
from audit.admin.verbs import VerbForm
from inventory.admin import choices
from inventory.admin.document import HeadForm
from inventory.admin.lines import day_widget, suggest
from inventory.models import ReasonCode, Transfer, TransferLine
from inventory.statuses import ReasonUse


def reasons() -> list[tuple[str, str]]:
    """Return the reasons of a discrepancy as choices in the reader's language."""
    rows = ReasonCode.objects.filter(use=ReasonUse.DISCREPANCY, is_active=True).order_by("code")
    return [(row.code, columns.local_name(row)) for row in rows]


def nodes() -> list[tuple[str, Any]]:
    """Return every node as a choice, after one that says that none is chosen."""
    return [("", "–"), *choices.nodes()]


class LossForm(VerbForm):
    """Why the rest will never come."""

    reason = forms.ChoiceField(label=_("Reason"), choices=reasons, widget=UnfoldAdminSelectWidget)
    note = forms.CharField(label=_("Note"), max_length=120, required=False, widget=UnfoldAdminTextInputWidget)


class RouteForm(HeadForm):
    """From where to where."""

    source = forms.TypedChoiceField(label=_("From"), choices=nodes, coerce=int, widget=UnfoldAdminSelectWidget)
    destination = forms.TypedChoiceField(label=_("To"), choices=nodes, coerce=int, widget=UnfoldAdminSelectWidget)
    arrives_date = forms.DateField(label=_("Arrives on"), required=False, widget=day_widget())
    note = forms.CharField(label=_("Note"), max_length=160, required=False, widget=UnfoldAdminTextInputWidget)

    def clean(self) -> dict[str, Any]:
        """Say beside the field that a transfer to its own node goes nowhere; the service refuses it as well."""
        told = super().clean() or {}
        if told.get("source") and told.get("source") == told.get("destination"):
            self.add_error("destination", _("A transfer cannot go to its own node."))
        return told


class NewTransferForm(RouteForm):
    """A new transfer also gets its number; the same number twice is the same transfer."""

    number = forms.CharField(
        label=_("Number"), max_length=40, initial=lambda: suggest("TR"), widget=UnfoldAdminTextInputWidget
    )
    field_order = ("number",)


class ArrivalForm(forms.Form):
    """How many units of one line came now."""

    units = forms.IntegerField(
        label=_("Came now"),
        min_value=0,
        max_value=100_000_000,
        widget=UnfoldAdminIntegerFieldWidget(attrs={"inputmode": "numeric"}),
    )

    def __init__(self, told: Mapping[str, Any] | None, *, line: TransferLine) -> None:
        super().__init__(told, prefix=f"line-{line.pk}", initial={"units": line.in_transit})
        self.line = line

    @property
    def facts(self) -> list[tuple[Any, Any]]:
        """Return what stands before the field: the SKU, and how many are on their way."""
        return [
            (_("SKU"), columns.code_and_name(self.line.sku)),
            (_("In transit"), columns.number(self.line.in_transit)),
        ]


def arrival_forms(transfer: Transfer, told: Mapping[str, Any] | None) -> list[ArrivalForm]:
    """Return a form for each line that is on its way, and for each that was told about, though it came meanwhile."""
    lines = transfer.lines.select_related("sku").order_by("pk")
    asked = [line for line in lines if line.in_transit or f"line-{line.pk}-units" in (told or {})]
    return [ArrivalForm(told, line=line) for line in asked]


class KeyForm(forms.Form):
    """The name of one arrival, made when the page is opened: sent twice, it counts once."""

    key = forms.CharField(max_length=40, initial=lambda: secrets.token_hex(8), widget=forms.HiddenInput)
