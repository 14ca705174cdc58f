"""Which live rules a new one meets, and what happens then: both, one of them, and why."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from audit.rules.sentences import Sentence, say
from promotions.rules.overlaps import Belonging, can_meet
from promotions.rules.rule import Lane, PublishedRule


class Meeting(StrEnum):
    """What becomes of two rules that meet in one basket."""

    EXCLUDES = "excludes"  # one of them only
    ADDS = "adds"  # both


@dataclass(frozen=True)
class Conflict:
    """A live rule that can meet the new one in a basket."""

    code: str
    number: int
    meeting: Meeting
    why: Sentence


def conflicts(
    new: PublishedRule, live: Sequence[PublishedRule], belonging: Belonging | None = None
) -> list[Conflict]:  # fmt: skip
    """Return the live rules of the same lane that can meet a new one, those that exclude it first, then by code.

    ``belonging`` says of SKU codes which category and brand they have. An earlier version of the same promotion is no
    conflict: it ends when the new one goes live.
    """
    found = [
        _conflict(new, other)
        for other in live
        if other.code != new.code
        and other.rule.lane is new.rule.lane
        and can_meet(new.rule, other.rule, belonging or {})
    ]
    return sorted(found, key=lambda conflict: (conflict.meeting is not Meeting.EXCLUDES, conflict.code))


def _conflict(new: PublishedRule, other: PublishedRule) -> Conflict:
    meeting, why = _why(new, other)
    return Conflict(other.code, other.number, meeting, why)


def _why(new: PublishedRule, other: PublishedRule) -> tuple[Meeting, Sentence]:
    if new.rule.lane is Lane.LIMIT:
        return Meeting.ADDS, say("Both limits hold: the stricter one decides.")
    if new.rule.group and new.rule.group == other.rule.group:
        return Meeting.EXCLUDES, say(
            "Both are in the group %(group)s: the one that gives the buyer more wins, at equal amounts %(first)s.",
            group=new.rule.group, first=_first(new, other).code,
        )  # fmt: skip
    alone = [rule.code for rule in (new, other) if rule.rule.is_exclusive]
    if alone:
        return Meeting.EXCLUDES, say(
            "%(alone)s stands alone in its lane: whichever gives the buyer more wins, at equal amounts %(first)s.",
            alone=" + ".join(alone), first=_first(new, other).code,
        )  # fmt: skip
    if new.rule.lane is Lane.GIFT:
        return Meeting.ADDS, say("Both apply: the buyer gets the gifts of both.")
    return Meeting.ADDS, say("Both apply to the same prices, and what they take off is added up.")


def _first(one: PublishedRule, other: PublishedRule) -> PublishedRule:
    """Return which of two rules ranks first: higher priority, then the code."""
    return min(one, other, key=lambda rule: (-rule.rule.priority, rule.code))
