"""What a new version of a rule changes, in words."""

from collections.abc import Callable, Iterator
from typing import Final

from audit.rules.sentences import Sentence, say
from promotions.rules import asking, giving, naming, sentences
from promotions.rules.naming import NO_NAMES, Names
from promotions.rules.rule import Rule

Part = tuple[Callable[[Rule, Names], Sentence], Callable[[Sentence, Sentence], Sentence]]


def changes(old: Rule | None, new: Rule, names: Names = NO_NAMES) -> list[Sentence]:
    """Return each difference as a sentence; for the first version what it says."""
    if old is None:
        return [say("New: %(what)s", what=sentences.describe(new, names))]
    return list(_differences(old, new, names)) or [say("It says the same.")]


def _differences(old: Rule, new: Rule, names: Names) -> Iterator[Sentence]:
    for shown, told in _PARTS:
        before, after = shown(old, names), shown(new, names)
        if before != after:
            yield told(before, after)


def _none_or(value: str | int | None) -> Sentence:
    return say("none") if value in (None, "") else say("%(value)s", value=value or 0)


def _yes_no(is_so: bool) -> Sentence:
    return say("yes") if is_so else say("no")


def _which(rule: Rule, names: Names) -> Sentence:
    return asking.phrase(rule.condition, names) or say("of any kind")


_PARTS: Final[tuple[Part, ...]] = (
    (_which, lambda old, new: say("Which orders: %(new)s (was: %(old)s)", new=new, old=old)),
    (lambda rule, names: giving.phrase(rule.reward, names),
     lambda old, new: say("What they get: %(new)s (was: %(old)s)", new=new, old=old)),
    (lambda rule, _names: _none_or(naming.moment(rule.starts_at) if rule.starts_at else None),
     lambda old, new: say("Starts: %(new)s (was: %(old)s)", new=new, old=old)),
    (lambda rule, _names: _none_or(naming.moment(rule.ends_at) if rule.ends_at else None),
     lambda old, new: say("Ends: %(new)s (was: %(old)s)", new=new, old=old)),
    (lambda rule, _names: _yes_no(rule.needs_coupon),
     lambda old, new: say("Needs a coupon: %(new)s (was: %(old)s)", new=new, old=old)),
    (lambda rule, _names: _none_or(rule.limits.most_uses),
     lambda old, new: say("Orders at most: %(new)s (was: %(old)s)", new=new, old=old)),
    (lambda rule, _names: _none_or(rule.limits.most_uses_of_a_buyer),
     lambda old, new: say("Times for each buyer: %(new)s (was: %(old)s)", new=new, old=old)),
    (lambda rule, _names: _none_or(None if rule.limits.budget is None else naming.money(rule.limits.budget)),
     lambda old, new: say("Budget: %(new)s (was: %(old)s)", new=new, old=old)),
    (lambda rule, _names: _none_or(rule.group),
     lambda old, new: say("Group: %(new)s (was: %(old)s)", new=new, old=old)),
    (lambda rule, _names: _yes_no(rule.is_exclusive),
     lambda old, new: say("Excludes all others of its lane: %(new)s (was: %(old)s)", new=new, old=old)),
    (lambda rule, _names: _none_or(rule.priority),
     lambda old, new: say("Priority: %(new)s (was: %(old)s)", new=new, old=old)),
    (lambda rule, _names: _yes_no(rule.returns_uses),
     lambda old, new: say("Cancelled orders give back what they used: %(new)s (was: %(old)s)", new=new, old=old)),
)  # fmt: skip
