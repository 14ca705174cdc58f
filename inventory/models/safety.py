"""What is kept back from every promise: rules that people publish, and what each of them changed."""

from decimal import Decimal

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _
from simple_history.models import HistoricalRecords

from inventory.models.node import Node
from inventory.models.sku import Category, Sku
from inventory.statuses import RuleStatus, SafetyKind


class SafetyRule(models.Model):
    """How many units of some SKUs at some nodes are never promised, while it is live and inside its time.

    Of all rules that fit a level the narrowest wins: a SKU before a category, a node before the network. A live rule is
    never edited: a new draft replaces it.
    """

    name = models.CharField(_("name"), max_length=80)
    node = models.ForeignKey(
        Node, on_delete=models.PROTECT, null=True, blank=True, verbose_name=_("node"), help_text=_("Empty: all nodes.")
    )
    category = models.ForeignKey(
        Category, on_delete=models.PROTECT, null=True, blank=True, verbose_name=_("category"),
        help_text=_("Empty: all categories."),
    )  # fmt: skip
    sku = models.ForeignKey(
        Sku, on_delete=models.PROTECT, null=True, blank=True, verbose_name=_("SKU"), help_text=_("Empty: all SKUs.")
    )
    kind = models.CharField(_("kind"), max_length=10, choices=SafetyKind, default=SafetyKind.FIXED)
    amount = models.DecimalField(
        _("amount"), max_digits=9, decimal_places=2, help_text=_("Units, per cent of stock on hand, or days of cover.")
    )
    starts_at = models.DateTimeField(_("from"), null=True, blank=True)
    ends_at = models.DateTimeField(_("until"), null=True, blank=True)
    status = models.CharField(_("status"), max_length=10, choices=RuleStatus, default=RuleStatus.DRAFT)
    created_at = models.DateTimeField(_("created at"))
    created_by = models.CharField(_("created by"), max_length=80)
    published_at = models.DateTimeField(_("published at"), null=True, blank=True)
    published_by = models.CharField(_("published by"), max_length=80, blank=True)
    retired_at = models.DateTimeField(_("retired at"), null=True, blank=True)
    history = HistoricalRecords()

    class Meta:
        verbose_name = _("safety stock rule")
        verbose_name_plural = _("safety stock rules")
        constraints = [
            models.CheckConstraint(condition=Q(amount__gte=0), name="a_safety_amount_is_never_negative"),
            models.CheckConstraint(
                condition=~Q(kind="percent") | Q(amount__lte=Decimal(100)), name="safety_is_at_most_a_hundred_percent"
            ),
            models.CheckConstraint(
                condition=Q(category__isnull=True) | Q(sku__isnull=True), name="a_safety_rule_names_category_or_sku"
            ),
            models.CheckConstraint(
                condition=Q(starts_at__isnull=True) | Q(ends_at__isnull=True) | Q(ends_at__gt=F("starts_at")),
                name="a_safety_rule_ends_after_it_starts",
            ),
        ]
        indexes = [models.Index(fields=["status", "name"], name="safety_rule_status")]

    def __str__(self) -> str:
        return self.name


class SafetyChange(models.Model):
    """One change of a level's safety stock, with the rule that asked for it (none: the level's own figure).

    Append-only: what was kept back at a past moment is the newest change before it.
    """

    sku = models.ForeignKey(Sku, on_delete=models.PROTECT, verbose_name=_("SKU"), db_index=False)
    node = models.ForeignKey(Node, on_delete=models.PROTECT, verbose_name=_("node"), db_index=False)
    before = models.PositiveIntegerField(_("before"))
    after = models.PositiveIntegerField(_("after"))
    rule = models.ForeignKey(
        SafetyRule, on_delete=models.PROTECT, null=True, blank=True, verbose_name=_("rule"), db_index=False
    )
    actor = models.CharField(_("by"), max_length=80)
    changed_at = models.DateTimeField(_("changed at"))

    class Meta:
        verbose_name = _("safety stock change")
        verbose_name_plural = _("safety stock changes")
        indexes = [models.Index(fields=["sku", "node", "changed_at"], name="safety_change_of_level")]

    def __str__(self) -> str:
        return f"{self.sku_id}@{self.node_id}: {self.before} → {self.after}"
