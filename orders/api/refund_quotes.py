"""Asking what to refund: a dry run, with the reason of each figure."""

from collections.abc import Mapping
from typing import Any, Final

from django.http import Http404
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.generics import GenericAPIView
from rest_framework.request import Request
from rest_framework.response import Response

from audit.api.filters import refuse_unknown
from audit.api.permissions import ModelPermissions
from audit.api.problems import BadRequest, ProblemSerializer
from audit.models.sentences import render
from orders.models import Order
from orders.queries import went_back
from orders.services import refund_quotes
from orders.services.refund_quotes import MOST_LINES, NotWorkedOut, RefundQuote

MOST_UNITS: Final = 1_000_000
PROBLEM = OpenApiResponse(ProblemSerializer, description="What cannot come back, and why.")
ABSENT = OpenApiResponse(ProblemSerializer, description="There is no such number.")


class MayView(ModelPermissions):
    """Asking changes nothing: who may read orders may ask."""

    perms_map = ModelPermissions.perms_map | {"POST": ["%(app_label)s.view_%(model_name)s"]}


class UnitsSerializer(serializers.Serializer[Any]):
    """How many units of one line come back."""

    line_number = serializers.IntegerField(min_value=1)
    quantity = serializers.IntegerField(min_value=1, max_value=MOST_UNITS)


class RefundRequestSerializer(serializers.Serializer[Any]):
    """What comes back, each line once."""

    lines = UnitsSerializer(many=True, allow_empty=False, max_length=MOST_LINES)  # type: ignore[call-arg]  # of a list


class ReturnedLineSerializer(serializers.Serializer[Any]):
    """A line that comes back: units before and now, and what those of now cost in the order."""

    line_number = serializers.IntegerField(source="line.line_number")
    sku = serializers.CharField(source="line.sku.code", allow_null=True, default=None)
    came_back = serializers.IntegerField(source="before")
    quantity = serializers.IntegerField(source="now")
    price = serializers.DecimalField(14, 2)


class RefundChangeSerializer(serializers.Serializer[Any]):
    """A promotion that gives another amount without the units."""

    code = serializers.CharField()
    version = serializers.IntegerField(source="number")
    before = serializers.DecimalField(14, 2)
    after = serializers.DecimalField(14, 2)
    why = serializers.SerializerMethodField()

    def get_why(self, change: Any) -> str:
        """Return the promotion's new verdict in the language of the request."""
        return render(change.why.stored())


class GiftBackSerializer(serializers.Serializer[Any]):
    """Units of a gift to send back, or to charge."""

    sku = serializers.CharField()
    quantity = serializers.IntegerField()
    promotion = serializers.CharField(source="code")
    charge = serializers.DecimalField(14, 2)


class RefundQuoteSerializer(serializers.Serializer[Any]):
    """What to refund: ``amount`` = ``paid`` − ``remaining`` − ``earlier``, between nothing and what was paid."""

    order = serializers.CharField(source="order.number")
    currency = serializers.CharField(source="order.currency")
    is_suggestion = serializers.SerializerMethodField(help_text="True where the platform decides the amount.")
    amount = serializers.DecimalField(14, 2)
    amount_without_gifts = serializers.DecimalField(14, 2, help_text="When the gifts are not sent back.")
    paid = serializers.DecimalField(14, 2, help_text="What the order cost.")
    remaining = serializers.DecimalField(14, 2, help_text="What stays costs by itself.")
    earlier = serializers.DecimalField(14, 2, help_text="What went back before for lines that are in the order.")
    price = serializers.DecimalField(14, 2, help_text="What the units cost in the order.")
    lines = ReturnedLineSerializer(many=True)
    changes = RefundChangeSerializer(many=True)
    gifts = GiftBackSerializer(many=True)
    reasons = serializers.SerializerMethodField(help_text="Where each figure comes from.")
    warnings = serializers.SerializerMethodField(help_text="What to know before the money goes.")

    def get_reasons(self, quote: RefundQuote) -> list[str]:
        """Return the reasons in the language of the request."""
        return [render(one.stored()) for one in quote.reasons]

    def get_warnings(self, quote: RefundQuote) -> list[str]:
        """Return the warnings in the language of the request."""
        return [render(one.stored()) for one in quote.warnings]

    def get_is_suggestion(self, quote: RefundQuote) -> bool:
        """Return whether the platform makes the prices."""
        return not quote.order.channel.is_priced_here


class RefundQuoteView(GenericAPIView[Order]):
    """What to refund of an order; nothing is written."""

    queryset = Order.objects.select_related("channel", "customer")
    permission_classes = (MayView,)
    serializer_class = RefundRequestSerializer
    pagination_class = None

    @extend_schema(
        operation_id="order_refund_quote_of_everything",
        summary="What to refund when all that can come back comes back",
        responses={200: RefundQuoteSerializer, 400: PROBLEM, 404: ABSENT},
    )
    def get(self, request: Request, number: str) -> Response:
        """Answer for every unit that has not come back."""
        refuse_unknown(request, set())
        order = self._order(number)
        lines = list(order.lines.filter(is_cancelled=False).order_by("line_number")[:MOST_LINES])
        before = went_back.earlier(order, lines).units
        return _answer(order, {row.line_number: row.quantity - before.get(row.line_number, 0) for row in lines})

    @extend_schema(
        operation_id="order_refund_quote",
        summary="What to refund when these units come back",
        request=RefundRequestSerializer,
        responses={200: RefundQuoteSerializer, 400: PROBLEM, 404: ABSENT},
    )
    def post(self, request: Request, number: str) -> Response:
        """Answer for the units that are named."""
        asked = RefundRequestSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        units: dict[int, int] = {}
        for line in asked.validated_data["lines"]:
            units[line["line_number"]] = units.get(line["line_number"], 0) + line["quantity"]
        return _answer(self._order(number), units)

    def _order(self, number: str) -> Order:
        order = self.get_queryset().filter(number=number).first()
        if order is None:
            raise Http404
        return order


def _answer(order: Order, units: Mapping[int, int]) -> Response:
    try:
        quote = refund_quotes.work_out(order, units)
    except NotWorkedOut as refused:
        raise BadRequest("cannot_come_back", render(refused.reason.stored()), field="lines") from refused
    return Response(RefundQuoteSerializer(quote).data)
