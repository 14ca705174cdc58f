"""Rows that people type into a document: a SKU and how many, and each refusal beside the row that it is about."""

import secrets
from collections.abc import Sequence
from typing import Any

from django import forms
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from unfold.widgets import INPUT_CLASSES, UnfoldAdminIntegerFieldWidget, UnfoldAdminTextInputWidget

from audit.admin.columns import local_name, sentence
from inventory.models import Sku
from inventory.services.refusals import RowsRefused

MOST_LINES = 500
EMPTY_LINES = 5  # that wait to be filled when the page opens


def suggest(prefix: str) -> str:
    """Return a number for a new document: what it is, the day, and four characters that nobody else draws."""
    return f"{prefix}-{timezone.localdate():%y%m%d}-{secrets.token_hex(2).upper()}"


class LineForm(forms.Form):
    """One row: the SKU by its code or barcode, and how many. A row that was left empty does not count."""

    sku = forms.CharField(
        label=_("SKU or barcode"),
        max_length=64,
        required=False,
        widget=UnfoldAdminTextInputWidget(
            attrs={"autocomplete": "off", "autocapitalize": "off", "spellcheck": "false"}
        ),
    )
    quantity = forms.IntegerField(
        label=_("Quantity"),
        required=False,
        max_value=100_000_000,
        widget=UnfoldAdminIntegerFieldWidget(attrs={"inputmode": "numeric"}),
    )
    found: Sku | None = None

    def clean(self) -> dict[str, Any]:
        """Ask for the half of a row that is missing."""
        told = super().clean() or {}
        has_units = told.get("quantity") is not None or "quantity" in self.errors
        if told.get("sku") and not has_units:
            self.add_error("quantity", _("How many?"))
        if has_units and not told.get("sku") and "sku" not in self.errors:
            self.add_error("sku", _("Which SKU?"))
        return told

    @property
    def is_filled(self) -> bool:
        """Return whether somebody wrote into the row."""
        return bool(self.cleaned_data.get("sku"))

    @property
    def name(self) -> str:
        """Return the name of the SKU that was found."""
        return local_name(self.found) if self.found else ""


class Lines(forms.BaseFormSet):
    """The rows of a document; looks all their SKUs up in one query."""

    forms: list[LineForm]

    def clean(self) -> None:
        """Find each row's SKU by its code, else by its barcode."""
        rows = [form for form in self.forms if form.is_valid() and form.is_filled]
        words = {form.cleaned_data["sku"] for form in rows}
        skus = Sku.objects.filter(Q(code__in=words) | Q(barcode__in=words)).order_by("pk") if words else []
        by_barcode = {sku.barcode: sku for sku in skus if sku.barcode}
        known = by_barcode | {sku.code: sku for sku in skus}
        seen: set[int] = set()
        for form in rows:
            form.found = known.get(form.cleaned_data["sku"])
            if form.found is None:
                form.add_error("sku", _("There is no such SKU."))
            elif form.found.pk in seen:
                form.add_error("sku", _("The SKU stands in an earlier row already."))
            else:
                seen.add(form.found.pk)

    def is_valid(self) -> bool:
        """Return whether every row can be read; the errors that ``clean`` added count too."""
        return super().is_valid() and not any(form.errors for form in self.forms)

    @property
    def filled(self) -> list[LineForm]:
        """Return the rows that count, in their order."""
        return [form for form in self.forms if form.found]

    @property
    def units(self) -> dict[int, int]:
        """Return SKU id → quantity, in the order of the rows."""
        return {form.found.pk: form.cleaned_data["quantity"] for form in self.filled if form.found}


LineSet = forms.formset_factory(
    LineForm, formset=Lines, extra=EMPTY_LINES, max_num=MOST_LINES, absolute_max=MOST_LINES, validate_max=True
)


def refuse(error: RowsRefused, head: forms.Form, rows: Sequence[forms.Form], field: str | None = None) -> None:
    """Write each refusal beside its row's field (or below the row), above the form when it is about the document."""
    for refused in error.rows:
        words = sentence(refused.reason.stored())
        if 0 < refused.row_number <= len(rows):
            rows[refused.row_number - 1].add_error(field, words)
        else:
            head.add_error(None, words)


def day_widget() -> forms.DateInput:
    """Return the browser's own field for a day: it knows the reader's calendar, also on a phone."""
    return forms.DateInput(attrs={"type": "date", "class": " ".join(INPUT_CLASSES)}, format="%Y-%m-%d")
