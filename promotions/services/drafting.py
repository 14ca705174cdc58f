"""Writing a promotion: its code and name together with the first draft, its next versions, and sending them on.

Audit's verbs move versions; here stands who may: the rule before and the rule after must both lie inside what the
person answers for.
"""

from dataclasses import dataclass

import msgspec
from django.db import transaction

from audit.rules.sentences import say
from audit.services import trail, versions
from audit.services.approvals import NotAllowed
from audit.services.versions import Deed, Text
from promotions.models import Campaign, Promotion, PromotionVersion
from promotions.rules import rule as rules
from promotions.rules.rule import Rule
from promotions.services import permissions
from promotions.services.permissions import Right
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
    """Make a promotion with its first draft. Raises ``NotAllowed`` for a code that exists or a missing right."""
    permissions.require_begin(deed.by, wanted.brand, _said(text))
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


def next_version(promotion: Promotion, text: Text, deed: Deed) -> PromotionVersion:
    """Begin the next version; what is in force must be the person's to change, too. Raises ``NotAllowed``."""
    permissions.require(deed.by, Right.WRITE, promotion, [*permissions.in_force(promotion), _said(text)])
    return versions.draft(GOVERNED, promotion.pk, text, deed)


def edit(version: PromotionVersion, text: Text, deed: Deed, *, read_digest: str) -> PromotionVersion:
    """Change a draft. Raises ``EditedMeanwhile``, or ``NotAllowed`` when the old or new rule is not the person's."""
    permissions.require_version(deed.by, Right.WRITE, version)
    permissions.require(deed.by, Right.WRITE, version.promotion, [_said(text)])
    return versions.edit(GOVERNED, version.pk, text, deed, read_digest=read_digest)


def check(version: PromotionVersion, deed: Deed) -> PromotionVersion:
    """Look whether a draft could be submitted. Raises ``NotGood`` with all that is wrong, or ``NotAllowed``."""
    permissions.require_version(deed.by, Right.WRITE, version)
    return versions.check(GOVERNED, version.pk, deed)


def submit(version: PromotionVersion, deed: Deed, *, read_digest: str) -> PromotionVersion:
    """Ask others to approve a version. Raises ``NotGood``, ``EditedMeanwhile`` or ``NotAllowed``."""
    permissions.require_instead(deed.by, Right.WRITE, version)
    return versions.submit(GOVERNED, version.pk, deed, read_digest=read_digest)


def withdraw(version: PromotionVersion, deed: Deed) -> PromotionVersion:
    """Take a version back that waits or is scheduled. Raises ``NotAllowed``."""
    permissions.require_version(deed.by, Right.WRITE, version)
    return versions.withdraw(GOVERNED, version.pk, deed)


def discard(version: PromotionVersion, deed: Deed) -> PromotionVersion:
    """Throw a draft away. Raises ``NotAllowed``."""
    permissions.require_version(deed.by, Right.WRITE, version)
    return versions.discard(GOVERNED, version.pk, deed)


def _said(text: Text) -> Rule:
    """Return what a text says. Raises ``NotAllowed`` for one that nobody can read."""
    try:
        return rules.from_json(text.body)
    except msgspec.ValidationError as trouble:
        raise NotAllowed(say("The rule cannot be read: %(why)s", why=str(trouble))) from trouble
