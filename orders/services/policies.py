"""What audit's verbs must know of versions of routing policies: when they are good, what they say, who may approve."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

import msgspec
from django.conf import settings
from django.contrib.auth.models import AbstractBaseUser, PermissionsMixin
from django.db import transaction

from audit.rules.sentences import Name, Sentence, say
from audit.services import trail, versions
from audit.services.approvals import NotAllowed
from audit.services.versions import Deed, Governed, Text
from channels.models import Channel
from inventory.models import Node
from orders.models import RoutingPolicy, RoutingPolicyVersion, WhatIfVariant
from orders.rules.routing import complaints, wording
from orders.rules.routing.complaints import Known
from orders.rules.routing.policy import Policy, from_json, to_json

APPROVE: Final = "orders.approve_routingpolicyversion"
NOTHING_NEW: Final = say("This variant decides by the same policy: there is nothing to approve.")


@transaction.atomic
def begin(code: str, name: str, name_en: str, text: Text, deed: Deed) -> RoutingPolicyVersion:
    """Make a policy with its first draft. Raises ``NotAllowed`` for a code that exists already."""
    if RoutingPolicy.objects.filter(code=code).exists():
        raise NotAllowed(say("The code %(code)s exists already.", code=code))
    policy = RoutingPolicy(code=code, name=name, name_en=name_en, created_at=deed.at)
    trail.because(policy, actor=deed.actor, reason=deed.reason or "begun").save()
    return versions.draft(GOVERNED, policy.pk, text, deed)


@transaction.atomic
def submit_winner(policy: Policy, deed: Deed) -> RoutingPolicyVersion:
    """Make a policy the next version of the acting one and ask for its approval; the first version makes the policy.

    Raises ``NotAllowed`` when a version is being prepared, ``NotGood`` when the policy cannot stand.
    """
    text = Text(to_json(policy))
    subject = RoutingPolicy.objects.filter(code=settings.ROUTING_POLICY).first()
    if subject is None:
        version = begin(settings.ROUTING_POLICY, settings.ROUTING_POLICY, "", text, deed)
    else:
        version = versions.draft(GOVERNED, subject.pk, text, deed)
    return versions.submit(GOVERNED, version.pk, deed, read_digest=version.digest)


def publish_due(*, at: datetime) -> int:
    """Put the versions in force whose time has come; returns how many. Safe to run twice."""
    return len(versions.publish_due(GOVERNED, at=at))


def policy_of(version: RoutingPolicyVersion) -> Policy:
    """Return what a version says. Raises ``msgspec.ValidationError`` when its body is no policy."""
    return from_json(version.body)


def known() -> Known:
    """Return the words that a policy may name: channels, and nodes with their kind and groups. Two queries."""
    nodes = Node.objects.filter(is_active=True).values_list("kind", "groups")
    return Known(
        channels=frozenset(Channel.objects.values_list("code", flat=True)),
        nodes=tuple((kind, frozenset(groups)) for kind, groups in nodes),
    )


def names() -> wording.Names:
    """Return what channels are called."""
    rows = Channel.objects.values_list("code", "name", "name_en")
    return wording.Names(channels={code: Name(name, name_en) for code, name, name_en in rows})


def is_acting(version: RoutingPolicyVersion) -> bool:
    """Return whether the version's policy is the one that routes the orders."""
    return version.policy.code == settings.ROUTING_POLICY


def _complain(version: RoutingPolicyVersion) -> Sequence[Sentence]:
    try:
        policy = policy_of(version)
    except msgspec.ValidationError as trouble:
        return [say("The policy cannot be read: %(why)s", why=str(trouble))]
    return complaints.complaints(policy, known())


def _name(version: RoutingPolicyVersion) -> str:
    return f"{version.policy.code}/{version.number}"


def _url(version: RoutingPolicyVersion) -> str:
    return f"/admin/orders/routingpolicy/{version.policy_id}/change/"


def _describe(version: RoutingPolicyVersion) -> Sentence:
    return wording.describe(policy_of(version), names())


def _changes(old: RoutingPolicyVersion | None, new: RoutingPolicyVersion) -> Sequence[Sentence]:
    return wording.changes(policy_of(old) if old else None, policy_of(new), names())


def _effect(version: RoutingPolicyVersion) -> Sequence[Sentence]:
    """Say what the newest what-if run says of this very text."""
    tried = WhatIfVariant.objects.filter(changes__digest=version.digest, result__has_key="cost")
    newest = tried.select_related("what_if").order_by("-pk").first()
    if newest is None:
        return [say("It was not tried on past orders yet.")]
    told = newest.result
    return [
        say(
            "Tried on %(orders)s past orders: cost %(cost)s yuan against %(was)s, %(parcels)s parcels against "
            "%(parcels_was)s, %(late)s late orders against %(late_was)s.",
            orders=told["orders"], cost=told["cost"], was=told["was"]["cost"], parcels=told["parcels"],
            parcels_was=told["was"]["parcels"], late=told["late"], late_was=told["was"]["late"],
        )
    ]  # fmt: skip


def _approvals_needed(version: RoutingPolicyVersion) -> int:
    return 1


def _may_approve(user: AbstractBaseUser, version: RoutingPolicyVersion) -> bool:
    return isinstance(user, PermissionsMixin) and user.has_perm(APPROVE)


def _applied(changed: Sequence[RoutingPolicyVersion]) -> None:
    """Nothing lies apart from the versions: who decides reads them; its memory ends with the row's change."""


GOVERNED: Final = Governed(
    model=RoutingPolicyVersion,
    approve_permission=APPROVE,
    complain=_complain,
    name=_name,
    url=_url,
    describe=_describe,
    changes=_changes,
    effect=_effect,
    approvals_needed=_approvals_needed,
    may_approve=_may_approve,
    applied=_applied,
)
