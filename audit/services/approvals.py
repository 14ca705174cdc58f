"""Approval by another person: submitted, decided, withdrawn; and the proof an owner asks for before it publishes."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.contrib.auth.models import AbstractBaseUser
from django.db import transaction

from audit.models import Approval, ApprovalRequest
from audit.rules.governance import is_decided, why_not_decide
from audit.rules.sentences import Sentence, say
from audit.statuses import ApprovalStatus


class NotAllowed(Exception):
    """A step of governance that may not be taken, with the reason for the person who tried."""

    def __init__(self, reason: Sentence) -> None:
        super().__init__(str(reason))
        self.reason = reason


@dataclass(frozen=True)
class Proposal:
    """What an approver reads: who wants what, what it changes, and what it is expected to do."""

    object_key: str
    subject: str
    subject_url: str
    permission: str
    digest: str
    title: Sentence
    changes: Sequence[Sentence] = ()
    effect: Sequence[Sentence] = ()
    approvals_needed: int = 1


@transaction.atomic
def submit(
    proposal: Proposal, *, author: AbstractBaseUser, writers: Collection[int] = (), reason: str, at: datetime
) -> ApprovalRequest:
    """Ask for approval; neither the author nor the other writers may give it.

    Raises ``NotAllowed`` when the object waits already.
    """
    waiting = ApprovalRequest.objects.filter(object_key=proposal.object_key, status=ApprovalStatus.WAITING)
    if waiting.exists():
        raise NotAllowed(say("It waits for approval already."))
    return ApprovalRequest.objects.create(
        object_key=proposal.object_key,
        subject=proposal.subject[:120],
        subject_url=proposal.subject_url,
        permission=proposal.permission,
        digest=proposal.digest,
        title=proposal.title.stored(),
        changes=[sentence.stored() for sentence in proposal.changes],
        effect=[sentence.stored() for sentence in proposal.effect],
        approvals_needed=proposal.approvals_needed,
        author_id=author.pk,
        writers=sorted({*writers, author.pk}),
        reason=reason[:300],
        submitted_at=at,
    )


@transaction.atomic
def decide(
    object_key: str, *, approver: AbstractBaseUser, is_yes: bool, read_digest: str, reason: str = "", at: datetime
) -> ApprovalRequest:
    """Note one person's yes or no to what waits under ``object_key`` and return the request as it then stands.

    ``read_digest`` is what the person had on the screen. Raises ``NotAllowed`` for the author, for a second voice of
    one person, for something that changed meanwhile, when nothing waits, and for a no without a reason.
    """
    request = _waiting(object_key)
    known = list(request.approvals.values_list("approver_id", "is_yes"))
    why_not = why_not_decide(
        writers={*request.writers, request.author_id},
        approver=approver.pk,
        decided_by={person for person, _is_yes in known},
        read_digest=read_digest,
        digest_now=request.digest,
    )
    if why_not is None and not is_yes and not reason.strip():
        why_not = say("Say why, so that the author can mend it.")
    if why_not:
        raise NotAllowed(why_not)
    Approval.objects.create(
        request=request,
        author_id=request.author_id,
        approver_id=approver.pk,
        is_yes=is_yes,
        reason=reason[:300],
        digest=read_digest,
        decided_at=at,
    )
    yes = sum(is_yes for _person, is_yes in known) + is_yes
    decision = is_decided(yes=yes, no=len(known) + 1 - yes, needed=request.approvals_needed)
    if decision is not None:
        request.status = ApprovalStatus.APPROVED if decision else ApprovalStatus.REJECTED
        request.decided_at = at
        request.save(update_fields=["status", "decided_at"])
    return request


@transaction.atomic
def withdraw(object_key: str, *, at: datetime) -> None:
    """Take a request back. Raises ``NotAllowed`` when nothing waits."""
    request = _waiting(object_key)
    request.status, request.decided_at = ApprovalStatus.WITHDRAWN, at
    request.save(update_fields=["status", "decided_at"])


def require(object_key: str, digest: str) -> None:
    """Raise ``NotAllowed`` unless others approved exactly this content; asked again at the moment of publishing."""
    if _approved(object_key, digest) is None:
        raise NotAllowed(say("Nobody else has approved exactly this. Submit it for approval."))


@transaction.atomic
def carry_over(from_key: str, to_key: str, *, digest: str, at: datetime) -> None:
    """Give a copy of an approved object the approvals of the first: same content, same yes. Raises ``NotAllowed``."""
    request = _approved(from_key, digest)
    if request is None:
        raise NotAllowed(say("Nobody else has approved exactly this. Submit it for approval."))
    given = list(request.approvals.filter(is_yes=True))
    request.pk, request._state.adding = None, True
    request.object_key, request.decided_at = to_key, at
    request.save()
    for approval in given:
        approval.pk, approval._state.adding, approval.request = None, True, request
    Approval.objects.bulk_create(given)


def _approved(object_key: str, digest: str) -> ApprovalRequest | None:
    request = ApprovalRequest.objects.filter(
        object_key=object_key, digest=digest, status=ApprovalStatus.APPROVED
    ).last()
    if request is None:
        return None
    others = request.approvals.filter(is_yes=True, digest=digest).exclude(approver_id__in=request.writers)
    return request if others.count() >= request.approvals_needed else None


def _waiting(object_key: str) -> ApprovalRequest:
    waiting = ApprovalRequest.objects.select_for_update(no_key=True).filter(
        object_key=object_key, status=ApprovalStatus.WAITING
    )
    request = waiting.first()
    if request is None:
        raise NotAllowed(say("Nothing waits for approval here."))
    return request
