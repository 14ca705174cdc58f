"""Watching budgets: a case opens for what is used up too early or runs ahead, and closes when that is over."""

from datetime import datetime
from typing import Final

from django.utils import timezone

from audit.models import Case
from audit.rules.actors import Actor
from audit.rules.sentences import Sentence, say
from audit.services import cases
from audit.services.cases import Trouble
from audit.statuses import CaseStatus, VersionStatus
from promotions.models import PromotionVersion
from promotions.queries import usage
from promotions.queries.usage import Usage
from promotions.services.promotions import rule_of

KIND: Final = "budget_pace"
WATCH: Final = Actor("job", "pace")
LET_IT_END: Final = say("Raise the limit by a next version, or tell the shops that it ends early.")
OVER: Final = "its pace is even again, or it is over"


def watch(*, at: datetime) -> int:
    """Look at every live promotion with a budget or a number of uses; returns how many cases were new. Run it often."""
    versions = PromotionVersion.objects.filter(status=VersionStatus.LIVE).select_related("promotion")
    live = {version.promotion_id: version for version in versions.order_by("promotion_id")}
    found = usage.of({key: rule_of(version) for key, version in live.items()}, at=at)
    troubles = [_trouble(live[key], found[key]) for key in live if key in found and found[key].pace.is_trouble]
    _close_all_but({trouble.subject for trouble in troubles}, at)
    return cases.open_cases(troubles, at=at)


def why(one: Usage) -> Sentence:
    """Return what is wrong with a pace, in one sentence. It must be in trouble."""
    told: dict[str, str | int] = {"taken": figure(one, one.scarce.taken), "most": figure(one, one.scarce.most)}
    if one.pace.is_short and not one.scarce.left:
        return say("All of %(most)s is taken before its end at %(end)s.", end=_moment(one.scarce.ends_at), **told)
    if one.pace.is_short:
        return say(
            "%(taken)s of %(most)s are taken; at this speed it is used up on %(when)s, before its end at %(end)s.",
            when=_moment(one.pace.used_up_at), end=_moment(one.scarce.ends_at), **told,
        )  # fmt: skip
    even = (one.pace.even_share or 0) * one.scarce.most
    return say("%(taken)s of %(most)s are taken; at an even pace it would be %(even)s by now.",
               even=figure(one, even.quantize(one.scarce.most)), **told)  # fmt: skip


def figure(one: Usage, amount: object) -> str:
    """Return an amount of money or a number of uses as people read it."""
    return f"¥{amount:,.2f}" if one.is_money else f"{amount:,.0f}"


def _trouble(version: PromotionVersion, one: Usage) -> Trouble:
    url = f"/admin/promotions/promotion/{version.promotion_id}/change/"
    return Trouble(KIND, version.promotion.code, why(one), LET_IT_END, url)


def _close_all_but(subjects: set[str], at: datetime) -> None:
    open_ones = Case.objects.filter(kind=KIND, status=CaseStatus.OPEN).values_list("subject", flat=True)
    over = [subject for subject in open_ones if subject not in subjects]
    if over:
        cases.resolve(over, kinds=[KIND], actor=WATCH, resolution=OVER, at=at)


def _moment(at: datetime | None) -> str:
    return f"{timezone.localtime(at):%Y-%m-%d %H:%M}" if at else ""
