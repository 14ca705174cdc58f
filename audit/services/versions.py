"""The life of a version of any rule that people edit: drafted, checked, submitted, approved, scheduled, live, retired.

Promotions use it first; routing, safety stock, holds and watches use the same verbs. An owner tells what its versions
mean by a ``Governed``; audit knows only their columns. Every verb locks the subject's versions in the order of their
numbers, so of two people who act at the same time the second sees what the first did.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Generic, TypeVar

from django.contrib.auth.models import AbstractBaseUser
from django.db import transaction
from django.db.models import QuerySet

from audit.models import GovernedVersion
from audit.rules.actors import Actor
from audit.rules.governance import digest
from audit.rules.sentences import Sentence, say
from audit.services import approvals, cases, trail
from audit.services.approvals import NotAllowed
from audit.statuses import ApprovalStatus, VersionStatus

Version = TypeVar("Version", bound=GovernedVersion)
STOPPED = "version_stopped"
SCHEDULE = Actor("job", "schedule")


class NotGood(Exception):
    """A version that cannot go on as it is: everything that is wrong with it, so that it is mended in one go."""

    def __init__(self, reasons: Sequence[Sentence]) -> None:
        super().__init__("; ".join(str(reason) for reason in reasons))
        self.reasons = tuple(reasons)


class EditedMeanwhile(NotAllowed):
    """Somebody else changed what this person had on the screen; nothing was overwritten."""


@dataclass(frozen=True)
class Deed:
    """Who acts, when and why."""

    by: AbstractBaseUser
    at: datetime
    reason: str = ""

    @property
    def actor(self) -> Actor:
        """Return the person as the trail shows them."""
        return Actor("person", self.by.get_username())


@dataclass(frozen=True)
class Text:
    """What a version shall say, from when on, and from which version it was drafted."""

    body: dict[str, Any]
    publish_at: datetime | None = None
    based_on: int | None = None

    @property
    def digest(self) -> str:
        """Return what approvals are bound to: the body and the moment it goes live, whatever its time zone."""
        return digest(self.body, publish_at=self.publish_at.astimezone(UTC).isoformat() if self.publish_at else "")


@dataclass(frozen=True)
class Governed(Generic[Version]):
    """What an owner tells audit about its versions."""

    model: type[Version]
    approve_permission: str  # "promotions.approve_promotionversion"
    complain: Callable[[Version], Sequence[Sentence]]  # what is wrong; empty when it may be submitted
    name: Callable[[Version], str]  # "618-GIFT, version 3"
    url: Callable[[Version], str]
    describe: Callable[[Version], Sentence]
    changes: Callable[[Version | None, Version], Sequence[Sentence]]  # from what is in force to this one
    effect: Callable[[Version], Sequence[Sentence]]
    approvals_needed: Callable[[Version], int]
    may_approve: Callable[[AbstractBaseUser, Version], bool]
    applied: Callable[[Sequence[Version]], None]  # these went live or ended, in the same transaction


@transaction.atomic
def draft(governed: Governed[Version], subject_id: int, text: Text, deed: Deed) -> Version:
    """Begin the next version of a subject. Raises ``NotAllowed`` when somebody is preparing one already."""
    versions = list(_locked(governed, subject_id))
    being_made = next((version for version in versions if version.status in VersionStatus.OPEN), None)
    if being_made:
        words = say(
            "Version %(number)s is being prepared already. Continue with it or discard it.", number=being_made.number
        )
        raise NotAllowed(words)
    version = governed.model(
        number=max((version.number for version in versions), default=0) + 1,
        based_on=text.based_on,
        body=text.body,
        digest=text.digest,
        author_id=deed.by.pk,
        writers=[deed.by.pk],
        drafted_at=deed.at,
        publish_at=text.publish_at,
        **{f"{governed.model.subject_field}_id": subject_id},
    )
    return _save(version, deed.actor, deed.reason or "drafted")


@transaction.atomic
def edit(governed: Governed[Version], version_id: int, text: Text, deed: Deed, *, read_digest: str) -> Version:
    """Change a draft; a checked one must be checked again. Nobody who ever wrote on a version may approve it.

    Raises ``EditedMeanwhile`` when it is not what the person had read, ``NotAllowed`` when it is no draft any more.
    """
    version = _one(governed, version_id)
    if not version.is_editable:
        raise NotAllowed(say("A version that was submitted never changes. Make the next version instead."))
    _must_be_as_read(version, read_digest)
    version.body, version.publish_at, version.digest = text.body, text.publish_at, text.digest
    version.drafted_at, version.status = deed.at, VersionStatus.DRAFT
    _write(version, deed.by)
    return _save(version, deed.actor, deed.reason or "edited")


@transaction.atomic
def check(governed: Governed[Version], version_id: int, deed: Deed) -> Version:
    """Look whether a draft could be submitted. Raises ``NotGood`` with all that is wrong, or ``NotAllowed``."""
    version = _one(governed, version_id)
    _refuse_bad(governed, version)
    return _move(version, VersionStatus.CHECKED, deed.actor, "checked")


@transaction.atomic
def submit(governed: Governed[Version], version_id: int, deed: Deed, *, read_digest: str) -> Version:
    """Ask others to approve a version; from now on it never changes.

    Raises ``NotGood`` for one that cannot stand, ``EditedMeanwhile``, or ``NotAllowed`` when it is not in preparation.
    """
    version = _one(governed, version_id)
    _must_be_as_read(version, read_digest)
    _refuse_bad(governed, version)
    if version.status == VersionStatus.DRAFT:
        _move(version, VersionStatus.CHECKED, deed.actor, "checked")
    current = _locked(governed, _subject(version)).filter(status__in=VersionStatus.IN_FORCE).first()
    _write(version, deed.by)  # who asks for it answers for it
    approvals.submit(
        approvals.Proposal(
            object_key=version.object_key,
            subject=governed.name(version),
            subject_url=governed.url(version),
            permission=governed.approve_permission,
            digest=version.digest,
            title=governed.describe(version),
            changes=governed.changes(current, version),
            effect=governed.effect(version),
            approvals_needed=governed.approvals_needed(version),
        ),
        author=deed.by,
        writers=version.writers,
        reason=deed.reason,
        at=deed.at,
    )
    return _move(version, VersionStatus.SUBMITTED, deed.actor, deed.reason)


@transaction.atomic
def approve(governed: Governed[Version], version_id: int, deed: Deed, *, read_digest: str) -> Version:
    """Say yes to a version. With the last yes that is needed it is scheduled, or live when its time has come.

    Raises ``NotAllowed`` for its author, a missing right, a second yes, or one that changed since it was read.
    """
    version = _decide(governed, version_id, deed, is_yes=True, read_digest=read_digest)
    if version.status != VersionStatus.APPROVED:
        return version
    if version.publish_at is None or version.publish_at <= deed.at:
        return _go_live(governed, version, deed.actor, deed.reason, deed.at)
    return _move(version, VersionStatus.SCHEDULED, deed.actor, deed.reason)


@transaction.atomic
def send_back(governed: Governed[Version], version_id: int, deed: Deed, *, read_digest: str) -> Version:
    """Say no, and why: the version is a draft again for its author to mend. Raises ``NotAllowed``."""
    return _decide(governed, version_id, deed, is_yes=False, read_digest=read_digest)


@transaction.atomic
def withdraw(governed: Governed[Version], version_id: int, deed: Deed) -> Version:
    """Take a version that waits, or that is scheduled and not live yet, back. Raises ``NotAllowed``."""
    version = _one(governed, version_id)
    if version.status == VersionStatus.SUBMITTED:
        approvals.withdraw(version.object_key, at=deed.at)
        return _move(version, VersionStatus.DRAFT, deed.actor, deed.reason)
    if version.status == VersionStatus.SCHEDULED:
        _move(version, VersionStatus.APPROVED, deed.actor, deed.reason)
    return _move(version, VersionStatus.DRAFT, deed.actor, deed.reason)


@transaction.atomic
def discard(governed: Governed[Version], version_id: int, deed: Deed) -> Version:
    """Throw a draft away; it stays readable as retired. Raises ``NotAllowed``."""
    version = _one(governed, version_id)
    if not version.is_editable:
        raise NotAllowed(say("Only a draft can be discarded."))
    version.retired_at = deed.at
    return _move(version, VersionStatus.RETIRED, deed.actor, deed.reason)


def publish_due(governed: Governed[Version], *, at: datetime) -> list[Version]:
    """Put the scheduled versions in force whose time has come; each is a transaction of its own. Safe to run twice."""
    due = governed.model._default_manager.filter(status=VersionStatus.SCHEDULED, publish_at__lte=at)
    live = (
        _publish_scheduled(governed, pk, at) for pk in due.order_by("publish_at", "pk").values_list("pk", flat=True)
    )
    return [version for version in live if version is not None]


@transaction.atomic
def pause(governed: Governed[Version], version_id: int, deed: Deed) -> Version:
    """Stop a live version at once. One person may do this alone; a case asks the others to look at it afterwards."""
    version = _one(governed, version_id)
    version.paused_at = deed.at
    _move(version, VersionStatus.PAUSED, deed.actor, deed.reason)
    governed.applied([version])
    trouble = cases.Trouble(
        kind=STOPPED,
        subject=governed.name(version)[:120],
        why=say("%(person)s stopped it: %(reason)s", person=deed.by.get_username(), reason=deed.reason),
        suggestion=say("Look at it together: resume it, retire it, or roll back to an earlier version."),
        subject_url=governed.url(version),
    )
    cases.open_cases([trouble], at=deed.at)
    return version


@transaction.atomic
def resume(governed: Governed[Version], version_id: int, deed: Deed) -> Version:
    """Let a paused version go on; it was approved as it is. Raises ``NotAllowed``."""
    version = _one(governed, version_id)
    _must_be(version, VersionStatus.PAUSED, say("Only a stopped version can go on."))
    approvals.require(version.object_key, version.digest)
    version.paused_at = None
    _move(version, VersionStatus.LIVE, deed.actor, deed.reason)
    _settle(governed, [version], deed)
    return version


@transaction.atomic
def retire(governed: Governed[Version], version_id: int, deed: Deed) -> Version:
    """End a version that is live or stopped. Raises ``NotAllowed``."""
    version = _one(governed, version_id)
    if version.status not in VersionStatus.IN_FORCE:
        raise NotAllowed(say("Only a version in force can be retired."))
    version.retired_at = deed.at
    _move(version, VersionStatus.RETIRED, deed.actor, deed.reason)
    _settle(governed, [version], deed)
    return version


@transaction.atomic
def roll_back(governed: Governed[Version], version_id: int, deed: Deed, *, to: int) -> Version:
    """Put an earlier version in force again in one step, in the place of the one in force.

    It was approved as it was, so nobody has to approve it once more; a case asks for a look afterwards. It becomes a
    new version with the same body. Raises ``NotAllowed`` when the earlier one was never approved.
    """
    current = _one(governed, version_id)
    versions = list(_locked(governed, _subject(current)))
    earlier = next((version for version in versions if version.number == to), None)
    if earlier is None or current.status not in VersionStatus.IN_FORCE:
        raise NotAllowed(say("Only a version in force can be rolled back, to an earlier version of the same rule."))
    approvals.require(earlier.object_key, earlier.digest)
    _refuse_bad(governed, earlier)
    current.retired_at = deed.at
    _move(current, VersionStatus.RETIRED, deed.actor, deed.reason)
    again = governed.model(
        number=max(version.number for version in versions) + 1,
        based_on=earlier.number,
        status=VersionStatus.LIVE,
        body=earlier.body,
        digest=earlier.digest,
        author_id=earlier.author_id,
        writers=earlier.writers,
        drafted_at=deed.at,
        publish_at=earlier.publish_at,
        live_at=deed.at,
        **{f"{governed.model.subject_field}_id": _subject(current)},
    )
    _save(again, deed.actor, deed.reason)
    approvals.carry_over(earlier.object_key, again.object_key, digest=earlier.digest, at=deed.at)
    _settle(governed, [current, again], deed)
    return again


def in_force(governed: Governed[Version]) -> QuerySet[Version]:
    """Return the live versions."""
    return governed.model._default_manager.filter(status=VersionStatus.LIVE)


def _decide(governed: Governed[Version], version_id: int, deed: Deed, *, is_yes: bool, read_digest: str) -> Version:
    version = _one(governed, version_id)
    if not governed.may_approve(deed.by, version):
        raise NotAllowed(say("You may not approve this."))
    request = approvals.decide(
        version.object_key, approver=deed.by, is_yes=is_yes, read_digest=read_digest, reason=deed.reason, at=deed.at
    )
    if request.digest != _digest(version):
        raise NotAllowed(say("It is not what was submitted any more. Submit it again."))
    if request.status == ApprovalStatus.APPROVED:
        return _move(version, VersionStatus.APPROVED, deed.actor, deed.reason or "approved")
    if request.status == ApprovalStatus.REJECTED:
        return _move(version, VersionStatus.DRAFT, deed.actor, deed.reason)
    return version


@transaction.atomic
def _publish_scheduled(governed: Governed[Version], version_id: int, at: datetime) -> Version | None:
    version = _one(governed, version_id)
    if version.status != VersionStatus.SCHEDULED or version.publish_at is None or version.publish_at > at:
        return None
    return _go_live(governed, version, SCHEDULE, "its time has come", at)


def _go_live(governed: Governed[Version], version: Version, actor: Actor, reason: str, at: datetime) -> Version:
    """Put an approved version in force and retire the one before; what others approved is checked at this moment."""
    approvals.require(version.object_key, _digest(version))
    before = list(_locked(governed, _subject(version)).filter(status__in=VersionStatus.IN_FORCE))
    for old in before:
        old.retired_at = at
        _move(old, VersionStatus.RETIRED, actor, f"replaced by version {version.number}")
    version.live_at = at
    _move(version, VersionStatus.LIVE, actor, reason or "published")
    governed.applied([*before, version])
    return version


def _locked(governed: Governed[Version], subject_id: int) -> QuerySet[Version]:
    versions = governed.model._default_manager.select_for_update(no_key=True)
    return versions.filter(**{f"{governed.model.subject_field}_id": subject_id}).order_by("number")


def _one(governed: Governed[Version], version_id: int) -> Version:
    """Return one version with all versions of its subject locked."""
    subject = governed.model._default_manager.values_list(f"{governed.model.subject_field}_id", flat=True)
    versions = {version.pk: version for version in _locked(governed, subject.get(pk=version_id))}
    return versions[version_id]


def _write(version: GovernedVersion, author: AbstractBaseUser) -> None:
    version.author_id = author.pk
    version.writers = sorted({*version.writers, author.pk})


def _move(version: Version, status: VersionStatus, actor: Actor, reason: str) -> Version:
    if status != version.status and status not in VersionStatus.MOVES[version.status]:
        status_now = str(VersionStatus(version.status).label)
        raise NotAllowed(
            say(
                "Version %(number)s is “%(status)s”: this cannot be done now.", number=version.number, status=status_now
            )
        )
    version.status = status
    return _save(version, actor, reason)


def _save(version: Version, actor: Actor, reason: str) -> Version:
    trail.because(version, actor=actor, reason=reason).save()
    return version


def _settle(governed: Governed[Version], versions: Sequence[Version], deed: Deed) -> None:
    governed.applied(versions)
    subjects = [governed.name(version)[:120] for version in versions]
    cases.resolve(subjects, kinds=[STOPPED], actor=deed.actor, resolution=deed.reason, at=deed.at)


def _refuse_bad(governed: Governed[Version], version: Version) -> None:
    wrong = governed.complain(version)
    if wrong:
        raise NotGood(wrong)


def _must_be(version: GovernedVersion, status: VersionStatus, otherwise: Sentence) -> None:
    if version.status != status:
        raise NotAllowed(otherwise)


def _subject(version: GovernedVersion) -> int:
    subject_id: int = getattr(version, f"{version.subject_field}_id")
    return subject_id


def _must_be_as_read(version: GovernedVersion, read_digest: str) -> None:
    if version.digest != read_digest:
        raise EditedMeanwhile(say("Somebody else has changed this draft since you opened it. Read it again."))


def _digest(version: GovernedVersion) -> str:
    return Text(version.body, version.publish_at).digest
