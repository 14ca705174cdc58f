"""How figures of stock and what they are made of look through the API."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from inventory.models import StockLevel
from inventory.queries.derivation import NAMES, Figure


class StockLevelSerializer(serializers.ModelSerializer[StockLevel]):
    """The balance of one SKU at one node."""

    sku = serializers.CharField(source="sku.code", read_only=True)
    node = serializers.CharField(source="node.code", read_only=True)
    available = serializers.IntegerField(source="left", read_only=True, help_text="What may still be promised.")

    class Meta:
        model = StockLevel
        fields = ("sku", "node", "on_hand", "reserved", "quality_hold", "safety_stock", "available")


class FigurePartSerializer(serializers.Serializer[Any]):
    """Units of one kind that make a figure; of a total, the units of one node."""

    kind = serializers.CharField(help_text="A kind of movement, a reason, a rule, or the name of another figure.")
    units = serializers.IntegerField()
    rows = serializers.IntegerField(help_text="How many rows these units are in.")


class FigureRowSerializer(serializers.Serializer[Any]):
    """One record behind a figure."""

    record = serializers.CharField(source="model", help_text="What it is, e.g. `inventory.stockmovement`.")
    id = serializers.IntegerField(source="pk")
    units = serializers.IntegerField(source="quantity")
    at = serializers.DateTimeField()
    kind = serializers.CharField()
    reference = serializers.CharField(help_text="Whom or what it is for: a parcel, a transfer, an expected receipt.")


class FigureSerializer(serializers.Serializer[Figure]):
    """One figure with what it is made of."""

    name = serializers.ChoiceField(choices=NAMES)
    value = serializers.IntegerField()
    stored = serializers.IntegerField(
        allow_null=True, help_text="What the hub works with; null for a past moment and for figures it does not store."
    )
    differs = serializers.BooleanField(help_text="Whether the hub has stored something else.")
    parts = serializers.SerializerMethodField(help_text="The sums that make the figure.")
    row_count = serializers.IntegerField(source="count", help_text="How many rows stand behind it.")

    @extend_schema_field(FigurePartSerializer(many=True))
    def get_parts(self, figure: Figure) -> list[dict[str, Any]]:
        """Return the sums that make the figure."""
        return [{"kind": kind, "units": units, "rows": rows} for kind, units, rows in figure.parts]


class OpenFigureSerializer(FigureSerializer):
    """One figure with what it is made of and its newest rows."""

    rows = FigureRowSerializer(many=True, help_text="The newest fifty.")


class NodeWhySerializer(serializers.Serializer[Any]):
    """Where a SKU's figures at one node come from."""

    sku = serializers.CharField()
    node = serializers.CharField()
    at = serializers.DateTimeField(allow_null=True, help_text="The moment asked for; null: now.")
    figures = OpenFigureSerializer(many=True)


class NodeFiguresSerializer(serializers.Serializer[Any]):
    """One node's figures by name."""

    node = serializers.CharField()
    figures = serializers.DictField(child=serializers.IntegerField())


class NetworkWhySerializer(serializers.Serializer[Any]):
    """A SKU's figures in total and node by node."""

    sku = serializers.CharField()
    at = serializers.DateTimeField(allow_null=True, help_text="The moment asked for; null: now.")
    figures = FigureSerializer(many=True, help_text="All nodes together; each part is a node's.")
    nodes = NodeFiguresSerializer(many=True)
