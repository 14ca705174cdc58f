"""What may be promised now, per SKU and node."""

from collections.abc import Collection
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework.generics import GenericAPIView
from rest_framework.request import Request
from rest_framework.response import Response

from audit.api.filters import refuse_unknown
from audit.api.problems import BadRequest, ProblemSerializer
from inventory.api.serializers import AvailabilitySerializer
from inventory.models import Node, Sku, StockLevel
from inventory.queries import promise
from inventory.rules.geography import MAINLAND, REGIONS

MOST_SKUS = 500
ASKED = [
    OpenApiParameter("sku", str, many=True, required=True, description="SKU code; repeat for up to 500."),
    OpenApiParameter("node", str, many=True, description="Only these nodes."),
    OpenApiParameter("region", str, description="Only nodes that serve this province or country."),
]


class AvailabilityAnswer(GenericAPIView[StockLevel]):
    """What every question about availability has in common: who may ask, and how it is answered."""

    queryset = StockLevel.objects.all()  # whose permission to view is asked for
    serializer_class = AvailabilitySerializer
    pagination_class = None

    def answer(self, request: Request, *, channel: str | None = None, only: Collection[int] | None = None) -> Response:
        """Return the figures of the nodes asked for, of these only when given, and for one channel when given."""
        refuse_unknown(request, {"sku", "node", "region"})
        skus = _skus(list(dict.fromkeys(request.query_params.getlist("sku"))))
        nodes = _nodes(set(request.query_params.getlist("node")), request.query_params.get("region"))
        if only is not None:
            nodes = {node_id: code for node_id, code in nodes.items() if node_id in only}
        figures = promise.availability(skus.values(), nodes, on_date=timezone.localdate(), channel=channel)
        results = [
            {
                "sku": code,
                "available": figures[sku_id].total,
                "nodes": [
                    {"node": nodes[node_id], "available": units} for node_id, units in figures[sku_id].per_node.items()
                ],
            }
            for code, sku_id in skus.items()
        ]
        return Response(AvailabilitySerializer({"results": results}).data)


class AvailabilityView(AvailabilityAnswer):
    """Units that may still be promised: on hand, less reserved, less safety stock, at active nodes."""

    @extend_schema(
        summary="What may be promised now",
        parameters=ASKED,
        responses={200: AvailabilitySerializer, 400: OpenApiResponse(ProblemSerializer)},
    )
    def get(self, request: Request) -> Response:
        """Answer for the SKUs asked, in their order."""
        return self.answer(request)


def _skus(codes: list[str]) -> dict[str, int]:
    if not codes:
        raise BadRequest("missing_sku", _("Ask for at least one SKU: ?sku=CODE."), field="sku")
    if len(codes) > MOST_SKUS:
        raise BadRequest("too_many_skus", _("Ask for at most %(most)s SKUs.") % {"most": MOST_SKUS}, field="sku")
    found = dict(Sku.objects.filter(code__in=[c for c in codes if "\0" not in c]).values_list("code", "pk"))
    unknown = [code for code in codes if code not in found]
    if unknown:
        raise BadRequest("unknown_sku", _("There is no SKU %(codes)s.") % {"codes": _listed(unknown)}, field="sku")
    return {code: found[code] for code in codes}


def _nodes(codes: set[str], region: str | None) -> dict[int, str]:
    """Return the active nodes to look at, by code order."""
    rows: dict[str, Any] = {node.code: node for node in Node.objects.order_by("code")}
    unknown = sorted(codes - set(rows))
    if unknown:
        raise BadRequest("unknown_node", _("There is no node %(codes)s.") % {"codes": _listed(unknown)}, field="node")
    if region is not None and region not in REGIONS:
        raise BadRequest("unknown_region", _("There is no region %(code)s.") % {"code": region[:60]}, field="region")
    return {
        node.pk: node.code
        for node in rows.values()
        if node.is_active
        and (not codes or node.code in codes)
        and (region is None or region in (set(node.serves) or MAINLAND))
    }


def _listed(codes: list[str]) -> str:
    return ", ".join(code[:64] for code in codes[:20])
