"""Why these nodes, through the API: an order's routing decisions, newest first, in the language of the request."""

from typing import Any, Final

from django.http import Http404
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.generics import ListAPIView

from audit.api.fields import SentenceField
from audit.models.sentences import render
from orders.api.views import ABSENT
from orders.models import Order, RoutingDecision
from orders.rules import explaining

MOST_DECISIONS: Final = 100  # of one order; each reroute makes one


class CandidateSerializer(serializers.Serializer[explaining.Candidate]):
    """One node as the decision saw it; ``cost`` is that of one parcel with the whole order, in yuan."""

    node = serializers.CharField(source="code")
    verdict = serializers.CharField()
    words = serializers.SerializerMethodField(help_text="The verdict in the language of the request.")
    km = serializers.IntegerField(allow_null=True)
    cost = serializers.FloatField(allow_null=True)
    lacks = serializers.IntegerField(help_text="Units of the order that the node does not have.")
    terms = serializers.DictField(
        child=serializers.FloatField(), help_text="What the cost is made of, weighted, in yuan."
    )
    detail = serializers.DictField(help_text="The values behind the verdict.")

    @extend_schema_field(str)
    def get_words(self, candidate: explaining.Candidate) -> str:
        """Return the verdict in words."""
        words = explaining.VERDICTS.get(candidate.verdict)
        return render(words.stored()) if words else candidate.verdict


class DecisionSerializer(serializers.ModelSerializer[RoutingDecision]):
    """One decision: by which policy, what came out, and why."""

    policy_group = serializers.CharField(source="group")
    reasons = serializers.SerializerMethodField(help_text="Sentences in the language of the request.")
    candidates = serializers.SerializerMethodField()

    class Meta:
        model = RoutingDecision
        fields = (
            "decided_at", "kind", "policy", "policy_group", "is_pilot", "outcome", "cost", "run", "decided_by",
            "reason", "reasons", "candidates",
        )  # fmt: skip

    @extend_schema_field(serializers.ListField(child=SentenceField()))
    def get_reasons(self, decision: RoutingDecision) -> list[str]:
        """Return who sends what and why, who came second, and what would have changed it."""
        return [render(one.stored()) for one in explaining.sentences(decision.explanation)]

    @extend_schema_field(CandidateSerializer(many=True))
    def get_candidates(self, decision: RoutingDecision) -> list[dict[str, Any]]:
        """Return every node that was looked at."""
        return [dict(CandidateSerializer(one).data) for one in explaining.candidates(decision.explanation)]


@extend_schema(summary="Why these nodes: an order's routing decisions, newest first",
               responses={200: DecisionSerializer(many=True), 404: ABSENT})  # fmt: skip
class OrderRoutingView(ListAPIView[RoutingDecision]):
    """Every routing decision of one order, with every candidate."""

    queryset = RoutingDecision.objects.all()
    serializer_class = DecisionSerializer
    pagination_class = None
    filter_backends = ()

    def get_queryset(self) -> Any:
        """Return the decisions; 404 for a number that no order has."""
        order_id = Order.objects.filter(number=self.kwargs["number"]).values_list("pk", flat=True).first()
        if order_id is None:
            raise Http404
        return RoutingDecision.objects.filter(order=order_id).order_by("-decided_at", "-pk")[:MOST_DECISIONS]
