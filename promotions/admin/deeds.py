"""What can be done with a version, by whom, and which of audit's verbs it is."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from django.utils.translation import gettext_lazy as _

from audit.admin.verbs import Words
from audit.services import versions
from audit.services.versions import Deed
from audit.statuses import VersionStatus
from promotions.models import PromotionVersion
from promotions.services.promotions import GOVERNED

CHANGE: Final = "promotions.change_promotion"
STOP: Final = "promotions.stop_promotionversion"
_PREPARED = (VersionStatus.DRAFT, VersionStatus.CHECKED)
_WAITING = (VersionStatus.SUBMITTED, VersionStatus.APPROVED, VersionStatus.SCHEDULED)


@dataclass(frozen=True)
class VersionDeed:
    """One button of a version."""

    name: str
    title: Words
    icon: str
    statuses: tuple[str, ...]
    run: Callable[[PromotionVersion, Deed, str], Any]
    permission: str = CHANGE
    needs_reason: bool = True
    is_grave: bool = False

    def is_allowed(self, user: Any, version: PromotionVersion) -> bool:
        """Return whether a person may do this to a version, for all promotions or for this one."""
        if self.permission == GOVERNED.approve_permission:
            return GOVERNED.may_approve(user, version)
        return user.has_perm(self.permission) or (
            self.permission == CHANGE and user.has_perm(self.permission, version.promotion)
        )


DEEDS: Final = (
    VersionDeed("check", _("Check"), "rule", (VersionStatus.DRAFT,),
                lambda version, deed, _read: versions.check(GOVERNED, version.pk, deed), needs_reason=False),
    VersionDeed("submit", _("Submit for approval"), "send", _PREPARED,
                lambda version, deed, read: versions.submit(GOVERNED, version.pk, deed, read_digest=read)),
    VersionDeed("approve", _("Approve"), "check_circle", (VersionStatus.SUBMITTED,),
                lambda version, deed, read: versions.approve(GOVERNED, version.pk, deed, read_digest=read),
                GOVERNED.approve_permission, needs_reason=False),
    VersionDeed("send_back", _("Send back"), "undo", (VersionStatus.SUBMITTED,),
                lambda version, deed, read: versions.send_back(GOVERNED, version.pk, deed, read_digest=read),
                GOVERNED.approve_permission, is_grave=True),
    VersionDeed("withdraw", _("Withdraw"), "undo", _WAITING,
                lambda version, deed, _read: versions.withdraw(GOVERNED, version.pk, deed)),
    VersionDeed("discard", _("Discard"), "delete", _PREPARED,
                lambda version, deed, _read: versions.discard(GOVERNED, version.pk, deed), is_grave=True),
    VersionDeed("stop", _("Stop at once"), "stop_circle", (VersionStatus.LIVE,),
                lambda version, deed, _read: versions.pause(GOVERNED, version.pk, deed), STOP, is_grave=True),
    VersionDeed("resume", _("Resume"), "play_circle", (VersionStatus.PAUSED,),
                lambda version, deed, _read: versions.resume(GOVERNED, version.pk, deed), STOP),
    VersionDeed("retire", _("Retire"), "event_busy", (VersionStatus.LIVE, VersionStatus.PAUSED),
                lambda version, deed, _read: versions.retire(GOVERNED, version.pk, deed), STOP, is_grave=True),
)  # fmt: skip


def offered(user: Any, version: PromotionVersion) -> list[VersionDeed]:
    """Return what a person may do to a version as it is now."""
    return [deed for deed in DEEDS if version.status in deed.statuses and deed.is_allowed(user, version)]


def may_change(user: Any, promotion: Any) -> bool:
    """Return whether a person may write on a promotion: on all of them, or on this one."""
    return user.has_perm(CHANGE) or user.has_perm(CHANGE, promotion)


def roll_back(version: PromotionVersion, deed: Deed, to: int) -> PromotionVersion:
    """Put an earlier version in force again."""
    return versions.roll_back(GOVERNED, version.pk, deed, to=to)
