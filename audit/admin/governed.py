"""The desk of governed versions: their timeline, what waits for approval, what is different, and what can be done.

Whatever people draft, approve and put in force has this page; an owner says by a ``Desk`` what its versions mean.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final, Generic, TypeVar

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from audit.admin import columns
from audit.admin.verbs import Words
from audit.models import ApprovalRequest, GovernedVersion
from audit.rules.sentences import Sentence
from audit.services import versions
from audit.services.approvals import NotAllowed
from audit.services.versions import Deed, Governed, NotGood
from audit.statuses import ApprovalStatus, VersionStatus

Version = TypeVar("Version", bound=GovernedVersion)
Run = Callable[[Any, Deed, str], Any]  # a version, who and why, the digest of what was read

TONES: Final = {
    VersionStatus.DRAFT: "grey", VersionStatus.CHECKED: "blue", VersionStatus.SUBMITTED: "amber",
    VersionStatus.APPROVED: "violet", VersionStatus.SCHEDULED: "violet", VersionStatus.LIVE: "green",
    VersionStatus.PAUSED: "red", VersionStatus.RETIRED: "grey",
}  # fmt: skip
MOST_VERSIONS: Final = 50
ROLL_BACK: Final = "roll_back"
_PREPARED: Final = (VersionStatus.DRAFT, VersionStatus.CHECKED)
_WAITING: Final = (VersionStatus.SUBMITTED, VersionStatus.APPROVED, VersionStatus.SCHEDULED)


class Right(StrEnum):
    """What a person may be allowed to do with versions."""

    WRITE = "write"
    APPROVE = "approve"
    STOP = "stop"


@dataclass(frozen=True)
class VersionDeed:
    """One button of a version."""

    name: str
    title: Words
    icon: str
    statuses: tuple[str, ...]
    right: Right = Right.WRITE
    needs_reason: bool = True
    is_grave: bool = False

    @property
    def is_primary(self) -> bool:
        """Return whether it is what one usually wants."""
        return self.name in ("submit", "approve")


DEEDS: Final = (
    VersionDeed("check", gettext_lazy("Check"), "rule", (VersionStatus.DRAFT,), needs_reason=False),
    VersionDeed("submit", gettext_lazy("Submit for approval"), "send", _PREPARED),
    VersionDeed("approve", gettext_lazy("Approve"), "check_circle", (VersionStatus.SUBMITTED,), Right.APPROVE,
                needs_reason=False),
    VersionDeed("send_back", gettext_lazy("Send back"), "undo", (VersionStatus.SUBMITTED,), Right.APPROVE,
                is_grave=True),
    VersionDeed("withdraw", gettext_lazy("Withdraw"), "undo", _WAITING),
    VersionDeed("discard", gettext_lazy("Discard"), "delete", _PREPARED, is_grave=True),
    VersionDeed("stop", gettext_lazy("Stop at once"), "stop_circle", (VersionStatus.LIVE,), Right.STOP, is_grave=True),
    VersionDeed("resume", gettext_lazy("Resume"), "play_circle", (VersionStatus.PAUSED,), Right.STOP),
    VersionDeed("retire", gettext_lazy("Retire"), "event_busy", (VersionStatus.LIVE, VersionStatus.PAUSED),
                Right.STOP, is_grave=True),
)  # fmt: skip
_BY_NAME: Final = {deed.name: deed for deed in DEEDS}


@dataclass(frozen=True)
class Desk(Generic[Version]):
    """What an owner tells the page about its versions.

    ``verbs`` replaces verbs of ``audit.services.versions`` by an owner's own, by the names of the deeds.
    """

    governed: Governed[Version]
    may: Callable[[Any, Right, Version], bool]
    sentences: Callable[[Sequence[Version]], Mapping[int, Sentence]]  # number → what it says; few queries for all
    verbs: Mapping[str, Run] = field(default_factory=dict)
    extra: Callable[[Version], Mapping[str, Any]] = lambda _version: {}

    def offered(self, user: Any, version: Version) -> list[VersionDeed]:
        """Return what a person may do to a version as it is now."""
        return [deed for deed in DEEDS if version.status in deed.statuses and self.may(user, deed.right, version)]

    def run(self, name: str, version: Version, deed: Deed, read_digest: str) -> None:
        """Carry out one deed. Raises what the verbs of ``audit.services.versions`` raise."""
        own = self.verbs.get(name)
        if own is not None:
            own(version, deed, read_digest)
        elif name in _READ:
            _READ[name](self.governed, version.pk, deed, read_digest=read_digest)
        else:
            _PLAIN[name](self.governed, version.pk, deed)

    def roll_back(self, version: Version, deed: Deed, *, to: int) -> None:
        """Put an earlier version in force again."""
        versions.roll_back(self.governed, version.pk, deed, to=to)


_READ: Final[Mapping[str, Callable[..., Any]]] = {
    "submit": versions.submit, "approve": versions.approve, "send_back": versions.send_back,
}  # fmt: skip
_PLAIN: Final[Mapping[str, Callable[..., Any]]] = {
    "check": versions.check, "withdraw": versions.withdraw, "discard": versions.discard, "stop": versions.pause,
    "resume": versions.resume, "retire": versions.retire,
}  # fmt: skip


def status_label(version: GovernedVersion) -> SafeString:
    """Return a version's status as a label."""
    return columns.label(version.get_status_display(), TONES[VersionStatus(version.status)])


def context(desk: Desk[Version], subject_id: int, user: Any, *, compare: tuple[str, str]) -> dict[str, Any]:
    """Return what the page shows of a subject's versions, the newest first."""
    model = desk.governed.model
    rows = model._default_manager.filter(**{model.subject_field: subject_id})
    found = list(rows.select_related("author", model.subject_field).order_by("-number")[:MOST_VERSIONS])
    said, requests = desk.sentences(found), requests_of(found)
    shown = [_version(desk, version, said, requests.get(version.object_key), user) for version in found]
    in_force = next((one for one in shown if one["version"].status in VersionStatus.IN_FORCE), None)
    matters = in_force or (shown[0] if shown else None)
    return {
        "versions": shown,
        "in_force": in_force,
        "open": next((one for one in shown if one["is_open"]), None),
        "compared": _compared(desk, {version.number: version for version in found}, compare),
        "numbers": [version.number for version in found],
        "may_write": matters is not None and desk.may(user, Right.WRITE, matters["version"]),
        "may_roll_back": in_force is not None and desk.may(user, Right.STOP, in_force["version"]),
    }


def act(request: HttpRequest, desk: Desk[Version], subject_id: int, number: int, name: str) -> HttpResponse:
    """Do one thing to one version, say what came of it, and go back to the page.

    What was read goes with it as ``read_digest``. Raises ``Http404`` and ``PermissionDenied``.
    """
    model, wanted = desk.governed.model, _BY_NAME.get(name)
    if request.method != "POST" or (wanted is None and name != ROLL_BACK):
        raise Http404
    rows = model._default_manager.select_related(model.subject_field)
    version = get_object_or_404(rows, **{model.subject_field: subject_id}, number=number)
    if not desk.may(request.user, wanted.right if wanted else Right.STOP, version):
        raise PermissionDenied
    user: Any = request.user
    deed = Deed(user, timezone.now(), request.POST.get("reason", "").strip()[:200])
    if (wanted is None or wanted.needs_reason) and not deed.reason:
        messages.error(request, _("Say why: it is kept in the history."))
    else:
        _carry_out(request, desk, version, name, deed)
    return HttpResponseRedirect(desk.governed.url(version))


def to_begin_from(found: Sequence[Version], asked: str) -> Version:
    """Return, of versions with the newest first, the draft, else the one asked for, the one in force, or the newest.

    Raises ``Http404`` when there is none.
    """
    if not found:
        raise Http404
    editable = next((version for version in found if version.is_editable), None)
    wanted = next((version for version in found if str(version.number) == asked), None)
    in_force = next((version for version in found if version.status in VersionStatus.IN_FORCE), None)
    return editable or wanted or in_force or found[0]


def number(text: str) -> int:
    """Return a number out of an address. Raises ``Http404``."""
    if not (text.isascii() and text.isdecimal() and len(text) < 10):
        raise Http404
    return int(text)


def _carry_out(request: HttpRequest, desk: Desk[Version], version: Version, name: str, deed: Deed) -> None:
    try:
        if name == ROLL_BACK:
            desk.roll_back(version, deed, to=number(request.POST.get("to", "")))
        else:
            desk.run(name, version, deed, request.POST.get("read_digest", ""))
    except NotGood as bad:
        for reason in bad.reasons:
            messages.error(request, columns.sentence(reason.stored()))
    except NotAllowed as refused:
        messages.error(request, columns.sentence(refused.reason.stored()))
    else:
        messages.success(request, _("Done."))


def _version(
    desk: Desk[Version], version: Version, said: Mapping[int, Sentence], request: ApprovalRequest | None, user: Any
) -> dict[str, Any]:
    sentence = said.get(version.number)
    return {
        "version": version,
        "label": status_label(version),
        "sentence": columns.sentence(sentence.stored()) if sentence else "",
        "is_open": version.status in VersionStatus.OPEN,
        "deeds": desk.offered(user, version),
        "request": request,
        "is_waiting": request is not None and request.status == ApprovalStatus.WAITING,
        "was_approved": request is not None and request.status == ApprovalStatus.APPROVED,
        "voices": voices_of(request),
        "changes": [columns.sentence(one) for one in request.changes] if request else [],
        "effect": [columns.sentence(one) for one in request.effect] if request else [],
        **desk.extra(version),
    }


def requests_of(found: Sequence[GovernedVersion]) -> dict[str, ApprovalRequest]:
    """Return each version's newest request with its voices, by the version's key."""
    keys = [version.object_key for version in found]
    rows = ApprovalRequest.objects.filter(object_key__in=keys).select_related("author")
    return {one.object_key: one for one in rows.prefetch_related("approvals__approver").order_by("pk")}


def voices_of(request: ApprovalRequest | None) -> list[dict[str, Any]]:
    """Return who said yes or no to a request, when and why."""
    if request is None:
        return []
    return [
        {"who": voice.approver.get_username(), "is_yes": voice.is_yes, "reason": voice.reason, "at": voice.decided_at}
        for voice in request.approvals.all()
    ]


def _compared(desk: Desk[Version], found: Mapping[int, Version], compare: tuple[str, str]) -> dict[str, Any] | None:
    """Return the differences between two versions that were asked for, or between the two newest."""
    asked = [int(word) for word in compare if word.isascii() and word.isdecimal() and len(word) < 10]
    newest = sorted(found)[-2:]
    old, new = asked if len(asked) == 2 else newest if len(newest) == 2 else (0, 0)
    if old not in found or new not in found:
        return None
    title = _("Version %(new)s against version %(old)s") % {"new": new, "old": old}
    told = desk.governed.changes(found[old], found[new])
    return {"old": old, "new": new, "title": title, "changes": [columns.sentence(one.stored()) for one in told]}
