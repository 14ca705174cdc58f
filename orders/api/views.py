"""Reading orders and parcels."""

from typing import Any

from django.db.models import Prefetch, QuerySet
from drf_spectacular.utils import OpenApiResponse, extend_schema, extend_schema_view
from rest_framework import mixins, viewsets
from rest_framework.serializers import BaseSerializer

from audit.api.problems import ProblemSerializer
from orders.api import serializers
from orders.api.filters import FulfillmentFilter, OrderFilter
from orders.models import Fulfillment, FulfillmentLine, Hold, Order, OrderEvent, OrderLine

PROBLEM = OpenApiResponse(ProblemSerializer, description="What is wrong with the request.")
ABSENT = OpenApiResponse(ProblemSerializer, description="There is no such number.")
CONTENTS = FulfillmentLine.objects.select_related("sku", "order_line").order_by("pk")


@extend_schema_view(
    list=extend_schema(
        summary="Orders, newest first", responses={200: serializers.OrderSummarySerializer(many=True), 400: PROBLEM}
    ),
    retrieve=extend_schema(
        summary="One order with its parts", responses={200: serializers.OrderSerializer, 404: ABSENT}
    ),
)
class OrderViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, viewsets.GenericViewSet[Order]):
    """Orders of every channel as one kind of order."""

    queryset = Order.objects.all()
    lookup_field = "number"
    lookup_value_regex = ".+"  # a channel's number may hold a slash
    filterset_class = OrderFilter
    newest_by = "placed_at"

    def get_queryset(self) -> QuerySet[Order]:
        """Return orders with what is shown of them, in as many queries as there are kinds of rows."""
        orders = Order.objects.select_related("channel")
        if self.action != "retrieve":
            return orders
        return orders.prefetch_related(
            Prefetch("lines", OrderLine.objects.select_related("sku").order_by("line_number")),
            Prefetch("fulfillments", Fulfillment.objects.select_related("node").order_by("pk")),
            Prefetch("fulfillments__lines", CONTENTS),
            Prefetch("holds", Hold.objects.order_by("pk")),
            Prefetch("events", OrderEvent.objects.order_by("pk")),
        )

    def get_serializer_class(self) -> type[BaseSerializer[Any]]:
        """Return the short form for lists."""
        return serializers.OrderSerializer if self.action == "retrieve" else serializers.OrderSummarySerializer


@extend_schema_view(
    list=extend_schema(
        summary="Parcels, newest first", responses={200: serializers.FulfillmentSerializer(many=True), 400: PROBLEM}
    ),
    retrieve=extend_schema(
        summary="One parcel with its contents", responses={200: serializers.FulfillmentSerializer, 404: ABSENT}
    ),
)
class FulfillmentViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, viewsets.GenericViewSet[Fulfillment]):
    """Parcels: what one node sends of one order."""

    queryset = Fulfillment.objects.select_related("order", "node").prefetch_related(Prefetch("lines", CONTENTS))
    serializer_class = serializers.FulfillmentSerializer
    lookup_field = "number"
    lookup_value_regex = ".+"
    filterset_class = FulfillmentFilter
    newest_by = "planned_at"
