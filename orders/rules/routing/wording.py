"""A routing policy in words: which orders go from which nodes, what counts how much, and what a new version changes."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from audit.rules.sentences import Name, Sentence, Value, joined, say
from inventory.rules.geography import REGIONS
from orders.rules.routing.policy import Group, Hard, Policy, Weights, When

AND: Final = say("%(first)s, %(second)s")


@dataclass(frozen=True)
class Names:
    """What channels and node groups are called; codes stand in for what is missing."""

    channels: Mapping[str, Name] = field(default_factory=dict)


NO_NAMES: Final = Names()
KINDS: Final[Mapping[str, Value]] = {
    "central_dc": say("central DCs"), "regional_dc": say("regional DCs"), "store": say("stores"),
}  # fmt: skip
METHODS: Final[Mapping[str, Value]] = {
    "standard": say("standard delivery"), "express": say("express delivery"), "pickup": say("pickup at a store"),
}  # fmt: skip
# The terms in the order in which an operator reads them, with what one unit of their weight means.
TERMS: Final[dict[str, Sentence]] = {
    "freight": say("freight (× the carrier's price)"),
    "pick": say("picking (× the node's cost of a parcel)"),
    "distance": say("distance (yuan a kilometre)"),
    "late": say("lateness (yuan an hour after what was promised)"),
    "slow": say("time on the way (yuan an hour)"),
    "split": say("splitting (yuan for each further parcel)"),
    "load": say("load (yuan at a node that is full)"),
    "balance": say("stock balance (× the worth of a unit where it lies)"),
    "markdown": say("goods to be sold first (yuan gained a unit)"),
    "carrier": say("the carrier's punctuality (yuan if all its parcels come late)"),
    "standing": say("the node's standing (yuan if it refuses everything)"),
}


def describe(policy: Policy, names: Names = NO_NAMES) -> Sentence:
    """Return a policy as one sentence, group after group."""
    return say(
        "%(groups)s", groups=joined([of_group(group, names) for group in policy.groups], say("%(first)s; %(second)s"))
    )


def of_group(group: Group, names: Names = NO_NAMES) -> Sentence:
    """Return what a group takes and from which nodes it sends."""
    return say(
        "“%(name)s”: %(which)s from %(nodes)s",
        name=group.name, which=which(group.when, names), nodes=nodes(group.hard),
    )  # fmt: skip


def which(when: When, names: Names = NO_NAMES) -> Sentence:
    """Return which orders a group takes."""
    parts = list(_which(when, names))
    return say("orders %(which)s", which=joined(parts, AND)) if parts else say("all orders")


def nodes(hard: Hard) -> Sentence:
    """Return which nodes may send."""
    parts = list(_nodes(hard))
    return say("nodes %(which)s", which=joined(parts, AND)) if parts else say("every node")


def changes(old: Policy | None, new: Policy, names: Names = NO_NAMES) -> list[Sentence]:
    """Return each difference between two policies as a sentence; for the first one what it says."""
    if old is None:
        return [say("New: %(what)s", what=describe(new, names))]
    return list(_changes(old, new, names)) or [say("It says the same.")]


def _changes(old: Policy, new: Policy, names: Names) -> Iterator[Sentence]:
    before, after = ({group.name: group for group in policy.groups} for policy in (old, new))
    yield from (say("Group “%(name)s” is gone.", name=name) for name in before if name not in after)
    yield from (
        say("New group %(what)s", what=of_group(group, names)) for name, group in after.items() if name not in before
    )
    for name in (name for name in after if name in before):
        yield from _group_changes(before[name], after[name], names)
    if [name for name in before if name in after] != [name for name in after if name in before]:
        yield say("The groups are tried in this order: %(names)s", names=joined(list(after), AND))
    if old.least_saving != new.least_saving:
        yield say("A planned parcel is moved for a saving of %(new)s yuan (was: %(old)s)",
                  new=_figure(new.least_saving), old=_figure(old.least_saving))  # fmt: skip


def _group_changes(old: Group, new: Group, names: Names) -> Iterator[Sentence]:
    if old.when != new.when:
        yield say("“%(group)s” takes %(new)s (was: %(old)s)",
                  group=new.name, new=which(new.when, names), old=which(old.when, names))  # fmt: skip
    if old.hard != new.hard:
        yield say("“%(group)s” allows %(new)s (was: %(old)s)",
                  group=new.name, new=nodes(new.hard), old=nodes(old.hard))  # fmt: skip
    if old.wait_minutes != new.wait_minutes:
        yield say("“%(group)s” waits %(new)s minutes for a better plan (was: %(old)s)",
                  group=new.name, new=new.wait_minutes, old=old.wait_minutes)  # fmt: skip
    for term, words in TERMS.items():
        before, after = getattr(old.weights, term), getattr(new.weights, term)
        if before != after:
            yield say("“%(group)s”, %(term)s: %(new)s (was: %(old)s)",
                      group=new.name, term=words, new=_figure(after), old=_figure(before))  # fmt: skip


def _which(when: When, names: Names) -> Iterator[Value]:
    if when.channels:
        yield say("of %(channels)s", channels=joined([names.channels.get(code, code) for code in when.channels], AND))
    if when.regions:
        yield say("to %(regions)s", regions=joined([_region(code) for code in when.regions], AND))
    if when.methods:
        yield say("with %(methods)s", methods=joined([METHODS.get(code, code) for code in when.methods], AND))
    if when.tiers:
        yield say("of members %(tiers)s", tiers=joined(list(when.tiers), AND))
    yield from _bounds(when)


def _bounds(when: When) -> Iterator[Value]:
    if when.least_priority is not None:
        yield say("of priority %(least)s or more", least=when.least_priority)
    if when.least_value is not None:
        yield say("of ¥%(least)s or more", least=_figure(float(when.least_value)))
    if when.most_value is not None:
        yield say("under ¥%(most)s", most=_figure(float(when.most_value)))
    if when.promised_within_hours is not None:
        yield say("promised within %(hours)s hours", hours=when.promised_within_hours)


def _nodes(hard: Hard) -> Iterator[Value]:
    if hard.node_kinds:
        yield say("that are %(kinds)s", kinds=joined([KINDS.get(kind, kind) for kind in hard.node_kinds], AND))
    if hard.node_groups:
        yield say("of %(groups)s", groups=joined(list(hard.node_groups), AND))
    if hard.not_node_groups:
        yield say("not of %(groups)s", groups=joined(list(hard.not_node_groups), AND))
    if hard.most_km is not None:
        yield say("within %(km)s km", km=_figure(hard.most_km))
    if hard.before_cut_off_only:
        yield say("before their cut-off")
    if hard.most_backlog_hours is not None:
        yield say("with at most %(hours)s hours of work waiting", hours=_figure(hard.most_backlog_hours))
    if hard.most_parcels != Hard().most_parcels:
        yield _at_most(hard.most_parcels)


def _at_most(parcels: int) -> Sentence:
    return say("in one parcel") if parcels == 1 else say("in at most %(parcels)s parcels", parcels=parcels)


def weighty(weights: Weights) -> list[tuple[str, Sentence, float]]:
    """Return the terms of the cost with their words and weights, as the form and the page show them."""
    return [(term, words, getattr(weights, term)) for term, words in TERMS.items()]


def _region(code: str) -> Name:
    known = REGIONS.get(code)
    return Name(known.name, known.name_en) if known else Name(code)


def _figure(value: float) -> str:
    return f"{value:,.4f}".rstrip("0").rstrip(".")
