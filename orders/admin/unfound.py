"""A node that cannot find what was reserved: which SKUs are missing from which parcels."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from audit.admin.verbs import Answer, VerbForm
from audit.rules.actors import Actor
from audit.rules.sentences import say
from orders.models import Fulfillment, FulfillmentLine
from orders.services import fulfillment


class UnfoundForm(VerbForm):
    """Which of the SKUs in these parcels are not there."""

    skus = forms.MultipleChoiceField(label=_("Not found"), widget=forms.CheckboxSelectMultiple)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        inside = FulfillmentLine.objects.filter(fulfillment__in=self.rows).order_by("sku__code")
        words = inside.values_list("sku_id", "sku__code").distinct()
        self.fields["skus"].choices = list(words)  # type: ignore[attr-defined]


def report(rows: Sequence[Fulfillment], told: Mapping[str, Any], actor: Actor, at: datetime) -> Answer:
    """Take parcels back of which the node did not find everything, and count the missing units as oversold."""
    sku_ids = [int(key) for key in told["skus"]]
    moved = fulfillment.stop_unfound([row.pk for row in rows], sku_ids=sku_ids, actor=actor, at=at)
    done = say("%(count)s parcels are stopped; what was not found is counted as oversold by ourselves.",
               count=len(moved.done)) if moved.done else None  # fmt: skip
    return Answer(done, moved.refused)
