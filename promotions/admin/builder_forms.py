"""What the builder asks: how a promotion is called, and what its rule says."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _
from unfold.widgets import (
    UnfoldAdminDecimalFieldWidget,
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextInputWidget,
    UnfoldBooleanSwitchWidget,
)

from promotions.admin import kinds
from promotions.admin.conditions_field import ConditionsField
from promotions.models import Campaign
from promotions.rules.rule import Limits, Rule

TIME_FORMAT = "%Y-%m-%dT%H:%M"


class PromotionForm(forms.Form):
    """How a new promotion is called."""

    code = forms.RegexField(
        label=_("Code"), regex=r"^[A-Za-z0-9_-]+$", max_length=40, widget=UnfoldAdminTextInputWidget,
        help_text=_("Stands on every order that got it. Letters, digits, - and _; it never changes."),
    )  # fmt: skip
    name = forms.CharField(label=_("Name"), max_length=120, widget=UnfoldAdminTextInputWidget)
    name_en = forms.CharField(
        label=_("English name"), max_length=120, required=False, widget=UnfoldAdminTextInputWidget
    )
    brand = forms.CharField(
        label=_("Brand"), max_length=60, required=False,
        widget=UnfoldAdminTextInputWidget(attrs={"data-tokens": "brands", "data-single": "", "autocomplete": "off"}),
        help_text=_("Whose promotion it is; empty: the whole company's."),
    )  # fmt: skip
    campaign = forms.ModelChoiceField(
        label=_("Campaign"), queryset=Campaign.objects.none(), required=False, widget=UnfoldAdminSelectWidget
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field: Any = self.fields["campaign"]
        field.queryset = Campaign.objects.order_by("-starts_at", "-pk")


class Moment(forms.DateTimeField):
    """A moment, in the desk's time, to the minute."""

    def __init__(self, **kwargs: Any) -> None:
        attrs = {"type": "datetime-local", "class": "typed"}
        kwargs |= {"required": False, "input_formats": [TIME_FORMAT, "%Y-%m-%d %H:%M"],
                   "widget": forms.DateTimeInput(format=TIME_FORMAT, attrs=attrs)}  # fmt: skip
        super().__init__(**kwargs)


class RuleForm(forms.Form):
    """What one version says. The card decides which reward is asked for."""

    condition = ConditionsField(label=_("Which orders"))
    starts_at = Moment(label=_("Starts"), help_text=_("Empty: as soon as it is live."))
    ends_at = Moment(label=_("Ends"), help_text=_("Empty: until it is retired."))
    publish_at = Moment(label=_("Goes live at"), help_text=_("Empty: as soon as it is approved."))
    most_uses = forms.IntegerField(
        label=_("For at most so many orders"), required=False, help_text=_("Empty: no limit."),
        widget=UnfoldAdminIntegerFieldWidget, max_value=1_000_000_000,
    )  # fmt: skip
    most_uses_of_a_buyer = forms.IntegerField(
        label=_("So often for each buyer"), required=False, help_text=_("Empty: no limit."),
        widget=UnfoldAdminIntegerFieldWidget, max_value=1_000_000,
    )  # fmt: skip
    budget = forms.DecimalField(
        label=_("Budget"), required=False, max_digits=14, decimal_places=2, help_text=_("Empty: no limit."),
        widget=UnfoldAdminDecimalFieldWidget,
    )  # fmt: skip
    group = forms.CharField(
        label=_("Group"), required=False, max_length=40, widget=UnfoldAdminTextInputWidget,
        help_text=_("Of one group only the promotion that gives the buyer most applies."),
    )  # fmt: skip
    is_exclusive = forms.BooleanField(
        label=_("Stands alone in its lane"), required=False, widget=UnfoldBooleanSwitchWidget
    )
    needs_coupon = forms.BooleanField(label=_("Needs a coupon"), required=False, widget=UnfoldBooleanSwitchWidget)
    priority = forms.IntegerField(
        label=_("Priority"), required=False, min_value=-1000, max_value=1000, widget=UnfoldAdminIntegerFieldWidget,
        help_text=_("At equal amounts the higher one wins."),
    )  # fmt: skip
    returns_uses = forms.BooleanField(
        label=_("Cancelled orders give back what they used"), required=False, initial=True,
        widget=UnfoldBooleanSwitchWidget,
    )  # fmt: skip

    def __init__(self, *args: Any, kind: str, **kwargs: Any) -> None:
        self.kind = kinds.KINDS[kind]
        super().__init__(*args, **kwargs)
        for name in self.kind.fields:
            self.fields[name] = kinds.field(name)
        if self.kind.needs_coupon:
            self.fields["needs_coupon"].initial = True
        if self.kind.starts_with:
            self.fields["condition"].initial = [{"mode": "all", "rows": [{"what": self.kind.starts_with}]}]

    def part(self, *names: str) -> list[forms.BoundField]:
        """Return the fields of one part of the page."""
        return [self[name] for name in names]

    @property
    def reward_fields(self) -> list[forms.BoundField]:
        """Return what the card asks."""
        return self.part(*self.kind.fields)

    @property
    def time_fields(self) -> list[forms.BoundField]:
        """Return from when until when."""
        return self.part("publish_at", "starts_at", "ends_at")

    @property
    def limit_fields(self) -> list[forms.BoundField]:
        """Return how often and how much."""
        return self.part("most_uses", "most_uses_of_a_buyer", "budget", "returns_uses")

    @property
    def beside_fields(self) -> list[forms.BoundField]:
        """Return how it stands beside other promotions."""
        return self.part("needs_coupon", "group", "is_exclusive", "priority")

    def rule(self) -> Rule:
        """Return the rule of a valid form."""
        told = self.cleaned_data
        given = {name: told[name] for name in self.kind.fields if told.get(name) is not None}
        return Rule(
            reward=self.kind.reward(**given),
            condition=told["condition"],
            starts_at=told["starts_at"],
            ends_at=told["ends_at"],
            priority=told["priority"] or 0,
            group=told["group"],
            is_exclusive=told["is_exclusive"],
            needs_coupon=told["needs_coupon"],
            limits=Limits(told["most_uses"], told["most_uses_of_a_buyer"], told["budget"]),
            returns_uses=told["returns_uses"],
        )


def initial_of(rule: Rule) -> dict[str, Any]:
    """Return a rule as the values its form begins with."""
    kind = kinds.KINDS[kinds.kind_of(rule)]
    told: dict[str, Any] = {name: getattr(rule.reward, name) for name in kind.fields}
    named = ("condition", "starts_at", "ends_at", "priority", "group", "is_exclusive", "needs_coupon", "returns_uses")
    told |= {name: getattr(rule, name) for name in named}
    limited = ("most_uses", "most_uses_of_a_buyer", "budget")
    return told | {name: getattr(rule.limits, name) for name in limited}
