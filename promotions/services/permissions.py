"""Who may write, approve or stop a promotion: everywhere, on this one alone, or inside what they answer for.

A right everywhere is a model permission, a right on one promotion is granted on its row, and a right in a field (a
brand, a channel, a region) on the row of a ``Scope``. Who has a right in fields may use it on promotions that stay
inside them: a rule for two channels needs the right for both, and one that nothing bounds needs the right everywhere.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

import msgspec
from django.contrib.auth.models import AbstractBaseUser, PermissionsMixin
from django.db.models import Q, TextField
from django.db.models.functions import Cast
from guardian.shortcuts import get_objects_for_user

from audit.rules.sentences import say
from audit.services.approvals import NotAllowed
from audit.statuses import VersionStatus
from promotions.models import Promotion, PromotionVersion, Scope
from promotions.queries import shop
from promotions.rules import fields
from promotions.rules import rule as rules
from promotions.rules.fields import Fields
from promotions.rules.rule import Rule
from promotions.statuses import ScopeKind


class Right(StrEnum):
    """What somebody may do with a promotion."""

    WRITE = "write"
    APPROVE = "approve"
    STOP = "stop"


@dataclass(frozen=True)
class _Codes:
    everywhere: str
    on_one: str
    in_field: str


ADD: Final = "promotions.add_promotion"
CODES: Final = {
    Right.WRITE: _Codes("promotions.change_promotion", "promotions.change_promotion", "promotions.write_in_scope"),
    Right.APPROVE: _Codes(
        "promotions.approve_promotionversion", "promotions.approve_promotion", "promotions.approve_in_scope"
    ),
    Right.STOP: _Codes("promotions.stop_promotionversion", "promotions.stop_promotion", "promotions.stop_in_scope"),
}
_REFUSED: Final = {
    Right.WRITE: say("You may not write this: it reaches beyond what you answer for."),
    Right.APPROVE: say("You may not approve this."),
    Right.STOP: say("You may not stop this: it reaches beyond what you answer for."),
}


def may(user: Any, right: Right, promotion: Promotion, said: Iterable[Rule]) -> bool:
    """Return whether a person has a right on a promotion that says these rules: each of them, not one."""
    if not isinstance(user, PermissionsMixin) or not getattr(user, "is_active", False):
        return False
    codes = CODES[right]
    if user.has_perm(codes.everywhere) or user.has_perm(codes.on_one, promotion):
        return True
    return are_inside(fields_of(user, right), promotion.brand, said)


def may_version(user: Any, right: Right, version: PromotionVersion) -> bool:
    """Return whether a person has a right on what a version says; of what cannot be read only the right everywhere."""
    rule = _rule_of(version)
    return may(user, right, version.promotion, [rule] if rule else [])


def may_instead(user: Any, right: Right, version: PromotionVersion) -> bool:
    """Return whether a person has a right on a version and on the one in force, in whose place it would stand."""
    return may_version(user, right, version) and (
        not (instead := in_force(version.promotion)) or may(user, right, version.promotion, instead)
    )


def in_force(promotion: Promotion) -> list[Rule]:
    """Return what a promotion says now, also while it is stopped; nothing before it was live."""
    bodies = promotion.versions.filter(status__in=VersionStatus.IN_FORCE).values_list("body", flat=True)
    return [rules.from_json(body) for body in bodies]


def may_begin(user: Any, brand: str, rule: Rule) -> bool:
    """Return whether a person may begin a promotion that says this."""
    if not isinstance(user, PermissionsMixin) or not getattr(user, "is_active", False):
        return False
    return user.has_perm(ADD) or are_inside(fields_of(user, Right.WRITE), brand, [rule])


def may_open(user: Any) -> bool:
    """Return whether a person may begin some promotion at all."""
    return bool(user.has_perm(ADD)) or (user.is_active and not fields_of(user, Right.WRITE).is_nothing)


def has_fields(user: Any) -> bool:
    """Return whether a person answers for some field, in whatever right."""
    return bool(user.is_active) and any(not fields_of(user, right).is_nothing for right in Right)


def may_see(user: Any, promotion: Promotion) -> bool:
    """Return whether a person may read a promotion: all of them, this one, or what they answer for."""
    codes = ("promotions.view_promotion", "promotions.change_promotion")
    if any(user.has_perm(code) or user.has_perm(code, promotion) for code in codes):
        return True
    return promotion.pk in in_fields(user)


def may_try(user: Any) -> bool:
    """Return whether a person may try rules on past orders."""
    return bool(user.has_perm("promotions.view_promotion")) or has_fields(user) or may_open(user)


def require(user: AbstractBaseUser, right: Right, promotion: Promotion, said: Iterable[Rule]) -> None:
    """Raise ``NotAllowed`` unless a person has a right on a promotion that says these rules."""
    if not may(user, right, promotion, said):
        raise NotAllowed(_REFUSED[right])


def require_version(user: AbstractBaseUser, right: Right, version: PromotionVersion) -> None:
    """Raise ``NotAllowed`` unless a person has a right on what a version says."""
    if not may_version(user, right, version):
        raise NotAllowed(_REFUSED[right])


def require_instead(user: AbstractBaseUser, right: Right, version: PromotionVersion) -> None:
    """Raise ``NotAllowed`` unless a person may put this version in the place of the one in force."""
    if not may_instead(user, right, version):
        raise NotAllowed(_REFUSED[right])


def require_begin(user: AbstractBaseUser, brand: str, rule: Rule) -> None:
    """Raise ``NotAllowed`` unless a person may begin a promotion that says this."""
    if not may_begin(user, brand, rule):
        raise NotAllowed(_REFUSED[Right.WRITE])


def are_inside(known: Fields, brand: str, said: Iterable[Rule]) -> bool:
    """Return whether each of these rules of a promotion of a brand stays inside what somebody answers for."""
    said = list(said)
    if known.is_nothing or not said:
        return False
    brand_of = {sku: words[1] for sku, words in shop.belonging(said).items()} if known.brands and brand else {}
    return all(fields.is_inside(fields.bounds(rule, brand=brand, brand_of=brand_of), known) for rule in said)


def fields_of(user: Any, right: Right) -> Fields:
    """Return the fields in which a person has a right: one query, then kept with the person's other rights."""
    kept: dict[Right, Fields] = user.__dict__.setdefault("_promotion_fields", {})
    if right not in kept:
        granted = get_objects_for_user(
            user, CODES[right].in_field, klass=Scope, with_superuser=False, accept_global_perms=False
        )
        rows = list(granted.values_list("kind", "code"))
        words = {kind: frozenset(code for of_kind, code in rows if of_kind == kind) for kind in ScopeKind.values}
        kept[right] = Fields(words[ScopeKind.BRAND], words[ScopeKind.CHANNEL], words[ScopeKind.REGION])
    return kept[right]


def in_fields(user: Any) -> set[int]:
    """Return the promotions whose newest version, or one that is not over, stays inside fields of a person."""
    if not getattr(user, "is_active", False):
        return set()
    known = [answered for right in Right if not (answered := fields_of(user, right)).is_nothing]
    if not known:
        return set()
    versions = _candidates(known)
    said = {version.pk: rule for version in versions if (rule := _rule_of(version))}
    versions = [version for version in versions if version.pk in said]
    brand_of = {sku: words[1] for sku, words in shop.belonging(said.values()).items()}
    found = {
        version.pk: fields.bounds(said[version.pk], brand=version.promotion.brand, brand_of=brand_of)
        for version in versions
    }
    return {
        version.promotion_id
        for version in versions
        if any(fields.is_inside(found[version.pk], answered) for answered in known)
    }


def _rule_of(version: PromotionVersion) -> Rule | None:
    """Return what a version says, if anybody can read it."""
    try:
        return rules.from_json(version.body)
    except msgspec.ValidationError:
        return None


def _candidates(known: Sequence[Fields]) -> list[PromotionVersion]:
    """Return versions that could lie in these fields: by brand, or because they speak of channels or regions."""
    wanted = Q(promotion__brand__in={brand for answered in known for brand in answered.brands})
    if any(answered.channels for answered in known):
        wanted |= Q(told__contains='"on_channel"')
    if any(answered.regions for answered in known):
        wanted |= Q(told__contains='"ships_to"')
    newest = PromotionVersion.objects.order_by("promotion", "-number").distinct("promotion")
    shown = Q(pk__in=newest.values("pk")) | ~Q(status=VersionStatus.RETIRED)
    rows = PromotionVersion.objects.annotate(told=Cast("body", TextField())).filter(wanted, shown)
    return list(rows.select_related("promotion").order_by("pk"))
