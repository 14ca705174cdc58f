"""What can be done with a version, by whom, and which verb it is."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from django.utils.translation import gettext_lazy as _

from audit.admin.verbs import Words
from audit.services import versions
from audit.services.versions import Deed
from audit.statuses import VersionStatus
from promotions.models import Promotion, PromotionVersion
from promotions.services import drafting, permissions, stopping
from promotions.services.permissions import Right
from promotions.services.promotions import GOVERNED

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
    right: Right = Right.WRITE
    needs_reason: bool = True
    is_grave: bool = False

    def is_allowed(self, user: Any, version: PromotionVersion) -> bool:
        """Return whether a person may do this: everywhere, to this promotion, or in the fields they answer for."""
        return permissions.may_version(user, self.right, version)


DEEDS: Final = (
    VersionDeed("check", _("Check"), "rule", (VersionStatus.DRAFT,),
                lambda version, deed, _read: drafting.check(version, deed), needs_reason=False),
    VersionDeed("submit", _("Submit for approval"), "send", _PREPARED,
                lambda version, deed, read: drafting.submit(version, deed, read_digest=read)),
    VersionDeed("approve", _("Approve"), "check_circle", (VersionStatus.SUBMITTED,),
                lambda version, deed, read: versions.approve(GOVERNED, version.pk, deed, read_digest=read),
                Right.APPROVE, needs_reason=False),
    VersionDeed("send_back", _("Send back"), "undo", (VersionStatus.SUBMITTED,),
                lambda version, deed, read: versions.send_back(GOVERNED, version.pk, deed, read_digest=read),
                Right.APPROVE, is_grave=True),
    VersionDeed("withdraw", _("Withdraw"), "undo", _WAITING,
                lambda version, deed, _read: drafting.withdraw(version, deed)),
    VersionDeed("discard", _("Discard"), "delete", _PREPARED,
                lambda version, deed, _read: drafting.discard(version, deed), is_grave=True),
    VersionDeed("stop", _("Stop at once"), "stop_circle", (VersionStatus.LIVE,),
                lambda version, deed, _read: stopping.stop(version, deed), Right.STOP, is_grave=True),
    VersionDeed("resume", _("Resume"), "play_circle", (VersionStatus.PAUSED,),
                lambda version, deed, _read: stopping.resume(version, deed), Right.STOP),
    VersionDeed("retire", _("Retire"), "event_busy", (VersionStatus.LIVE, VersionStatus.PAUSED),
                lambda version, deed, _read: stopping.retire(version, deed), Right.STOP, is_grave=True),
)  # fmt: skip


def offered(user: Any, version: PromotionVersion) -> list[VersionDeed]:
    """Return what a person may do to a version as it is now."""
    return [deed for deed in DEEDS if version.status in deed.statuses and deed.is_allowed(user, version)]


def may_change(user: Any, promotion: Promotion, version: PromotionVersion | None = None) -> bool:
    """Return whether a person may write on a promotion; ``version`` is the one that a draft would begin from."""
    if version is None:
        return permissions.may(user, Right.WRITE, promotion, permissions.in_force(promotion))
    return permissions.may_version(user, Right.WRITE, version)


def may_stop(user: Any, version: PromotionVersion) -> bool:
    """Return whether a person may stop a version and go back to an earlier one."""
    return permissions.may_version(user, Right.STOP, version)
