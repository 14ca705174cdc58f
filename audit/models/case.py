"""Cases: everything that needs a person, in one queue."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from simple_history.models import HistoricalRecords

from audit.models.sentences import SentenceField
from audit.models.version import GovernedVersion, constraints_of
from audit.statuses import CaseNews, CaseStatus, ResolvedHow


class Case(models.Model):
    """Something a machine could not decide: what, why, what to do, and where."""

    kind = models.CharField(_("kind"), max_length=40, help_text=_("What sort of trouble; groups cases of one cause."))
    status = models.CharField(_("status"), max_length=12, choices=CaseStatus, default=CaseStatus.OPEN)
    subject = models.CharField(_("about"), max_length=120, help_text=_("What it is about, as people call it."))
    subject_url = models.CharField(_("link"), max_length=200, blank=True)
    why = SentenceField(verbose_name=_("why"))
    suggestion = SentenceField(verbose_name=_("suggested action"))
    cause = models.CharField(
        _("cause"), max_length=120, blank=True, default="", db_default="", db_collation="C",
        help_text=_("Cases of one cause can be decided together; empty: its kind."),
    )  # fmt: skip
    action = models.CharField(
        _("action"), max_length=40, blank=True, default="", db_default="", db_collation="C",
        help_text=_("The deed that is suggested, by its name."),
    )  # fmt: skip
    action_values = models.JSONField(_("values of the action"), default=dict, db_default={}, blank=True)
    confidence = models.FloatField(
        _("confidence"), null=True, blank=True, help_text=_("How often people took this suggestion, from 0 to 1.")
    )
    value = models.DecimalField(
        _("value at stake"), max_digits=14, decimal_places=2, null=True, blank=True, help_text=_("In yuan.")
    )
    customer_weight = models.FloatField(_("weight of the customer"), default=1.0, db_default=1.0)
    score = models.FloatField(_("score"), default=0.0, db_default=0.0, help_text=_("Value × urgency × customer."))
    due_at = models.DateTimeField(_("decide by"), null=True, blank=True)
    team = models.CharField(_("team"), max_length=30, blank=True, default="", db_default="")
    assignee = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+",
        verbose_name=_("assigned to"),
    )  # fmt: skip
    snoozed_until = models.DateTimeField(_("put off until"), null=True, blank=True)
    times_told = models.PositiveIntegerField(
        _("times told"),
        default=1,
        db_default=1,
        help_text=_("How often an engine met the same trouble while it was open."),
    )
    opened_at = models.DateTimeField(_("opened at"))
    resolved_at = models.DateTimeField(_("resolved at"), null=True, blank=True)
    resolved_by = models.CharField(_("resolved by"), max_length=80, blank=True)
    resolution = models.CharField(_("resolution"), max_length=300, blank=True)
    resolved_how = models.CharField(
        _("resolved how"), max_length=10, choices=ResolvedHow, blank=True, default="", db_default=""
    )

    class Meta:
        verbose_name = _("case")
        verbose_name_plural = _("cases")
        constraints = [
            models.UniqueConstraint(
                fields=["kind", "subject"], condition=Q(status="open"), name="one_open_case_per_kind_and_subject"
            ),
        ]
        indexes = [
            models.Index(fields=["status", "-opened_at"], name="audit_case_queue"),
            models.Index(fields=["-score", "-id"], condition=Q(status="open"), name="audit_case_score"),
            models.Index(fields=["cause"], condition=Q(status="open"), name="audit_case_cause"),
            models.Index(fields=["subject"], name="audit_case_subject"),
            models.Index(fields=["-resolved_at"], condition=Q(status="resolved"), name="audit_case_resolved"),
        ]

    def __str__(self) -> str:
        return f"{self.kind}: {self.subject}"


class CaseEvent(models.Model):
    """One thing that happened to a case: assigned, put off, noted, decided. Append-only."""

    case = models.ForeignKey(Case, on_delete=models.CASCADE, related_name="events", verbose_name=_("case"))
    kind = models.CharField(_("kind"), max_length=10, choices=CaseNews)
    happened_at = models.DateTimeField(_("happened at"))
    actor = models.CharField(_("by"), max_length=80)
    detail = SentenceField(verbose_name=_("detail"))

    class Meta:
        verbose_name = _("case event")
        verbose_name_plural = _("case events")

    def __str__(self) -> str:
        return f"{self.case_id}: {self.kind}"


class CaseTarget(models.Model):
    """Which team decides a kind of case, and how soon; what no row names has the product's own target."""

    kind = models.CharField(_("kind"), max_length=40, unique=True, db_collation="C")
    team = models.CharField(_("team"), max_length=30, blank=True)
    minutes = models.PositiveIntegerField(_("minutes to decide"))
    history = HistoricalRecords()

    class Meta:
        verbose_name = _("target of cases")
        verbose_name_plural = _("targets of cases")
        constraints = [models.CheckConstraint(condition=Q(minutes__gt=0), name="a_target_has_minutes")]

    def __str__(self) -> str:
        return f"{self.kind}: {self.minutes} min"


class CaseRule(models.Model):
    """A rule that decides cases of one kind by itself; what it says stands in its versions."""

    code = models.CharField(_("code"), max_length=40, unique=True, db_collation="C")
    name = models.CharField(_("name"), max_length=120)
    made_from = models.ForeignKey(
        Case, on_delete=models.SET_NULL, null=True, blank=True, related_name="+", verbose_name=_("made from case")
    )
    created_at = models.DateTimeField(_("created at"))
    history = HistoricalRecords()

    class Meta:
        verbose_name = _("rule for cases")
        verbose_name_plural = _("rules for cases")

    def __str__(self) -> str:
        return f"{self.code} {self.name}"


class CaseRuleVersion(GovernedVersion):
    """What a rule for cases says from a moment on; ``body`` is an ``audit.rules.case_rules.CaseRuleBody`` as JSON."""

    subject_field = "rule"

    rule = models.ForeignKey(CaseRule, on_delete=models.PROTECT, related_name="versions", verbose_name=_("rule"))
    history = HistoricalRecords()

    class Meta:
        verbose_name = _("version of a rule for cases")
        verbose_name_plural = _("versions of rules for cases")
        permissions = [
            ("approve_caseruleversion", "Can approve versions of rules for cases"),
            ("stop_caseruleversion", "Can stop a rule for cases at once"),
        ]
        constraints = constraints_of("rule", "case_rule")

    def __str__(self) -> str:
        return f"{self.rule_id}/{self.number}"
