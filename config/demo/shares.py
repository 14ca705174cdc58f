"""The company's channel shares: published in the past by the verb that people use, one left a draft."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from django.db import transaction
from django.utils import timezone

from audit.rules.actors import Actor
from audit.services import trail
from inventory.models import Category, ChannelShare, Sku
from inventory.services import shares
from inventory.statuses import RuleStatus, ShareKind, ShareUnit

ACTOR = Actor("job", "demo")
REASON = "the demo company"


@dataclass(frozen=True)
class Slice:
    """One share to be; days count from the last day of the past."""

    channel: str
    kind: str
    amount: str
    unit: str = ShareUnit.PERCENT
    category: str = ""
    family: str = ""  # the first SKU of a product family, by its English name
    lent: int = 0
    ships_from: int | None = None
    published: int | None = None  # None leaves it a draft
    starts: int | None = None
    ends: int | None = None


SLICES = (
    Slice("DY", ShareKind.EXCLUSIVE, "15", category="beauty", published=-6),  # the livestream's own
    Slice("TM", ShareKind.BORROWABLE, "20", category="home", lent=50, published=-5),
    Slice("PDD", ShareKind.CAPPED, "40", ShareUnit.UNITS, category="snacks", published=-4),
    Slice(
        "WX", ShareKind.PRESALE, "12", ShareUnit.UNITS, family="Light down jacket", published=-1, ships_from=20, ends=15
    ),
    Slice("JD", ShareKind.EXCLUSIVE, "25", category="apparel", starts=16, ends=21),  # for Double 12
)


@transaction.atomic
def lay(*, until: datetime) -> None:
    """Write the shares down and publish them in the order of their days."""
    for number, one in enumerate(SLICES, start=1):
        share = _draft(number, one, until)
        if one.published is not None:
            shares.publish(share, actor=ACTOR, at=until + timedelta(days=one.published), reason=REASON)
    shares.refresh(at=until)


def _draft(number: int, one: Slice, until: datetime) -> ChannelShare:
    """Write a draft under its own number, the day before it is published."""
    share = ChannelShare(
        pk=number,
        channel=one.channel,
        kind=one.kind,
        category=Category.objects.get(code=one.category) if one.category else None,
        sku=Sku.objects.filter(name_en__contains=one.family).earliest("pk") if one.family else None,
        unit=one.unit,
        amount=Decimal(one.amount),
        lend_percent=one.lent,
        ships_from_date=None if one.ships_from is None else timezone.localdate(_moment(until, one.ships_from)),
        starts_at=_moment(until, one.starts),
        ends_at=_moment(until, one.ends),
        status=RuleStatus.DRAFT,
        created_at=until + timedelta(days=(one.published or 0) - 1),
        created_by=ACTOR.label,
    )
    trail.because(share, actor=ACTOR, reason=REASON).save(force_insert=True)
    return share


def _moment(until: datetime, days: int | None) -> datetime | None:
    return None if days is None else until + timedelta(days=days)
