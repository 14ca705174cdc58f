"""How much of promotions' limits is taken, reserved and left, and how fast it goes: three queries for any number."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final

from django.db.models import Count, DecimalField, F, Min, Q, Sum, Value

from promotions.models import Allowance, PromotionVersion, Redemption
from promotions.rules import pace
from promotions.rules.pace import NOTHING, Pace, Scarce
from promotions.rules.rule import Rule
from promotions.statuses import RedemptionStatus

RECENT: Final = timedelta(hours=24)
_NO_MONEY: Final = Value(NOTHING, output_field=DecimalField())


@dataclass(frozen=True)
class Usage:
    """One limit of a promotion, the one that is used up first: how much of it stands where, and its pace."""

    is_money: bool
    scarce: Scarce
    reserved: Decimal  # the part of what is taken that is not paid yet
    pace: Pace


@dataclass(frozen=True)
class _Taken:
    """What the ledger says of one promotion: uses and money, of late and reserved."""

    uses: int = 0
    amount: Decimal = NOTHING
    reserved_uses: int = 0
    reserved_amount: Decimal = NOTHING


def of(rules: Mapping[int, Rule], *, at: datetime) -> dict[int, Usage]:
    """Return the usage of those of these promotions (by id) that have a budget or a number of uses."""
    limits = Q(budget__isnull=False) | Q(most_uses__isnull=False)
    allowances = {row.promotion_id: row for row in Allowance.objects.filter(limits, promotion__in=rules, buyer="")}
    if not allowances:
        return {}
    taken, began = _taken(allowances, at), _began(allowances)
    return {
        promotion_id: _usage(row, rules[promotion_id], taken.get(promotion_id, _Taken()), began.get(promotion_id), at)
        for promotion_id, row in allowances.items()
    }


def _taken(promotion_ids: Iterable[int], at: datetime) -> dict[int, _Taken]:
    held = Redemption.objects.filter(promotion__in=list(promotion_ids), status__in=RedemptionStatus.TAKEN)
    recent, reserved = Q(taken_at__gt=at - RECENT, taken_at__lte=at), Q(status=RedemptionStatus.RESERVED)
    rows = held.filter(recent | reserved).values("promotion_id").annotate(
        uses=Count("pk", filter=recent),
        amount_=Sum("amount", filter=recent, default=_NO_MONEY),
        reserved_uses=Count("pk", filter=reserved),
        reserved_amount=Sum("amount", filter=reserved, default=_NO_MONEY),
    )  # fmt: skip
    return {
        row["promotion_id"]: _Taken(row["uses"], row["amount_"], row["reserved_uses"], row["reserved_amount"])
        for row in rows
    }


def _began(promotion_ids: Iterable[int]) -> dict[int, datetime]:
    """Return when each promotion went live for the first time."""
    rows = PromotionVersion.objects.filter(promotion__in=list(promotion_ids), live_at__isnull=False)
    return dict(rows.values("promotion_id").annotate(began=Min(F("live_at"))).values_list("promotion_id", "began"))


def _usage(row: Allowance, rule: Rule, taken: _Taken, began: datetime | None, at: datetime) -> Usage:
    """Return the limit that is used up first; of two that never are, the one that is further along."""
    starts_at = rule.starts_at or began or at
    since = max(starts_at, at - RECENT)
    found = []
    if row.budget is not None:
        speed = pace.per_hour(taken.amount, since=since, at=at)
        scarce = Scarce(row.budget, row.amount, speed, starts_at, rule.ends_at)
        found.append(Usage(True, scarce, taken.reserved_amount, pace.of(scarce, at=at)))
    if row.most_uses is not None:
        speed = pace.per_hour(Decimal(taken.uses), since=since, at=at)
        scarce = Scarce(Decimal(row.most_uses), Decimal(row.uses), speed, starts_at, rule.ends_at)
        found.append(Usage(False, scarce, Decimal(taken.reserved_uses), pace.of(scarce, at=at)))
    return min(found, key=_urgency)


def _urgency(usage: Usage) -> tuple[bool, float, Decimal]:
    used_up_at = usage.pace.used_up_at
    return used_up_at is None, used_up_at.timestamp() if used_up_at else 0.0, -usage.scarce.share
