"""What the pages that connect a channel ask. Secrets go in and never come out."""

import json
from decimal import Decimal
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _
from unfold.widgets import (
    UnfoldAdminDecimalFieldWidget,
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminPasswordWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextInputWidget,
)

from audit.admin import columns
from channels.adapters import registry
from channels.admin.setup_words import field_label
from channels.models import Channel
from channels.services.setup import Entered, Terms
from inventory.models import Node
from inventory.statuses import ShareKind

CREDENTIAL, OPTION = "credential-", "option-"
LONGEST_SECRET = 8_000  # private keys in PEM


class NewChannelForm(forms.Form):
    """What a channel is called."""

    name = forms.CharField(label=_("Name of the shop"), max_length=80, widget=UnfoldAdminTextInputWidget)
    code = forms.CharField(
        label=_("Short code"),
        max_length=20,
        widget=UnfoldAdminTextInputWidget(attrs={"autocapitalize": "characters", "spellcheck": "false"}),
        help_text=_("Stands before every order number of the channel: letters, digits and underscores."),
    )
    currency = forms.RegexField(
        label=_("Currency"), regex=r"^[A-Z]{3}$", initial="CNY", widget=UnfoldAdminTextInputWidget
    )


class EnterForm(forms.Form):
    """The platform's address, its credentials and what else its adapter reads."""

    base_url = forms.CharField(label=_("Address"), max_length=200, required=False, widget=UnfoldAdminTextInputWidget)

    def __init__(self, *args: Any, channel: Channel, stored: frozenset[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        adapter = registry.BY_NAME[channel.adapter]
        self.fields["base_url"].initial = channel.base_url
        for name in adapter.credential_names:
            self.fields[CREDENTIAL + name] = _secret(name, is_stored=name in stored)
        for name in adapter.option_names:
            self.fields[OPTION + name] = _option(name, channel.options.get(name, ""))

    @property
    def main(self) -> list[forms.BoundField]:
        """Return the address and the credentials."""
        return [field for field in self if not field.name.startswith(OPTION)]

    @property
    def extras(self) -> list[forms.BoundField]:
        """Return what else the adapter reads."""
        return [field for field in self if field.name.startswith(OPTION)]

    def clean_base_url(self) -> str:
        """Accept an address that a client can call."""
        url: str = self.cleaned_data["base_url"].strip()
        if url and not url.startswith(("http://", "https://")):
            raise forms.ValidationError(_("An address begins with http:// or https://."))
        return url

    def entered(self) -> Entered:
        """Return what was entered, as the service takes it."""
        told = self.cleaned_data
        return Entered(
            base_url=told["base_url"],
            credentials={name.removeprefix(CREDENTIAL): told[name] for name in told if name.startswith(CREDENTIAL)},
            options={name.removeprefix(OPTION): told[name] for name in told if name.startswith(OPTION)},
        )


class _OptionField(forms.CharField):
    """A word, or an object or a list in JSON."""

    def clean(self, value: Any) -> Any:
        text = super().clean(value)
        if not text.startswith(("{", "[")):
            return text
        try:
            return json.loads(text)
        except ValueError as error:
            raise forms.ValidationError(_("This is not JSON.")) from error


def _secret(name: str, *, is_stored: bool) -> forms.CharField:
    attributes = {"autocomplete": "new-password", "spellcheck": "false", "data-1p-ignore": "true"}
    if is_stored:
        attributes["placeholder"] = "••••••••"
    return forms.CharField(
        label=field_label(name),
        required=False,
        max_length=LONGEST_SECRET,
        widget=UnfoldAdminPasswordWidget(attrs=attributes),
        help_text=_("Stored; leave it empty to keep it.") if is_stored else "",
    )


def _option(name: str, stored: Any) -> forms.CharField:
    shown = stored if isinstance(stored, str) else json.dumps(stored, ensure_ascii=False)
    return _OptionField(
        label=field_label(name), required=False, initial=shown, max_length=4_000, widget=UnfoldAdminTextInputWidget
    )


class TermsForm(forms.Form):
    """On which terms a channel sells."""

    nodes = forms.MultipleChoiceField(
        label=_("Nodes that serve it"),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=_("None ticked: all of them."),
    )
    fee_percent = forms.DecimalField(
        label=_("Fee (per cent)"), min_value=0, max_value=100, decimal_places=2, widget=UnfoldAdminDecimalFieldWidget
    )
    unpaid_minutes = forms.IntegerField(
        label=_("Unpaid orders keep their stock for (minutes)"),
        min_value=0,
        max_value=100_000,
        widget=UnfoldAdminIntegerFieldWidget,
    )
    ship_within_hours = forms.IntegerField(
        label=_("Ships within (hours)"), min_value=1, max_value=10_000, widget=UnfoldAdminIntegerFieldWidget
    )
    share_kind = forms.ChoiceField(
        label=_("Share of the stock"), required=False, widget=UnfoldAdminSelectWidget,
        choices=[("", _("No share: it may sell all that its nodes have")),
                 *((kind, kind.label) for kind in (ShareKind.EXCLUSIVE, ShareKind.BORROWABLE, ShareKind.CAPPED))],
    )  # fmt: skip
    share_percent = forms.DecimalField(
        label=_("How much of it (per cent)"),
        required=False,
        min_value=0,
        max_value=100,
        decimal_places=2,
        widget=UnfoldAdminDecimalFieldWidget,
        help_text=_("Becomes a draft among the channel shares: it does nothing until somebody publishes it."),
    )

    def __init__(self, *args: Any, may_share: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        nodes = Node.objects.order_by("code")
        self.fields["nodes"].choices = [(str(node.pk), columns.code_and_name(node)) for node in nodes]  # type: ignore[attr-defined]
        if not may_share:
            del self.fields["share_kind"], self.fields["share_percent"]

    def clean(self) -> dict[str, Any]:
        """Ask how much a share is."""
        told = super().clean() or {}
        if told.get("share_kind") and told.get("share_percent") is None and "share_percent" not in self.errors:
            self.add_error("share_percent", _("How much of the stock?"))
        return told

    def terms(self) -> Terms:
        """Return what was said, as the service takes it."""
        told = self.cleaned_data
        return Terms(
            node_ids=[int(node) for node in told["nodes"]],
            fee_percent=told["fee_percent"],
            unpaid_minutes=told["unpaid_minutes"],
            ship_within_hours=told["ship_within_hours"],
            share_kind=told.get("share_kind", ""),
            share_percent=told.get("share_percent") or Decimal(0),
        )


def known_terms(channel: Channel) -> dict[str, Any]:
    """Return what is stored, to begin the form with."""
    return {
        "nodes": [str(node.pk) for node in channel.nodes.all()],
        "fee_percent": channel.fee_percent,
        "unpaid_minutes": channel.unpaid_minutes,
        "ship_within_hours": channel.ship_within_hours,
    }
