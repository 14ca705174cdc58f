"""Beginning a promotion: its code and name together with the first draft of what it says."""

from dataclasses import dataclass

from django.db import transaction

from audit.rules.sentences import say
from audit.services import trail, versions
from audit.services.approvals import NotAllowed
from audit.services.versions import Deed, Text
from promotions.models import Campaign, Promotion, PromotionVersion
from promotions.services.promotions import GOVERNED


@dataclass(frozen=True)
class NewPromotion:
    """How a promotion is called and whose it is."""

    code: str
    name: str
    name_en: str = ""
    brand: str = ""
    campaign: Campaign | None = None


@transaction.atomic
def begin(wanted: NewPromotion, text: Text, deed: Deed) -> PromotionVersion:
    """Make a promotion with its first draft. Raises ``NotAllowed`` for a code that exists already."""
    if Promotion.objects.filter(code=wanted.code).exists():
        raise NotAllowed(say("The code %(code)s exists already.", code=wanted.code))
    promotion = Promotion(
        code=wanted.code,
        name=wanted.name,
        name_en=wanted.name_en,
        brand=wanted.brand,
        campaign=wanted.campaign,
        created_at=deed.at,
    )
    trail.because(promotion, actor=deed.actor, reason=deed.reason or "begun").save()
    return versions.draft(GOVERNED, promotion.pk, text, deed)
