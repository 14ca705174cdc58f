"""What one channel may sell now."""

from typing import Any

from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.exceptions import NotFound
from rest_framework.generics import GenericAPIView
from rest_framework.request import Request
from rest_framework.response import Response

from audit.api.filters import refuse_unknown
from audit.api.problems import BadRequest, ProblemSerializer
from channels import queries
from channels.models import Channel
from inventory.api.serializers import AvailabilitySerializer
from inventory.api.views import ASKED, AvailabilityAnswer
from inventory.models import Sku, StockLevel
from inventory.queries import by_channel
from inventory.statuses import SkuKind

PROBLEM = OpenApiResponse(ProblemSerializer)


class ChannelAvailabilityView(AvailabilityAnswer):
    """Units that a channel may sell: what its nodes may still promise, within what channels' shares leave it."""

    @extend_schema(
        summary="What one channel may sell now",
        parameters=ASKED,
        responses={200: AvailabilitySerializer, 400: PROBLEM, 404: PROBLEM},
    )
    def get(self, request: Request, code: str) -> Response:
        """Answer for the SKUs asked, in their order."""
        channel = Channel.objects.filter(code=code).first()
        if channel is None:
            raise NotFound(_("There is no channel %(code)s.") % {"code": code[:60]})
        return self.answer(request, channel=code, only=queries.nodes_by_channel([channel.pk]).get(channel.pk))


class ChannelPartSerializer(serializers.Serializer[Any]):
    """One step of the sum behind a channel's figure."""

    name = serializers.CharField()
    channel = serializers.CharField(help_text="Of a share: whose it is.")
    units = serializers.IntegerField()


class ChannelFigureSerializer(serializers.Serializer[Any]):
    """What one channel may sell of a SKU, and why."""

    channel = serializers.CharField()
    value = serializers.IntegerField(help_text="What it may sell: the smaller of the two below, or a presale's rest.")
    at_nodes = serializers.IntegerField(help_text="What the nodes that serve it can promise: the sum of `parts`.")
    share_room = serializers.IntegerField(allow_null=True, help_text="What channels' shares leave it; null: no shares.")
    parts = ChannelPartSerializer(many=True)
    share_parts = ChannelPartSerializer(many=True)


class SkuChannelsSerializer(serializers.Serializer[Any]):
    """What every active channel may sell of a SKU."""

    sku = serializers.CharField()
    channels = ChannelFigureSerializer(many=True)


class SkuChannelsView(GenericAPIView[StockLevel]):
    """What each active channel may sell of a SKU now, with the sum that makes the figure. Not for bundles."""

    queryset = StockLevel.objects.all()  # whose permission to view is asked for
    serializer_class = SkuChannelsSerializer
    pagination_class = None

    @extend_schema(
        operation_id="stock_why_by_channel",
        summary="What each channel may sell of a SKU, and why",
        responses={200: SkuChannelsSerializer, 400: PROBLEM, 404: PROBLEM},
    )
    def get(self, request: Request, sku: str) -> Response:
        """Answer for one SKU."""
        refuse_unknown(request, set())
        found = Sku.objects.filter(code=sku).first() if "\0" not in sku else None
        if found is None:
            raise NotFound(_("There is no SKU %(codes)s.") % {"codes": sku[:64]})
        if found.kind == SkuKind.BUNDLE:
            raise BadRequest("bundle", _("A bundle has no stock of its own: ask for its parts."), field="sku")
        served = queries.served(Channel.objects.filter(is_active=True).order_by("code"))
        figures = by_channel.derive(found.pk, served, on_date=timezone.localdate())
        return Response(SkuChannelsSerializer({"sku": sku, "channels": [_told(one) for one in figures]}).data)


def _told(one: by_channel.ChannelFigure) -> dict[str, Any]:
    parts = [{"name": name, "channel": "", "units": units} for name, units in one.parts]
    return {
        "channel": one.channel, "value": one.value, "at_nodes": one.at_nodes, "share_room": one.share_room,
        "parts": parts, "share_parts": one.share_parts,
    }  # fmt: skip
