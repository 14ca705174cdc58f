"""What is asked when coupons are made: of which promotion, how many or which code, and when they hold."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminIntegerFieldWidget, UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from promotions.admin.builder_forms import Moment
from promotions.models import Promotion
from promotions.queries import coupon_books
from promotions.services import coupons
from promotions.services.coupons import Term

MOST_PROMOTIONS = 200


class CouponForm(forms.Form):
    """What batches and shared codes have in common. Only promotions that ask for a coupon are offered."""

    promotion = forms.ModelChoiceField(
        label=_("Promotion"), queryset=Promotion.objects.none(), widget=UnfoldAdminSelectWidget,
        help_text=_("Those that ask for a coupon. How often each buyer may use it stands in the promotion."),
    )  # fmt: skip
    starts_at = Moment(label=_("Valid from"), help_text=_("Empty: at once."))
    ends_at = Moment(label=_("Valid until"), help_text=_("Empty: as long as the promotion."))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field: Any = self.fields["promotion"]
        offered = coupon_books.promotion_ids_with_coupons(most=MOST_PROMOTIONS)
        field.queryset = Promotion.objects.filter(pk__in=offered).order_by("-pk")

    def term(self) -> Term:
        """Return when the coupons hold."""
        return Term(self.cleaned_data["starts_at"], self.cleaned_data["ends_at"])


class BatchForm(CouponForm):
    """Many codes that work once each."""

    name = forms.CharField(
        label=_("Name"), max_length=80, widget=UnfoldAdminTextInputWidget,
        help_text=_("What the coupons are for, so that people find them again."),
    )  # fmt: skip
    size = forms.IntegerField(
        label=_("How many"), min_value=1, max_value=coupons.MOST_AT_ONCE, widget=UnfoldAdminIntegerFieldWidget
    )
    beginning = forms.RegexField(
        label=_("They begin with"), regex=r"^[A-Za-z0-9 -]*$", required=False, widget=UnfoldAdminTextInputWidget,
        max_length=coupons.LONGEST - coupons.RANDOM_CHARACTERS, help_text=_("Twelve characters by chance follow."),
    )  # fmt: skip
    field_order = ("promotion", "name", "size", "beginning", "starts_at", "ends_at")


class SharedForm(CouponForm):
    """One code that many buyers may use."""

    code = forms.RegexField(
        label=_("Code"), regex=r"^[A-Za-z0-9 -]+$", max_length=coupons.LONGEST, widget=UnfoldAdminTextInputWidget,
        help_text=_("Capitals, spaces and dashes make no difference to buyers."),
    )  # fmt: skip
    most_uses = forms.IntegerField(
        label=_("Good for so many uses"), required=False, min_value=1, max_value=1_000_000_000,
        widget=UnfoldAdminIntegerFieldWidget, help_text=_("Of all buyers together; empty: no limit."),
    )  # fmt: skip
    field_order = ("promotion", "code", "most_uses", "starts_at", "ends_at")
