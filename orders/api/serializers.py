"""How orders and parcels look through the API. Amounts are decimal strings, times are ISO 8601 with offset."""

from collections.abc import Callable
from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from audit.admin import masking
from audit.api.fields import SentenceField
from orders.models import Fulfillment, FulfillmentLine, Hold, Order, OrderEvent, OrderLine, OrderPricing

SEE_PERSONAL = "orders.view_order_personal"
PERSONAL: dict[str, Callable[[str], str]] = {
    "recipient_name": masking.name,
    "recipient_phone": masking.phone,
    "recipient_address": masking.address,
    "buyer_note": masking.address,
}


class OrderLineSerializer(serializers.ModelSerializer[OrderLine]):
    """One line; ``sku`` is null while nobody knows what the channel's code means."""

    sku = serializers.CharField(source="sku.code", allow_null=True, default=None, read_only=True)

    class Meta:
        model = OrderLine
        fields = (
            "line_number", "external_id", "external_sku", "sku", "title", "quantity", "quantity_allocated",
            "quantity_shipped", "unit_price", "discount_amount", "promotion_amount", "net_amount", "is_gift",
            "promotion_code", "is_cancelled",
        )  # fmt: skip


class ContentSerializer(serializers.ModelSerializer[FulfillmentLine]):
    """How many of which SKU are in a parcel, and for which line."""

    line_number = serializers.IntegerField(source="order_line.line_number", read_only=True)
    sku = serializers.CharField(source="sku.code", read_only=True)

    class Meta:
        model = FulfillmentLine
        fields = ("line_number", "sku", "quantity")


class ParcelSerializer(serializers.ModelSerializer[Fulfillment]):
    """A parcel inside its order."""

    node = serializers.CharField(source="node.code", read_only=True)
    contents = ContentSerializer(source="lines", many=True, read_only=True)

    class Meta:
        model = Fulfillment
        fields: tuple[str, ...] = (
            "number", "node", "status", "planned_at", "released_at", "packed_at", "shipped_at", "delivered_at",
            "carrier_code", "tracking_number", "planned_carrier", "release_after", "arrives_from", "arrives_until",
            "contents",
        )  # fmt: skip


class FulfillmentSerializer(ParcelSerializer):
    """A parcel by itself, with the number of its order."""

    order = serializers.CharField(source="order.number", read_only=True)

    class Meta(ParcelSerializer.Meta):
        fields = ("order", *ParcelSerializer.Meta.fields)


class HoldSerializer(serializers.ModelSerializer[Hold]):
    """Why an order waits, or waited."""

    reason = SentenceField()

    class Meta:
        model = Hold
        fields = ("kind", "reason", "opened_at", "opened_by", "lifted_at", "lifted_by")


class PriceVerdictSerializer(serializers.Serializer[Any]):
    """What became of one promotion when the order was priced, and why."""

    code = serializers.CharField()
    version = serializers.IntegerField(source="number")
    outcome = serializers.CharField()
    why = SentenceField()
    amount = serializers.DecimalField(14, 2)


class PricingSerializer(serializers.ModelSerializer[OrderPricing]):
    """Why the order costs what it costs: the newest pricing."""

    verdicts = PriceVerdictSerializer(many=True, read_only=True)

    class Meta:
        model = OrderPricing
        fields = ("priced_at", "amount", "is_exact", "verdicts")


class EventSerializer(serializers.ModelSerializer[OrderEvent]):
    """One thing that happened to an order."""

    detail = SentenceField()

    class Meta:
        model = OrderEvent
        fields = ("kind", "happened_at", "actor", "detail")


class OrderSummarySerializer(serializers.ModelSerializer[Order]):
    """An order in a list; nothing that names its buyer."""

    channel = serializers.CharField(source="channel.code", read_only=True)

    class Meta:
        model = Order
        fields: tuple[str, ...] = (
            "number", "channel", "external_id", "status", "money_state", "goods_state", "open_holds", "currency",
            "total_amount", "paid_amount", "country", "region", "city", "placed_at", "paid_at", "ship_by", "shipped_at",
            "delivered_at", "cancelled_at",
        )  # fmt: skip


class OrderSerializer(OrderSummarySerializer):
    """An order with all its parts. Who gets it is masked unless the reader may see personal data."""

    lines = OrderLineSerializer(many=True, read_only=True)
    parcels = ParcelSerializer(source="fulfillments", many=True, read_only=True)
    holds = HoldSerializer(many=True, read_only=True)
    events = EventSerializer(many=True, read_only=True)
    pricing = serializers.SerializerMethodField(help_text="Null when no promotion was live.")
    is_masked = serializers.SerializerMethodField(help_text="Whether personal data is masked for this reader.")

    class Meta(OrderSummarySerializer.Meta):
        fields = (
            *OrderSummarySerializer.Meta.fields, "revision", "goods_amount", "discount_amount", "shipping_amount",
            "district", *PERSONAL, "is_masked", "seller_note", "received_at", "reserved_until", "cancel_reason",
            "coupon_codes", "store_code", "method", "deliver_by", "arrives_from", "arrives_until",
            "lines", "pricing", "parcels", "holds", "events",
        )  # fmt: skip

    @extend_schema_field(PricingSerializer(allow_null=True))
    def get_pricing(self, order: Order) -> dict[str, Any] | None:
        """Return the newest pricing with what each promotion said."""
        newest = order.pricings.order_by("-pk").first()
        return None if newest is None else dict(PricingSerializer(newest).data)

    @extend_schema_field(bool)
    def get_is_masked(self, _order: Order) -> bool:
        """Return whether this reader sees only the recognisable part."""
        return not self.context["request"].user.has_perm(SEE_PERSONAL)

    def to_representation(self, instance: Order) -> dict[str, Any]:
        """Mask what names the buyer."""
        shown = super().to_representation(instance)
        if shown["is_masked"]:
            for name, mask in PERSONAL.items():
                shown[name] = mask(shown[name])
        return shown
