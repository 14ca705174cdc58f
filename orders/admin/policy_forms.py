"""What the form of a routing policy asks: its groups in their order, each with its orders, nodes and weights."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any, Final

import msgspec
from django import forms
from django.utils.functional import Promise
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _
from unfold.widgets import (
    UnfoldAdminDecimalFieldWidget,
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminSelectMultipleWidget,
    UnfoldAdminTextInputWidget,
    UnfoldBooleanSwitchWidget,
)

from audit.admin import columns
from channels.models import Channel
from inventory.rules.geography import REGIONS
from inventory.statuses import NodeKind
from orders.rules.routing import wording
from orders.rules.routing.policy import Group, Hard, Policy, Weights, When
from orders.statuses import DeliveryMethod

MOST_GROUPS: Final = 20
MOST_WEIGHT: Final = 100_000
Choices = Sequence[tuple[str, str | Promise]]


class WordsField(forms.CharField):
    """Words, parted by commas or blanks."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(required=False, max_length=400, widget=UnfoldAdminTextInputWidget, **kwargs)

    def prepare_value(self, value: Any) -> Any:
        """Show what a policy holds as well as what was typed."""
        return ", ".join(value) if isinstance(value, list | tuple) else value

    def to_python(self, value: Any) -> Any:
        """Return the words in their order, each once."""
        text = (super().to_python(value) or "").replace(",", " ").replace("，", " ").replace("、", " ")
        return tuple(dict.fromkeys(text.split()))


class _Several(forms.MultipleChoiceField):
    """Some of a list; nothing chosen means all."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(required=False, widget=UnfoldAdminSelectMultipleWidget, **kwargs)

    def clean(self, value: Any) -> tuple[str, ...]:
        """Return the chosen ones as a policy keeps them."""
        return tuple(super().clean(value))


def _figure(label: Any, help_text: Any = "", least: float = 0, most: float = MOST_WEIGHT) -> forms.FloatField:
    return forms.FloatField(
        label=label, required=False, min_value=least, max_value=most, help_text=help_text,
        widget=UnfoldAdminDecimalFieldWidget(attrs={"step": "any"}),
    )  # fmt: skip


def _count(label: Any, help_text: Any = "", least: int = 0, most: int = 10_000) -> forms.IntegerField:
    return forms.IntegerField(
        label=label, required=False, min_value=least, max_value=most, help_text=help_text,
        widget=UnfoldAdminIntegerFieldWidget,
    )  # fmt: skip


def _money(label: Any, help_text: Any = "") -> forms.DecimalField:
    return forms.DecimalField(
        label=label, required=False, min_value=0, max_digits=12, decimal_places=2, help_text=help_text,
        widget=UnfoldAdminDecimalFieldWidget,
    )  # fmt: skip


class GroupForm(forms.Form):
    """One group of a policy. Fields carry the names of the structs they fill."""

    WHEN: Final = tuple(When.__struct_fields__)
    HARD: Final = tuple(Hard.__struct_fields__)
    WEIGHTS: Final = tuple(Weights.__struct_fields__)

    name = forms.CharField(label=_("Policy group"), max_length=60, widget=UnfoldAdminTextInputWidget)
    wait_minutes = _count(
        _("Minutes to wait for a better plan"), _("Parcels stay unreleased so long and may be moved."), most=1440
    )
    channels = _Several(label=_("Channels"), help_text=_("None chosen: all."))
    regions = _Several(label=_("Provinces"), help_text=_("None chosen: all."))
    methods = _Several(label=_("Delivery methods"), choices=DeliveryMethod.choices, help_text=_("None chosen: all."))
    tiers = WordsField(label=_("Member tiers"), help_text=_("In the channel's words; empty: all."))
    least_priority = _count(_("Priority at least"), least=-1000, most=1000)
    least_value = _money(_("Value from"))
    most_value = _money(_("Value below"))
    promised_within_hours = _count(_("Promised within hours"))
    node_kinds = _Several(label=_("Kinds of nodes"), choices=NodeKind.choices, help_text=_("None chosen: all."))
    node_groups = WordsField(label=_("Only nodes of the groups"))
    not_node_groups = WordsField(label=_("Not nodes of the groups"))
    most_km = _figure(_("At most km away"), most=20_100)
    most_parcels = _count(_("Parcels of an order at most"), least=1, most=20)
    before_cut_off_only = forms.BooleanField(
        label=_("Only before the cut-off"), required=False, widget=UnfoldBooleanSwitchWidget
    )
    most_backlog_hours = _figure(_("Hours of waiting work at most"), most=1000)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        fields: dict[str, Any] = self.fields
        fields["channels"].choices = [(one.code, columns.local_name(one)) for one in Channel.objects.order_by("code")]
        is_english = (get_language() or "en").startswith("en")
        fields["regions"].choices = [
            (code, known.name_en if is_english else known.name) for code, known in REGIONS.items()
        ]
        for term, words, _weight in wording.weighty(Weights()):
            self.fields[f"weight_{term}"] = _figure(columns.sentence(words.stored()))

    def group(self) -> Group:
        """Return the group that a valid form describes; what is left empty has the product's default."""
        told: Any = self.cleaned_data
        return Group(
            name=told["name"],
            when=When(**_given({name: told[name] for name in self.WHEN})),
            hard=Hard(**_given({name: told[name] for name in self.HARD})),
            weights=Weights(**_given({name: told[f"weight_{name}"] for name in self.WEIGHTS})),
            wait_minutes=told["wait_minutes"] or 0,
        )

    @property
    def parts(self) -> list[tuple[Any, list[Any]]]:
        """Return the fields as the page shows them."""
        return [
            (_("Which orders"), [self[name] for name in self.WHEN]),
            (_("Which nodes"), [self[name] for name in self.HARD]),
            (_("What counts how much"), [self[f"weight_{name}"] for name in self.WEIGHTS]),
        ]


class _Groups(forms.BaseFormSet):
    """The groups in the order in which they are tried."""

    def add_fields(self, form: Any, index: int | None) -> None:
        """Add a group's place and the box that takes it out, looking like the other fields."""
        super().add_fields(form, index)
        form.fields["ORDER"] = _count(_("Place in the order"), least=1, most=MOST_GROUPS * 10)
        form.fields["DELETE"] = forms.BooleanField(
            label=_("Take the group out"), required=False, widget=UnfoldBooleanSwitchWidget
        )

    def policy(self, least_saving: float) -> Policy:
        """Return the policy that valid forms describe."""
        ordered = [form.group() for form in self.ordered_forms if form.cleaned_data.get("name")]
        return Policy(groups=tuple(ordered), least_saving=least_saving)


GroupFormSet = forms.formset_factory(
    GroupForm, formset=_Groups, can_order=True, can_delete=True, extra=0, max_num=MOST_GROUPS, validate_max=True
)


class PolicyForm(forms.Form):
    """What concerns the whole policy."""

    least_saving = forms.FloatField(
        label=_("Move a planned parcel for a saving of"), min_value=0, max_value=MOST_WEIGHT,
        widget=UnfoldAdminDecimalFieldWidget(attrs={"step": "any"}), help_text=_("In yuan, of the whole order."),
    )  # fmt: skip
    publish_at = forms.DateTimeField(
        label=_("Goes live at"), required=False, help_text=_("Empty: as soon as it is approved."),
        input_formats=["%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M"],
        widget=forms.DateTimeInput(format="%Y-%m-%dT%H:%M", attrs={"type": "datetime-local", "class": "typed"}),
    )  # fmt: skip


class HeadingForm(forms.Form):
    """How a new policy is called."""

    code = forms.RegexField(
        label=_("Code"), regex=r"^[A-Za-z0-9_-]+$", max_length=30, widget=UnfoldAdminTextInputWidget,
        help_text=_("Stands on every decision. Letters, digits, - and _; it never changes."),
    )  # fmt: skip
    name = forms.CharField(label=_("Name"), max_length=80, widget=UnfoldAdminTextInputWidget)
    name_en = forms.CharField(label=_("English name"), max_length=80, required=False, widget=UnfoldAdminTextInputWidget)


def initial_of(policy: Policy) -> list[dict[str, Any]]:
    """Return the groups of a policy as the forms begin with them."""
    return [
        {
            "name": group.name, "wait_minutes": group.wait_minutes, "ORDER": place,
            **msgspec.structs.asdict(group.when), **msgspec.structs.asdict(group.hard),
            **{f"weight_{term}": weight for term, _words, weight in wording.weighty(group.weights)},
        }
        for place, group in enumerate(policy.groups, start=1)
    ]  # fmt: skip


def _given(told: dict[str, Any]) -> dict[str, Any]:
    """Return what was filled in; a zero is filled in."""
    return {
        name: value.normalize() + Decimal(0) if isinstance(value, Decimal) else value
        for name, value in told.items()
        if value not in (None, "", ())
    }
