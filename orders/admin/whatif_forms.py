"""What the page of a what-if run asks: whose decisions, and up to six variants of how they might have been."""

from collections.abc import Iterable
from typing import Any, Final

from django import forms
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _
from unfold.widgets import (
    UnfoldAdminDecimalFieldWidget,
    UnfoldAdminSelectMultipleWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextInputWidget,
)

from audit.admin import columns
from inventory.models import Node
from inventory.rules.geography import REGIONS
from orders.admin.policy import CARDS
from orders.models import RoutingPolicyVersion
from orders.rules.routing.policy import PRESETS
from orders.rules.routing.variants import MOST_FACTOR, Changes, Storm
from orders.services import policies
from orders.services.whatif import MOST_VARIANTS
from orders.statuses import DisruptionEffect

AS_IT_WAS: Final = ""
MOST_OFFERED: Final = 100  # versions
HOUR: Final = "%Y-%m-%dT%H:%M"


def _factor(label: Any, help_text: Any, least: float) -> forms.FloatField:
    return forms.FloatField(
        label=label, initial=1.0, min_value=least, max_value=MOST_FACTOR, help_text=help_text,
        widget=UnfoldAdminDecimalFieldWidget(attrs={"step": "any"}),
    )  # fmt: skip


def _moment(label: Any) -> forms.DateTimeField:
    attrs = {"type": "datetime-local", "class": "typed"}
    return forms.DateTimeField(
        label=label, input_formats=[HOUR, "%Y-%m-%d %H:%M"], widget=forms.DateTimeInput(format=HOUR, attrs=attrs)
    )


class WhatIfForm(forms.Form):
    """Which decisions are tried again."""

    name = forms.CharField(label=_("Name"), max_length=80, widget=UnfoldAdminTextInputWidget)
    starts_at = _moment(_("Decisions from"))
    ends_at = _moment(_("Decisions until"))


class VariantForm(forms.Form):
    """One variant: what is left as it stands changes nothing."""

    name = forms.CharField(label=_("Variant"), max_length=80, widget=UnfoldAdminTextInputWidget)
    policy = forms.ChoiceField(label=_("Policy"), required=False, widget=UnfoldAdminSelectWidget)
    nodes_off = forms.MultipleChoiceField(
        label=_("Without the nodes"), required=False, widget=UnfoldAdminSelectMultipleWidget
    )
    stock_factor = _factor(_("Stock ×"), _("1: as it was; 0.5: half of it."), 0)
    capacity_factor = _factor(_("Room at nodes ×"), _("Parcels a day and an hour."), 0)
    demand_factor = _factor(_("Orders ×"), _("A campaign: 1.5 means that every second order comes twice."), 1)
    storm_regions = forms.MultipleChoiceField(
        label=_("Storm in the provinces"), required=False, widget=UnfoldAdminSelectMultipleWidget,
        help_text=_("Parcels to there, for the whole time."),
    )  # fmt: skip
    storm_effect = forms.ChoiceField(
        label=_("What the storm does"), choices=DisruptionEffect.choices, initial=DisruptionEffect.BLOCKS,
        widget=UnfoldAdminSelectWidget,
    )  # fmt: skip
    storm_hours = forms.FloatField(
        label=_("Delay (hours)"), initial=24, min_value=0, max_value=720,
        widget=UnfoldAdminDecimalFieldWidget(attrs={"step": "any"}),
    )  # fmt: skip

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        fields: dict[str, Any] = self.fields
        fields["policy"].choices = list(_policies())
        fields["nodes_off"].choices = [(node.code, f"{node.code} {columns.local_name(node)}") for node in _nodes()]
        is_english = (get_language() or "en").startswith("en")
        fields["storm_regions"].choices = [
            (code, known.name_en if is_english else known.name) for code, known in REGIONS.items()
        ]

    def changes(self) -> Changes:
        """Return what a valid form changes."""
        told: Any = self.cleaned_data
        policy, name, digest = _chosen(told["policy"])
        return Changes(
            policy=policy,
            policy_name=name,
            digest=digest,
            nodes_off=tuple(told["nodes_off"]),
            stock_factor=told["stock_factor"],
            capacity_factor=told["capacity_factor"],
            demand_factor=told["demand_factor"],
            storm=Storm(
                effect=told["storm_effect"],
                to_regions=tuple(told["storm_regions"]),
                delay_hours=told["storm_hours"],
            )
            if told["storm_regions"]
            else None,
        )


VariantFormSet = forms.formset_factory(
    VariantForm, extra=0, min_num=1, max_num=MOST_VARIANTS, validate_min=True, validate_max=True
)


def _nodes() -> Iterable[Node]:
    return Node.objects.filter(is_active=True).order_by("code")


def _policies() -> Iterable[tuple[str, Any]]:
    """Return what a variant may decide by: as it was, the product's presets, and versions that people wrote."""
    yield AS_IT_WAS, _("As it was")
    for name, (title, _icon, _hint) in CARDS.items():
        yield f"preset:{name}", title
    newest = RoutingPolicyVersion.objects.select_related("policy").order_by("-drafted_at", "-pk")[:MOST_OFFERED]
    for version in newest:
        yield f"version:{version.pk}", f"{version.policy.code}/{version.number} · {version.get_status_display()}"


def _chosen(word: str) -> tuple[Any, str, str]:
    """Return a policy with its name and digest; nothing for "as it was"."""
    kind, _colon, which = word.partition(":")
    if kind == "preset":
        return PRESETS[which], which, ""
    if kind == "version":
        version = RoutingPolicyVersion.objects.select_related("policy").get(pk=which)
        return policies.policy_of(version), f"{version.policy.code}/{version.number}", version.digest
    return None, "", ""
