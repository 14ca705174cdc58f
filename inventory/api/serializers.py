"""How availability looks through the API."""

from typing import Any

from rest_framework import serializers


class NodeAvailabilitySerializer(serializers.Serializer[Any]):
    """Units of a SKU that one node may still promise."""

    node = serializers.CharField()
    available = serializers.IntegerField()


class SkuAvailabilitySerializer(serializers.Serializer[Any]):
    """Units of a SKU that may still be promised."""

    sku = serializers.CharField()
    available = serializers.IntegerField(
        help_text="At all these nodes together; of a bundle, as many as its parts allow, wherever each comes from."
    )
    nodes = NodeAvailabilitySerializer(many=True, help_text="Nodes with at least one unit, or one whole bundle.")


class AvailabilitySerializer(serializers.Serializer[Any]):
    """The answer for the SKUs asked, in their order."""

    results = SkuAvailabilitySerializer(many=True)
