"""How promotions and quotes look through the API. Amounts are decimal strings."""

from decimal import Decimal
from typing import Any, Final

from rest_framework import serializers

from audit.api.fields import SentenceField

MOST_BASKETS: Final = 100
MOST_LINES: Final = 200
MOST_MONEY: Final = Decimal(100_000_000)


class PromotionSerializer(serializers.Serializer[Any]):
    """A promotion that is live: what it says, in the language of the request."""

    code = serializers.CharField()
    name = serializers.CharField()
    version = serializers.IntegerField()
    lane = serializers.CharField(help_text="price, item, order, coupon, deposit, shipping, gift or limit.")
    sentence = SentenceField(help_text="What it says.")
    starts_at = serializers.DateTimeField(allow_null=True)
    ends_at = serializers.DateTimeField(allow_null=True)
    live_at = serializers.DateTimeField()
    needs_coupon = serializers.BooleanField()


class AskedLineSerializer(serializers.Serializer[Any]):
    """One line of a basket; ``discount`` is the channel's own, for the whole line."""

    sku = serializers.CharField(max_length=64)
    quantity = serializers.IntegerField(min_value=1, max_value=100_000)
    unit_price = serializers.DecimalField(14, 4, min_value=Decimal(0), max_value=MOST_MONEY)
    discount = serializers.DecimalField(14, 2, min_value=Decimal(0), max_value=MOST_MONEY, default=Decimal(0))


class BasketSerializer(serializers.Serializer[Any]):
    """What is bought together, by whom and where."""

    reference = serializers.CharField(max_length=100, help_text="Comes back with the quote.")
    channel = serializers.CharField(max_length=20, help_text="The channel's code.")
    lines = AskedLineSerializer(many=True, allow_empty=False, max_length=MOST_LINES)  # type: ignore[call-arg]  # of a list
    shipping = serializers.DecimalField(14, 2, min_value=Decimal(0), max_value=MOST_MONEY, default=Decimal(0))
    placed_at = serializers.DateTimeField(required=False, help_text="Now when absent.")
    region = serializers.CharField(max_length=6, default="", help_text="Province code, or country abroad.")
    store = serializers.CharField(max_length=40, default="")
    tier = serializers.CharField(max_length=20, default="")
    segments = serializers.ListField(child=serializers.CharField(max_length=40), default=list, max_length=50)
    orders_before = serializers.IntegerField(min_value=0, required=False, allow_null=True, default=None)
    payment = serializers.CharField(max_length=20, default="")
    coupons = serializers.ListField(child=serializers.CharField(max_length=40), default=list, max_length=20)
    chosen_gifts = serializers.ListField(child=serializers.CharField(max_length=64), default=list, max_length=20)


class QuoteRequestSerializer(serializers.Serializer[Any]):
    """At most a hundred baskets."""

    baskets = BasketSerializer(many=True, allow_empty=False, max_length=MOST_BASKETS)  # type: ignore[call-arg]  # of a list


class GrantSerializer(serializers.Serializer[Any]):
    """What one promotion took off a line."""

    code = serializers.CharField()
    amount = serializers.DecimalField(14, 2)


class QuotedLineSerializer(serializers.Serializer[Any]):
    """What one line costs; lines are numbered from 1 in the order asked."""

    line_number = serializers.IntegerField()
    gross = serializers.DecimalField(14, 2)
    discount = serializers.DecimalField(14, 2)
    net = serializers.DecimalField(14, 2)
    grants = GrantSerializer(many=True)


class QuotedGiftSerializer(serializers.Serializer[Any]):
    """Units that a promotion adds."""

    sku = serializers.CharField()
    quantity = serializers.IntegerField()
    code = serializers.CharField()


class QuoteVerdictSerializer(serializers.Serializer[Any]):
    """What became of one promotion, and why."""

    code = serializers.CharField()
    version = serializers.IntegerField(source="number")
    outcome = serializers.CharField()
    why = SentenceField()
    amount = serializers.DecimalField(14, 2)


class QuoteSerializer(serializers.Serializer[Any]):
    """What a basket would cost. Nothing was taken: no coupon, no budget, no gift."""

    reference = serializers.CharField()
    lines = QuotedLineSerializer(many=True)
    goods = serializers.DecimalField(14, 2)
    discount = serializers.DecimalField(14, 2)
    shipping = serializers.DecimalField(14, 2)
    total = serializers.DecimalField(14, 2)
    gifts = QuotedGiftSerializer(many=True)
    verdicts = QuoteVerdictSerializer(many=True)
    is_exact = serializers.BooleanField(help_text="False: too many combinations; the best of those tried.")


class QuotesSerializer(serializers.Serializer[Any]):
    """The quotes in the order asked."""

    results = QuoteSerializer(many=True)
