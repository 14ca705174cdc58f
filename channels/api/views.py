"""What channels may sell, and why."""

from typing import Any

from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.exceptions import NotFound
from rest_framework.generics import GenericAPIView
from rest_framework.request import Request
from rest_framework.response import Response

from audit.api.problems import BadRequest, ProblemSerializer
from channels import queries
from channels.models import Channel
from inventory.api.serializers import AvailabilitySerializer
from inventory.api.stock import AS_OF, moment
from inventory.api.views import ASKED, AvailabilityAnswer
from inventory.models import Sku, StockLevel
from inventory.queries import by_channel, share_use
from inventory.queries.share_use import ShareUse
from inventory.statuses import ShareKind, ShareUnit, SkuKind

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


class ShareUseSerializer(serializers.Serializer[ShareUse]):
    """A channel's share of a SKU, and how much of it is used."""

    channel = serializers.CharField(source="pool.channel")
    share = serializers.IntegerField(source="share_id")
    kind = serializers.ChoiceField(source="pool.kind", choices=ShareKind.choices)
    unit = serializers.ChoiceField(source="pool.unit", choices=ShareUnit.choices)
    amount = serializers.DecimalField(source="pool.amount", max_digits=11, decimal_places=2)
    since = serializers.DateTimeField(source="opened_at")
    reserved = serializers.IntegerField(source="pool.reserved")
    sold = serializers.IntegerField(source="pool.sold", help_text="Shipped since the share began.")
    promised = serializers.IntegerField(source="pool.promised", help_text="Sold before the stock has come.")
    used = serializers.IntegerField(source="pool.used", help_text="What counts against it; of a per cent not the sold.")
    differs = serializers.BooleanField(help_text="Whether the hub has counted something else.")


class SkuChannelsSerializer(serializers.Serializer[Any]):
    """What every selling channel may sell of a SKU."""

    sku = serializers.CharField()
    at = serializers.DateTimeField(allow_null=True, help_text="The moment asked for; null: now.")
    channels = ChannelFigureSerializer(many=True)
    shares = ShareUseSerializer(many=True, help_text="Channels' shares of it, rebuilt from the rows behind them.")


class SkuChannelsView(GenericAPIView[StockLevel]):
    """What each selling channel may sell of a SKU, with the sum that makes the figure. Not for bundles."""

    queryset = StockLevel.objects.all()  # whose permission to view is asked for
    serializer_class = SkuChannelsSerializer
    pagination_class = None

    @extend_schema(
        operation_id="stock_why_by_channel",
        summary="What each channel may sell of a SKU, and why",
        parameters=[AS_OF],
        responses={200: SkuChannelsSerializer, 400: PROBLEM, 404: PROBLEM},
    )
    def get(self, request: Request, sku: str) -> Response:
        """Answer for one SKU."""
        at = moment(request)
        found = Sku.objects.filter(code=sku).first() if "\0" not in sku else None
        if found is None:
            raise NotFound(_("There is no SKU %(codes)s.") % {"codes": sku[:64]})
        if found.kind == SkuKind.BUNDLE:
            raise BadRequest("bundle", _("A bundle has no stock of its own: ask for its parts."), field="sku")
        served = {one.channel.code: one.node_ids for one in queries.selling(at=at)}
        figures = by_channel.derive(found.pk, served, on_date=timezone.localdate(at), at=at)
        told = {
            "sku": sku, "at": at, "channels": [_told(one) for one in figures],
            "shares": share_use.derive(found.pk, at=at),
        }  # fmt: skip
        return Response(SkuChannelsSerializer(told).data)


def _told(one: by_channel.ChannelFigure) -> dict[str, Any]:
    parts = [{"name": name, "channel": "", "units": units} for name, units in one.parts]
    return {
        "channel": one.channel, "value": one.value, "at_nodes": one.at_nodes, "share_room": one.share_room,
        "parts": parts, "share_parts": one.share_parts,
    }  # fmt: skip
