"""Who decides by which policy, every decision with what it was decided on, and what came of it at the nodes."""

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _
from simple_history.models import HistoricalRecords

from audit.models import GovernedVersion
from audit.models.version import constraints_of
from inventory.models import Node
from orders.models.order import Order
from orders.statuses import AttemptOutcome, DisruptionEffect, RoutingKind


class RoutingPolicy(models.Model):
    """A routing policy under a code that never changes; what it says stands in its versions.

    The one whose code the setting ``ROUTING_POLICY`` names routes the orders; the others are candidates for what-if
    runs and pilots.
    """

    code = models.CharField(_("code"), max_length=30, unique=True, db_collation="C")
    name = models.CharField(_("name"), max_length=80)
    name_en = models.CharField(_("English name"), max_length=80, blank=True)
    created_at = models.DateTimeField(_("created at"))
    history = HistoricalRecords()

    class Meta:
        verbose_name = _("routing policy")
        verbose_name_plural = _("routing policies")
        constraints = [
            models.CheckConstraint(condition=Q(code__regex=r"^[A-Za-z0-9_-]+$"), name="a_policy_code_is_a_word"),
        ]

    def __str__(self) -> str:
        return f"{self.code} {self.name}"


class RoutingPolicyVersion(GovernedVersion):
    """What a policy says from a moment on; ``body`` is an ``orders.rules.routing.policy.Policy`` as JSON."""

    subject_field = "policy"

    policy = models.ForeignKey(
        RoutingPolicy, on_delete=models.PROTECT, related_name="versions", verbose_name=_("routing policy")
    )
    history = HistoricalRecords()

    class Meta:
        verbose_name = _("version of a routing policy")
        verbose_name_plural = _("versions of routing policies")
        permissions = [
            ("approve_routingpolicyversion", "Can approve versions of routing policies"),
            ("stop_routingpolicyversion", "Can stop a live routing policy at once"),
        ]
        constraints = constraints_of("policy", "routing_policy")
        indexes = [
            models.Index(fields=["publish_at"], condition=Q(status="scheduled"), name="routing_policy_scheduled"),
        ]

    def __str__(self) -> str:
        return f"{self.policy_id}/{self.number}"


class RoutingPilot(models.Model):
    """A share of the orders, by hash of their numbers, that an approved version routes beside the acting policy."""

    version = models.ForeignKey(
        RoutingPolicyVersion, on_delete=models.PROTECT, related_name="pilots", verbose_name=_("version")
    )
    share_percent = models.PositiveSmallIntegerField(_("share (per cent)"))
    salt = models.CharField(
        _("salt"), max_length=20, help_text=_("Makes each pilot draw its own orders; the same for its whole time.")
    )
    reason = models.CharField(_("reason"), max_length=200)
    started_at = models.DateTimeField(_("started at"))
    started_by = models.CharField(_("started by"), max_length=80)
    ended_at = models.DateTimeField(_("ended at"), null=True, blank=True)
    ended_by = models.CharField(_("ended by"), max_length=80, blank=True)
    outcome = models.CharField(_("outcome"), max_length=200, blank=True)

    class Meta:
        verbose_name = _("pilot")
        verbose_name_plural = _("pilots")
        permissions = [("run_routingpilot", "Can start and end pilots")]
        constraints = [
            models.CheckConstraint(
                condition=Q(share_percent__gte=1) & Q(share_percent__lte=90), name="a_pilot_has_a_share_and_a_control"
            ),
            models.UniqueConstraint(models.Value(1), condition=Q(ended_at__isnull=True), name="one_pilot_at_a_time"),
        ]

    def __str__(self) -> str:
        return f"{self.version_id}: {self.share_percent} %"


class RoutingSituation(models.Model):
    """Nodes, tariffs, lanes and disruptions as decisions saw them; the same again is kept once."""

    digest = models.CharField(_("digest"), max_length=64, unique=True, db_collation="C")
    body = models.BinaryField(_("situation"))
    first_seen_at = models.DateTimeField(_("first seen at"))

    class Meta:
        verbose_name = _("routing situation")
        verbose_name_plural = _("routing situations")

    def __str__(self) -> str:
        return self.digest[:12]


class RoutingRun(models.Model):
    """One round of planning: what was wanted in which order, and the stock as it was. Enough to decide it again.

    ``body`` is compressed; see ``orders.services.routing_records``.
    """

    situation = models.ForeignKey(
        RoutingSituation, on_delete=models.PROTECT, null=True, related_name="runs", verbose_name=_("situation"),
        db_index=False,
    )  # fmt: skip
    kind = models.CharField(_("kind"), max_length=10, choices=RoutingKind, default=RoutingKind.ONLINE)
    decided_at = models.DateTimeField(_("decided at"))
    orders_count = models.PositiveIntegerField(_("orders"), default=0)
    milliseconds = models.PositiveIntegerField(_("milliseconds"), default=0)
    body = models.BinaryField(_("inputs"))
    result = models.JSONField(
        _("result"), default=dict, help_text=_("Of a batch: cost, parcels, late orders and km before and after.")
    )

    class Meta:
        verbose_name = _("routing run")
        verbose_name_plural = _("routing runs")
        indexes = [models.Index(fields=["-decided_at", "-id"], name="routing_run_newest")]

    def __str__(self) -> str:
        return f"{self.decided_at:%Y-%m-%d %H:%M:%S} {self.get_kind_display()}"


class RoutingDecision(models.Model):
    """Why these nodes: every candidate with its verdict and its cost, and the policy that judged. Append-only."""

    order = models.ForeignKey(Order, on_delete=models.CASCADE, related_name="routing", verbose_name=_("order"))
    decided_at = models.DateTimeField(_("decided at"))
    policy = models.CharField(_("policy"), max_length=40)
    outcome = models.CharField(_("outcome"), max_length=20)
    cost = models.DecimalField(_("cost"), max_digits=10, decimal_places=2, null=True)
    explanation = models.JSONField(_("explanation"))
    kind = models.CharField(
        _("kind"), max_length=10, choices=RoutingKind, default=RoutingKind.ONLINE, db_default=RoutingKind.ONLINE.value
    )
    group = models.CharField(_("group"), max_length=60, blank=True, default="", db_default="")
    is_pilot = models.BooleanField(_("in the pilot"), default=False, db_default=False)
    run = models.ForeignKey(
        RoutingRun, on_delete=models.SET_NULL, null=True, blank=True, related_name="decisions", verbose_name=_("run")
    )
    decided_by = models.CharField(_("decided by"), max_length=80, blank=True, default="", db_default="")
    reason = models.CharField(_("reason"), max_length=200, blank=True, default="", db_default="")

    class Meta:
        verbose_name = _("routing decision")
        verbose_name_plural = _("routing decisions")
        permissions = [("override_routing", "Can choose other nodes than the router")]
        indexes = [models.Index(fields=["-decided_at"], name="routing_decision_newest")]

    def __str__(self) -> str:
        return f"{self.order_id}: {self.outcome}"


class RoutingAttempt(models.Model):
    """A node had a parcel and did not send it. Remembered so that the order does not go there again by itself."""

    order = models.ForeignKey(Order, on_delete=models.CASCADE, related_name="attempts", verbose_name=_("order"))
    node = models.ForeignKey(Node, on_delete=models.PROTECT, related_name="+", verbose_name=_("node"))
    parcel_number = models.CharField(_("parcel"), max_length=110, db_collation="C")
    outcome = models.CharField(_("outcome"), max_length=16, choices=AttemptOutcome)
    reason = models.CharField(_("reason"), max_length=200, blank=True)
    happened_at = models.DateTimeField(_("happened at"))
    told_by = models.CharField(_("told by"), max_length=80)
    forgiven_at = models.DateTimeField(
        _("allowed again at"), null=True, blank=True, help_text=_("A person lets the order go to this node again.")
    )
    forgiven_by = models.CharField(_("allowed again by"), max_length=80, blank=True)

    class Meta:
        verbose_name = _("routing attempt")
        verbose_name_plural = _("routing attempts")
        constraints = [
            models.UniqueConstraint(fields=["parcel_number", "outcome"], name="a_parcel_fails_once_in_a_way"),
        ]
        indexes = [models.Index(fields=["node", "-happened_at"], name="routing_attempt_of_node")]

    def __str__(self) -> str:
        return f"{self.parcel_number}: {self.get_outcome_display()}"


class NodeStanding(models.Model):
    """How far a node is trusted with work: 1 is full; refusals take from it, sent parcels and time give back."""

    node = models.OneToOneField(Node, on_delete=models.CASCADE, related_name="standing", verbose_name=_("node"))
    score = models.FloatField(_("standing"), default=1.0, help_text=_("As of the last change; it recovers with time."))
    accepted = models.PositiveIntegerField(_("sent"), default=0)
    refused = models.PositiveIntegerField(_("refused"), default=0)
    changed_at = models.DateTimeField(_("changed at"))

    class Meta:
        verbose_name = _("node's standing")
        verbose_name_plural = _("nodes' standing")
        constraints = [
            models.CheckConstraint(condition=Q(score__gte=0) & Q(score__lte=1), name="a_standing_is_a_share"),
        ]

    def __str__(self) -> str:
        return f"{self.node_id}: {self.score:.2f}"


class Disruption(models.Model):
    """A storm, a closed road, a stopped carrier: what it touches, from when to when, and what that means."""

    code = models.CharField(_("code"), max_length=40, unique=True, db_collation="C")
    name = models.CharField(_("name"), max_length=120)
    effect = models.CharField(_("effect"), max_length=10, choices=DisruptionEffect)
    from_regions = models.JSONField(
        _("from regions"), default=list, blank=True, help_text=_("Where parcels start; empty: everywhere.")
    )
    to_regions = models.JSONField(
        _("to regions"), default=list, blank=True, help_text=_("Where parcels go; empty: everywhere.")
    )
    nodes = models.ManyToManyField(Node, blank=True, related_name="+", verbose_name=_("nodes"))
    carrier_code = models.CharField(_("carrier"), max_length=20, blank=True)
    delay_hours = models.FloatField(_("delay (hours)"), default=0.0)
    severity = models.PositiveSmallIntegerField(_("severity"), default=1, help_text=_("1 mild … 4 extreme"))
    source = models.CharField(_("source"), max_length=40, blank=True, help_text=_("Who says so; empty: a person."))
    starts_at = models.DateTimeField(_("starts at"))
    ends_at = models.DateTimeField(_("ends at"), null=True, blank=True)
    ended_by = models.CharField(_("ended by"), max_length=80, blank=True)
    history = HistoricalRecords()

    class Meta:
        verbose_name = _("disruption")
        verbose_name_plural = _("disruptions")
        constraints = [
            models.CheckConstraint(
                condition=Q(ends_at__isnull=True) | Q(ends_at__gt=F("starts_at")),
                name="a_disruption_ends_after_start",
            ),
            models.CheckConstraint(condition=Q(delay_hours__gte=0), name="a_disruption_never_speeds_up"),
        ]
        indexes = [models.Index(fields=["ends_at"], name="disruption_end")]

    def __str__(self) -> str:
        return self.name
