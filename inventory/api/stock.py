"""Stock levels, and where their figures come from, now or as of a past moment."""

from datetime import datetime
from typing import Any

from django.db.models import F, QuerySet
from django.db.models.functions import Greatest
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext_lazy as _
from django_filters import rest_framework as filters
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema, extend_schema_view
from rest_framework import mixins, viewsets
from rest_framework.exceptions import NotFound
from rest_framework.generics import GenericAPIView
from rest_framework.request import Request
from rest_framework.response import Response

from audit.api.filters import refuse_unknown
from audit.api.problems import BadRequest, ProblemSerializer
from inventory.api import figures
from inventory.api.stock_pages import LevelPages
from inventory.models import Node, Sku, StockLevel
from inventory.queries import derivation, network

PROBLEM = OpenApiResponse(ProblemSerializer, description="What is wrong with the request.")
ABSENT = OpenApiResponse(ProblemSerializer, description="There is no such SKU or node.")
AS_OF = OpenApiParameter("at", datetime, description="As of this past moment, with an offset; now when absent.")


class StockFilter(filters.FilterSet):
    """Parameters of the list of stock levels."""

    sku = filters.ModelChoiceFilter(queryset=Sku.objects.all(), to_field_name="code")
    node = filters.ModelChoiceFilter(queryset=Node.objects.all(), to_field_name="code")
    low_first = filters.BooleanFilter(method="as_it_is", help_text="`true`: what has least available comes first.")

    class Meta:
        model = StockLevel
        fields: tuple[str, ...] = ()

    def as_it_is(self, queryset: QuerySet[Any], name: str, value: Any) -> QuerySet[Any]:
        """Leave the order to the pages, which must go on where they stopped."""
        return queryset


@extend_schema_view(
    list=extend_schema(
        summary="Stock levels", responses={200: figures.StockLevelSerializer(many=True), 400: PROBLEM}
    ),
)  # fmt: skip
class StockViewSet(mixins.ListModelMixin, viewsets.GenericViewSet[StockLevel]):
    """The balance of each SKU at each node, by SKU and node as they were added, or least available first."""

    queryset = StockLevel.objects.all()
    serializer_class = figures.StockLevelSerializer
    filterset_class = StockFilter
    pagination_class = LevelPages

    def get_queryset(self) -> QuerySet[StockLevel]:
        """Return levels with what may still be promised of each."""
        left = F("on_hand") - F("reserved") - F("quality_hold") - F("safety_stock")
        return StockLevel.objects.select_related("sku", "node").annotate(left=Greatest(left, 0))


class NodeWhyView(GenericAPIView[StockLevel]):
    """What each figure of a SKU at one node is made of: its parts, and the newest fifty rows behind it."""

    queryset = StockLevel.objects.all()  # whose permission to view is asked for
    serializer_class = figures.NodeWhySerializer
    pagination_class = None

    @extend_schema(
        operation_id="stock_why_at_node",
        summary="Where a SKU's figures at one node come from",
        parameters=[AS_OF],
        responses={200: figures.NodeWhySerializer, 400: PROBLEM, 404: ABSENT},
    )
    def get(self, request: Request, sku: str, node: str) -> Response:
        """Answer for one SKU at one node."""
        at = moment(request)
        sku_id, node_id = _sku_id(sku), Node.objects.filter(code=node).values_list("pk", flat=True).first()
        if node_id is None:
            raise NotFound(_("There is no node %(codes)s.") % {"codes": node[:60]})
        derived = derivation.derive(sku_id, node_id, at=at)
        return Response(
            figures.NodeWhySerializer({"sku": sku, "node": node, "at": at, "figures": derived.figures}).data
        )


class NetworkWhyView(GenericAPIView[StockLevel]):
    """A SKU's figures in total and at every node that has, had or expects it."""

    queryset = StockLevel.objects.all()
    serializer_class = figures.NetworkWhySerializer
    pagination_class = None

    @extend_schema(
        operation_id="stock_why_everywhere",
        summary="A SKU's figures at all nodes",
        parameters=[AS_OF],
        responses={200: figures.NetworkWhySerializer, 400: PROBLEM, 404: ABSENT},
    )
    def get(self, request: Request, sku: str) -> Response:
        """Answer for one SKU."""
        at = moment(request)
        derived = network.derive(_sku_id(sku), at=at)
        nodes = [
            {"node": entry.node.code, "figures": {figure.name: figure.value for figure in entry.figures}}
            for entry in derived.nodes
        ]
        told = {"sku": sku, "at": at, "figures": derived.totals, "nodes": nodes}
        return Response(figures.NetworkWhySerializer(told).data)


def _sku_id(code: str) -> int:
    """Return a SKU's key. Raises ``NotFound``."""
    found = Sku.objects.filter(code=code).values_list("pk", flat=True).first() if "\0" not in code else None
    if found is None:
        raise NotFound(_("There is no SKU %(codes)s.") % {"codes": code[:64]})
    return found


def moment(request: Request) -> datetime | None:
    """Return the past moment asked for, none for now. Raises ``BadRequest``."""
    refuse_unknown(request, {"at"})
    text = request.query_params.get("at")
    if text is None:
        return None
    try:
        at = parse_datetime(text)
    except ValueError:
        at = None
    if at is None or timezone.is_naive(at):
        raise BadRequest(
            "bad_moment", _("A moment has a date, a time and an offset: 2026-11-02T12:00+08:00."), field="at"
        )
    if at > timezone.now():
        raise BadRequest("bad_moment", _("This moment has not come yet."), field="at")
    return at
