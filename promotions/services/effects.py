"""What a version is expected to do, as somebody above this app knows it: the settings name who, by a dotted path."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import cast

from django.conf import settings
from django.utils.module_loading import import_string

from audit.models import ApprovalRequest
from audit.rules.sentences import Sentence, say
from audit.statuses import ApprovalStatus
from promotions.models import PromotionVersion


@dataclass(frozen=True)
class Effect:
    """What a trial on past orders found, in sentences; ``is_tried`` only for a trial of just what the version says."""

    told: Sequence[Sentence]
    is_tried: bool


NOBODY_KNOWS = Effect((say("What it would have done to past orders is not known here."),), is_tried=False)


def of(version: PromotionVersion) -> Effect:
    """Return what a version is expected to do."""
    path = settings.PROMOTION_EFFECT
    return _known_by(path)(version) if path else NOBODY_KNOWS


def tell_approvers(version: PromotionVersion) -> None:
    """Bring a request that waits to what is known now; what its approvers are asked for does not change by that."""
    waiting = ApprovalRequest.objects.filter(object_key=version.object_key, status=ApprovalStatus.WAITING)
    waiting.update(effect=[sentence.stored() for sentence in of(version).told])


@cache
def _known_by(path: str) -> Callable[[PromotionVersion], Effect]:
    return cast(Callable[[PromotionVersion], Effect], import_string(path))
