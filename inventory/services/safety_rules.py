"""The life of a safety stock rule: drafted, published, retired. A live rule is never edited: a copy takes its place."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db import connection, transaction

from audit.rules.actors import Actor
from audit.rules.sentences import Sentence, say
from audit.services import trail
from audit.services.transactions import atomic_with_retry
from inventory.models import SafetyRule
from inventory.queries import safety as looks
from inventory.rules.safety import Scope, complaints
from inventory.services import refusals, safety
from inventory.statuses import RuleStatus, SkuKind

MOST_AT_ONCE = 20_000  # levels; more are left to the next refresh
_IN_SCOPE = """
SELECT level.id FROM inventory_stocklevel AS level JOIN inventory_sku AS sku ON sku.id = level.sku_id
 WHERE {where} ORDER BY level.id LIMIT %s
"""


@dataclass(frozen=True)
class Applied:
    """What publishing or retiring did: how many levels changed, or that the levels follow with the next refresh."""

    changed: int
    is_under_way: bool = False


def complain(rule: SafetyRule) -> list[tuple[str, Sentence]]:
    """Return why a draft cannot stand, each with the name of the field that is wrong; empty for a good one."""
    found = complaints(looks.as_rule(rule))
    if rule.sku and rule.sku.kind == SkuKind.BUNDLE:
        found.append(("sku", say("A bundle has no stock of its own: choose its parts.")))
    return found


@transaction.atomic
def save_draft(rule: SafetyRule, *, reason: str, actor: Actor, at: datetime) -> SafetyRule:
    """Keep a new or changed draft. Raises ``RowsRefused`` for bad input, and for a rule that is no draft any more."""
    _refuse_bad(rule)
    if rule.pk is None:
        rule.status, rule.created_at, rule.created_by = RuleStatus.DRAFT, at, actor.label[:80]
    else:
        _locked(rule.pk, RuleStatus.DRAFT, say("Only a draft can be changed. Copy the rule instead."))
    trail.because(rule, actor=actor, reason=reason).save()
    return rule


@transaction.atomic
def copy(rule_id: int, *, actor: Actor, at: datetime) -> SafetyRule:
    """Make a draft that says what this rule says."""
    rule = SafetyRule.objects.get(pk=rule_id)
    rule.pk, rule._state.adding = None, True
    rule.published_at, rule.published_by, rule.retired_at = None, "", None
    return save_draft(rule, reason=f"copy of no. {rule_id}", actor=actor, at=at)


@atomic_with_retry
def publish(rule_id: int, *, replaces: int | None = None, reason: str, actor: Actor, at: datetime) -> Applied:
    """Make a draft a live rule, retire the one it replaces, and bring the levels of both to what the rules then say.

    A rule for more than 20,000 levels goes live and leaves them to the next refresh. Raises ``RowsRefused`` (and
    changes nothing) for a rule that is no draft, is bad or already over, and for a replaced one that is not live.
    """
    _lock_in_order([rule_id, *([replaces] if replaces else [])])
    rule = _locked(rule_id, RuleStatus.DRAFT, say("Only a draft can be published."))
    _refuse_bad(rule)
    if rule.ends_at and rule.ends_at <= at:
        raise refusals.refuse(say("The time of this rule is over. Choose a later end."))
    scopes = [looks.as_rule(rule).scope]
    if replaces:
        old = _locked(replaces, RuleStatus.LIVE, say("The rule to be replaced is not live any more."))
        scopes.append(looks.as_rule(old).scope)
        _end(old, actor, f"replaced by no. {rule.pk}", at)
    rule.status, rule.published_at, rule.published_by = RuleStatus.LIVE, at, actor.label[:80]
    trail.because(rule, actor=actor, reason=reason).save()
    return _apply(scopes, actor, at)


@atomic_with_retry
def retire(rule_id: int, *, reason: str, actor: Actor, at: datetime) -> Applied:
    """End a live rule; its levels keep back what the other rules ask for, or their own figure.

    Raises ``RowsRefused`` (and changes nothing) for a rule that is not live.
    """
    rule = _locked(rule_id, RuleStatus.LIVE, say("Only a live rule can be retired."))
    _end(rule, actor, reason, at)
    return _apply([looks.as_rule(rule).scope], actor, at)


def replaceable(rule: SafetyRule) -> list[SafetyRule]:
    """Return the live rules for just the same levels, the one of the same name first: a draft may take their place."""
    same = SafetyRule.objects.filter(
        status=RuleStatus.LIVE, sku=rule.sku_id, category=rule.category_id, node=rule.node_id
    ).exclude(pk=rule.pk)
    return sorted(same, key=lambda row: (row.name != rule.name, -row.pk))


def replaced_by(rule: SafetyRule) -> SafetyRule | None:
    """Return the live rule that a draft is meant to replace: it has its name and is for the same levels."""
    return next((row for row in replaceable(rule) if row.name == rule.name), None)


def _refuse_bad(rule: SafetyRule) -> None:
    refusals.refuse_if_any([refusals.RefusedRow(0, why) for _field, why in complain(rule)])


def _lock_in_order(rule_ids: Iterable[int]) -> None:
    list(SafetyRule.objects.select_for_update(no_key=True).filter(pk__in=rule_ids).order_by("pk").values_list("pk"))


def _locked(rule_id: int, status: RuleStatus, otherwise: Sentence) -> SafetyRule:
    locked = SafetyRule.objects.select_for_update(no_key=True).filter(pk=rule_id, status=status).first()
    if locked is None:
        raise refusals.refuse(otherwise)
    return locked


def _end(rule: SafetyRule, actor: Actor, reason: str, at: datetime) -> None:
    rule.status, rule.retired_at = RuleStatus.RETIRED, at
    trail.because(rule, actor=actor, reason=reason).save()


def _apply(scopes: Iterable[Scope], actor: Actor, at: datetime) -> Applied:
    where, values = looks.in_scopes(scopes)
    with connection.cursor() as cursor:
        cursor.execute(_IN_SCOPE.format(where=where), [*values, MOST_AT_ONCE + 1])
        level_ids = [level_id for (level_id,) in cursor.fetchall()]
    if len(level_ids) > MOST_AT_ONCE:
        return Applied(0, is_under_way=True)
    return Applied(safety.settle(level_ids, actor=actor, at=at))
