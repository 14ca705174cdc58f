"""The company's safety stock rules: published one after the other in the past, by the verbs that people use."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from django.db import transaction
from django.db.models import Sum

from audit.rules.actors import Actor
from audit.services import trail
from inventory.models import Category, Node, SafetyRule, StockMovement
from inventory.services import safety, safety_rules
from inventory.statuses import MovementKind, RuleStatus, SafetyKind

ACTOR = Actor("job", "demo")
REASON = "the demo company"
BEST_SELLER = "best seller"  # stands for the SKU that shipped most of late; a quiet one has no days to cover


@dataclass(frozen=True)
class Cushion:
    """One rule to be; days count from the last day of the past."""

    name: str
    kind: str
    amount: str
    node: str = ""
    category: str = ""
    sku: str = ""
    published: int | None = None  # None leaves it a draft
    retired: int | None = None
    starts: int | None = None
    ends: int | None = None


CUSHIONS = (
    Cushion("双11缓冲 Double 11 buffer", SafetyKind.FIXED, "6", node="DC-KS", published=-20, retired=-8),
    Cushion("爆款三天用量 Three days of the best seller", SafetyKind.DAYS, "3", sku=BEST_SELLER, published=-18),
    Cushion(
        "昆山爆款留一成 A tenth at Kunshan", SafetyKind.PERCENT, "10", node="DC-KS", sku=BEST_SELLER, published=-15
    ),
    Cushion("广州零食 Snacks at Guangzhou", SafetyKind.FIXED, "4", node="DC-GZ", category="snacks", published=-12),
    Cushion("昆山总仓 Kunshan DC", SafetyKind.FIXED, "5", node="DC-KS", published=-8),
    Cushion("静安店陈列 Jing'an display", SafetyKind.FIXED, "2", node="ST010", published=-6),
    Cushion(
        "双12缓冲 Double 12 buffer", SafetyKind.PERCENT, "15", category="apparel", published=-1, starts=16, ends=21
    ),
    Cushion("饮品三天用量 Three days of drinks", SafetyKind.DAYS, "3", category="drinks"),
)


@transaction.atomic
def lay(*, until: datetime) -> None:
    """Publish the rules in the order of their days, retire what is over, and bring every level to what holds today."""
    days = sorted({day for cushion in CUSHIONS for day in (cushion.published, cushion.retired) if day is not None})
    drafts = [(cushion, _draft(number, cushion, until)) for number, cushion in enumerate(CUSHIONS, start=1)]
    for day in days:
        at = until + timedelta(days=day)
        for cushion, rule in drafts:
            if cushion.retired == day:
                safety_rules.retire(rule.pk, reason=REASON, actor=ACTOR, at=at)
            if cushion.published == day:
                safety_rules.publish(rule.pk, reason=REASON, actor=ACTOR, at=at)
    safety.refresh(at=until)


def _draft(number: int, cushion: Cushion, until: datetime) -> SafetyRule:
    """Write a draft under its own number, the day before it is published."""
    written_at = until + timedelta(days=(cushion.published or 0) - 1)
    rule = SafetyRule(
        pk=number,
        name=cushion.name,
        node=Node.objects.get(code=cushion.node) if cushion.node else None,
        category=Category.objects.get(code=cushion.category) if cushion.category else None,
        sku_id=_best_seller(until) if cushion.sku == BEST_SELLER else None,
        kind=cushion.kind,
        amount=Decimal(cushion.amount),
        starts_at=_moment(until, cushion.starts),
        ends_at=_moment(until, cushion.ends),
        status=RuleStatus.DRAFT,
        created_at=written_at,
        created_by=ACTOR.label,
    )
    trail.because(rule, actor=ACTOR, reason=REASON).save(force_insert=True)
    return rule


def _moment(until: datetime, days: int | None) -> datetime | None:
    return None if days is None else until + timedelta(days=days)


def _best_seller(until: datetime) -> int:
    sent = StockMovement.objects.filter(kind=MovementKind.SHIPMENT, moved_at__gt=until - timedelta(days=2))
    by_sku = sent.values("sku").annotate(units=Sum("quantity")).order_by("units", "sku")
    return int(by_sku.values_list("sku", flat=True)[0])
