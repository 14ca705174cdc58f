"""Stopping what is live, letting it go on, ending it, and going back: for those who may stop what it says."""

from django.db import transaction

from audit.services import versions
from audit.services.versions import Deed
from promotions.models import PromotionVersion
from promotions.services import permissions
from promotions.services.permissions import Right
from promotions.services.promotions import GOVERNED


def stop(version: PromotionVersion, deed: Deed) -> PromotionVersion:
    """Stop a live version at once; a case asks the others to look at it. Raises ``NotAllowed``."""
    permissions.require_version(deed.by, Right.STOP, version)
    return versions.pause(GOVERNED, version.pk, deed)


def resume(version: PromotionVersion, deed: Deed) -> PromotionVersion:
    """Let a stopped version go on. Raises ``NotAllowed``."""
    permissions.require_version(deed.by, Right.STOP, version)
    return versions.resume(GOVERNED, version.pk, deed)


def retire(version: PromotionVersion, deed: Deed) -> PromotionVersion:
    """End a version in force. Raises ``NotAllowed``."""
    permissions.require_version(deed.by, Right.STOP, version)
    return versions.retire(GOVERNED, version.pk, deed)


@transaction.atomic
def roll_back(version: PromotionVersion, deed: Deed, *, to: int) -> PromotionVersion:
    """Put an earlier version in force again; both must lie inside what the person may stop. Raises ``NotAllowed``."""
    permissions.require_version(deed.by, Right.STOP, version)
    earlier = version.promotion.versions.select_related("promotion").filter(number=to).first()
    if earlier is not None:
        permissions.require_version(deed.by, Right.STOP, earlier)
    return versions.roll_back(GOVERNED, version.pk, deed, to=to)
