"""What people are asked when they change a level by hand; goods with lots may be named by theirs."""

import secrets
from datetime import date, datetime, time, timedelta
from typing import Any

from django import forms
from django.db.models import F, Q, Sum, Value
from django.db.models.functions import Coalesce
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminIntegerFieldWidget, UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from audit.admin import columns
from audit.admin.verbs import VerbForm, Words
from inventory.admin.lines import day_widget
from inventory.models import Lot, ReasonCode, StockLevel
from inventory.services.returns import WAITS
from inventory.statuses import ReasonUse

MOST_LOTS = 50  # that a form offers
MOST_UNITS = 100_000_000
TIME_TO_DECIDE = timedelta(days=3)


def reasons(use: ReasonUse) -> list[tuple[str, str]]:
    """Return the active reasons for one use as choices in the reader's language."""
    rows = ReasonCode.objects.filter(use=use, is_active=True).exclude(code=WAITS).order_by("code")
    return [(row.code, columns.local_name(row)) for row in rows]


def _units(label: Any, *, least: int) -> forms.IntegerField:
    widget = UnfoldAdminIntegerFieldWidget(attrs={"inputmode": "numeric"})
    return forms.IntegerField(label=label, min_value=least, max_value=MOST_UNITS, widget=widget)


def _reason(use: ReasonUse) -> forms.ChoiceField:
    return forms.ChoiceField(label=_("Reason"), choices=lambda: reasons(use), widget=UnfoldAdminSelectWidget)


def _words(label: Any, most: int, *, required: bool = False) -> forms.CharField:
    return forms.CharField(label=label, max_length=most, required=required, widget=UnfoldAdminTextInputWidget)


def _lot() -> forms.TypedChoiceField:
    return forms.TypedChoiceField(
        label=_("Lot"), required=False, coerce=int, empty_value=None, widget=UnfoldAdminSelectWidget
    )


class LevelForm(VerbForm):
    """A deed on levels; its key is made when the page is opened, so that sent twice it counts once.

    A lot is offered for one level of a SKU that has lots. No law asks for it: what happens without one is said.
    """

    key = forms.CharField(max_length=40, initial=lambda: secrets.token_hex(8), widget=forms.HiddenInput)
    lot_offers_empty = False  # whether lots can be named of which nothing is free there
    without_lot: Words = ""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        level = self.rows[0]
        if len(self.rows) == 1:
            self.fields["units"].help_text = _facts(level)
        if len(self.rows) == 1 and level.sku.tracks_lots:
            offered = _offered(level, all_of_them=self.lot_offers_empty)
            self.fields["lot"].choices = [("", self.without_lot), *offered]  # type: ignore[attr-defined]
            if len(offered) == MOST_LOTS:
                self.fields["lot"].help_text = _("The %(count)s that keep longest are offered.") % {"count": MOST_LOTS}
        else:
            del self.fields["lot"]


class AdjustForm(LevelForm):
    """How many units are there without record, or gone without record, and why."""

    units = _units(_("Change"), least=-MOST_UNITS)
    lot = _lot()
    reason = _reason(ReasonUse.ADJUSTMENT)
    note = _words(_("Note"), 120)
    lot_offers_empty = True
    without_lot = _("no lot: what is gone is of those that expire first, what is found is unlabelled")


class KeepForm(LevelForm):
    """How many units are held back, why, in whose care and until when."""

    units = _units(_("Units"), least=1)
    lot = _lot()
    reason = _reason(ReasonUse.QUALITY)
    note = _words(_("Note"), 160)
    owner = _words(_("In whose care"), 80, required=True)
    ends_date = forms.DateField(
        label=_("To be decided by"), initial=lambda: timezone.localdate() + TIME_TO_DECIDE, widget=day_widget()
    )
    without_lot = _("no lot: those that expire first")


class BackForm(LevelForm):
    """How many units came back, from what, and who inspects them."""

    units = _units(_("Units"), least=1)
    lot = _lot()
    reference = _words(_("Return or parcel"), 60, required=True)
    owner = _words(_("In whose care"), 80, required=True)
    lot_offers_empty = True
    without_lot = _("no lot: unlabelled, nobody knows how long it keeps")


class InspectionForm(VerbForm):
    """What an inspector found of returned units."""

    good = forms.IntegerField(label=_("Good again"), min_value=0, initial=0, widget=UnfoldAdminIntegerFieldWidget)
    bad = forms.IntegerField(label=_("Scrapped"), min_value=0, initial=0, widget=UnfoldAdminIntegerFieldWidget)
    reason = _reason(ReasonUse.INSPECTION)
    note = _words(_("Note"), 120)


def end_of(day: date) -> datetime:
    """Return the moment at which a local day ends."""
    return timezone.make_aware(datetime.combine(day + timedelta(days=1), time.min))


def _facts(level: StockLevel) -> str:
    return gettext("%(sku)s at %(node)s: %(on_hand)s on hand, %(reserved)s reserved, %(held)s held.") % {
        "sku": level.sku.code, "node": level.node.code, "on_hand": level.on_hand, "reserved": level.reserved,
        "held": level.quality_hold,
    }  # fmt: skip


def _offered(level: StockLevel, *, all_of_them: bool) -> list[tuple[int, str]]:
    """Return the lots of a level as choices, the one that keeps longest first, undated ones last."""
    free = F("levels__on_hand") - F("levels__reserved") - F("levels__quality_hold")
    rows = Lot.objects.filter(sku=level.sku_id).annotate(
        free=Coalesce(Sum(free, filter=Q(levels__node=level.node_id)), Value(0))
    )
    rows = rows if all_of_them else rows.filter(free__gt=0)
    return [(row.pk, _title(row)) for row in rows.order_by(F("expires_date").desc(nulls_last=True), "-pk")[:MOST_LOTS]]


def _title(row: Any) -> str:
    told = {"lot": row.code or gettext("unlabelled"), "free": row.free, "date": row.expires_date}
    words = gettext("%(lot)s, until %(date)s, %(free)s free here")
    return (words if row.expires_date else gettext("%(lot)s, no date, %(free)s free here")) % told
