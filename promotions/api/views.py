"""Reading live promotions, and asking what baskets would cost."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.generics import GenericAPIView
from rest_framework.request import Request
from rest_framework.response import Response

from audit.api.filters import refuse_unknown
from audit.api.permissions import ModelPermissions
from audit.api.problems import BadRequest, ProblemSerializer
from audit.statuses import VersionStatus
from channels.models import Channel
from promotions.api import serializers
from promotions.models import Promotion, PromotionVersion
from promotions.queries import shop
from promotions.rules import rule as rules
from promotions.rules import sentences
from promotions.rules.baskets import Basket, BasketLine, Quote
from promotions.services import coupons, permissions, quotes

PROBLEM = OpenApiResponse(ProblemSerializer, description="What is wrong with the request.")


class MayView(ModelPermissions):
    """Asking what something would cost changes nothing: who may read promotions may ask."""

    perms_map = ModelPermissions.perms_map | {"POST": ["%(app_label)s.view_%(model_name)s"]}


class MaySee(ModelPermissions):
    """Whoever may read promotions, and whoever answers for a field of them, who then reads what stays inside it."""

    def has_permission(self, request: Request, view: Any) -> bool:
        """Return whether the person reads some promotions at all."""
        is_known = bool(request.user and request.user.is_authenticated)
        return super().has_permission(request, view) or (is_known and permissions.has_fields(request.user))


class PromotionsView(GenericAPIView[Promotion]):
    """The promotions that are live now, by code."""

    queryset = Promotion.objects.all()  # whose permission to view is asked for
    permission_classes = (MaySee,)
    serializer_class = serializers.PromotionSerializer
    pagination_class = None

    @extend_schema(
        operation_id="promotions_live",
        summary="Live promotions",
        responses={200: serializers.PromotionSerializer(many=True), 400: PROBLEM},
    )
    def get(self, request: Request) -> Response:
        """Answer with all of them, they are few; to whoever answers for a field only with what stays inside it."""
        refuse_unknown(request, set())
        live = PromotionVersion.objects.filter(status=VersionStatus.LIVE).select_related("promotion")
        if not request.user.has_perm("promotions.view_promotion"):
            live = live.filter(promotion__in=permissions.in_fields(request.user))
        versions = list(live.order_by("promotion__code"))
        said = [rules.from_json(version.body) for version in versions]
        names = shop.names(said)
        told = [
            {
                "code": version.promotion.code,
                "name": version.promotion.name,
                "version": version.number,
                "lane": rule.lane.value,
                "sentence": sentences.describe(rule, names).stored(),
                "starts_at": rule.starts_at,
                "ends_at": rule.ends_at,
                "live_at": version.live_at,
                "needs_coupon": rule.needs_coupon,
            }
            for version, rule in zip(versions, said, strict=True)
        ]
        return Response(serializers.PromotionSerializer(told, many=True).data)


class QuotesView(GenericAPIView[Promotion]):
    """What baskets would cost under the live promotions, and why; nothing is taken."""

    queryset = Promotion.objects.all()
    permission_classes = (MayView,)
    serializer_class = serializers.QuoteRequestSerializer
    pagination_class = None

    @extend_schema(
        operation_id="quotes",
        summary="What baskets would cost",
        request=serializers.QuoteRequestSerializer,
        responses={200: serializers.QuotesSerializer, 400: PROBLEM},
    )
    def post(self, request: Request) -> Response:
        """Answer for up to a hundred baskets."""
        asked = serializers.QuoteRequestSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        baskets = _baskets(asked.validated_data["baskets"])
        answered = quotes.quote(baskets, at=timezone.now())
        return Response({"results": [_shown(quote) for quote in answered]})


def _shown(quote: Quote) -> dict[str, Any]:
    verdicts = [
        {"code": verdict.code, "number": verdict.number, "outcome": verdict.outcome.value,
         "why": verdict.why.stored(), "amount": verdict.amount}
        for verdict in quote.verdicts
    ]  # fmt: skip
    shown = {name: getattr(quote, name) for name in ("reference", "lines", "goods", "discount", "shipping", "total",
                                                     "gifts", "is_exact")}  # fmt: skip
    return dict(serializers.QuoteSerializer(shown | {"verdicts": verdicts}).data)


def _baskets(asked: Sequence[Mapping[str, Any]]) -> list[Basket]:
    """Return the baskets as the engine reads them. Raises ``BadRequest`` for a channel or SKU that nobody knows."""
    channels = {row.code: row for row in Channel.objects.filter(code__in={basket["channel"] for basket in asked})}
    skus = shop.prices(line["sku"] for basket in asked for line in basket["lines"])
    for basket in asked:
        if basket["channel"] not in channels:
            raise BadRequest("unknown_channel", _("There is no channel %(code)s.") % {"code": basket["channel"]},
                             field="channel")  # fmt: skip
        for line in basket["lines"]:
            if line["sku"] not in skus:
                raise BadRequest("unknown_sku", _("There is no SKU %(codes)s.") % {"codes": line["sku"]}, field="sku")
    return [_basket(basket, channels[basket["channel"]], skus) for basket in asked]


def _basket(asked: Mapping[str, Any], channel: Channel, skus: Mapping[str, tuple[int, Any, str, str]]) -> Basket:
    lines = []
    for number, line in enumerate(asked["lines"], start=1):
        sku_id, _price, category, brand = skus[line["sku"]]
        lines.append(
            BasketLine(
                number, sku_id, line["quantity"], line["unit_price"], line["discount"], line["sku"], category, brand
            )
        )
    return Basket(
        reference=asked["reference"],
        channel_code=channel.code,
        currency=channel.currency,
        lines=tuple(lines),
        shipping=asked["shipping"],
        placed_at=asked.get("placed_at"),
        region=asked["region"],
        store=asked["store"],
        tier=asked["tier"],
        segments=frozenset(asked["segments"]),
        orders_before=asked["orders_before"],
        payment=asked["payment"],
        coupons=tuple(coupons.known_codes(asked["coupons"])),
        chosen_gifts=tuple(asked["chosen_gifts"]),
        is_priced_here=channel.is_priced_here,
    )
