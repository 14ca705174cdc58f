"""A promotion as one sentence: “Orders of ¥300 or more shipped to East China get 1 × SAMPLE-B”."""

from datetime import datetime

from audit.rules.sentences import Sentence, joined, say
from promotions.rules import asking, giving, naming
from promotions.rules.naming import NO_NAMES, Names
from promotions.rules.rule import Limits, Rule


def describe(rule: Rule, names: Names = NO_NAMES) -> Sentence:
    """Return what a rule says: which orders get what, then its time and its limits."""
    parts = [gives(rule, names), *terms(rule)]
    return parts[0] if len(parts) == 1 else say("%(parts)s", parts=joined(parts, say("%(first)s; %(second)s")))


def gives(rule: Rule, names: Names = NO_NAMES) -> Sentence:
    """Return which orders get what, without time and limits."""
    which, what = asking.phrase(rule.condition, names), giving.phrase(rule.reward, names)
    if which is not None:
        if rule.needs_coupon:
            return say("Orders %(which)s with a coupon %(what)s", which=which, what=what)
        return say("Orders %(which)s %(what)s", which=which, what=what)
    return (
        say("Orders with a coupon %(what)s", what=what) if rule.needs_coupon else say("All orders %(what)s", what=what)
    )


def terms(rule: Rule) -> list[Sentence]:
    """Return a rule's time and limits, one sentence each."""
    return [*within(rule.starts_at, rule.ends_at), *limits(rule.limits)]


def within(starts_at: datetime | None, ends_at: datetime | None) -> list[Sentence]:
    """Return a rule's own time; nothing without one."""
    if starts_at and ends_at:
        return [say("from %(starts)s until %(ends)s", starts=naming.moment(starts_at), ends=naming.moment(ends_at))]
    if starts_at:
        return [say("from %(starts)s on", starts=naming.moment(starts_at))]
    return [say("until %(ends)s", ends=naming.moment(ends_at))] if ends_at else []


def limits(of: Limits) -> list[Sentence]:
    """Return how often and how much a rule may give, one sentence each."""
    found = []
    if of.most_uses is not None:
        found.append(say("for at most %(count)s orders", count=of.most_uses))
    if of.most_uses_of_a_buyer is not None:
        found.append(say("at most %(count)s times for each buyer", count=of.most_uses_of_a_buyer))
    if of.budget is not None:
        found.append(say("%(budget)s in all", budget=naming.money(of.budget)))
    return found
