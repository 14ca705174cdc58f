"""What is wrong with a policy before anybody is routed by it, each complaint with what to do. Plain Python."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from audit.rules.sentences import Sentence, Value, joined, say
from inventory.rules.geography import REGIONS
from orders.rules.routing import wording
from orders.rules.routing.policy import Group, Hard, Policy, When

KINDS: Final = frozenset(wording.KINDS)
METHODS: Final = frozenset(wording.METHODS)
DAY_MINUTES: Final = 24 * 60
Limit = int | float | Decimal | None


@dataclass(frozen=True)
class Known:
    """The words that a policy may name, and the active nodes, each as its kind and its groups."""

    channels: frozenset[str] = frozenset()
    nodes: tuple[tuple[str, frozenset[str]], ...] = ()
    regions: frozenset[str] = frozenset(REGIONS)
    kinds: frozenset[str] = KINDS
    methods: frozenset[str] = METHODS

    @property
    def node_groups(self) -> frozenset[str]:
        """Return the groups that some node is in."""
        return frozenset(group for _kind, groups in self.nodes for group in groups)


def complaints(policy: Policy, known: Known) -> list[Sentence]:
    """Return everything that speaks against a policy, group after group; nothing when it may route orders."""
    return list(_of_policy(policy, known))


def _of_policy(policy: Policy, known: Known) -> Iterator[Sentence]:
    if policy.least_saving < 0:
        yield say("The least saving is negative. Give 0 or more yuan.")
    if not policy.groups:
        yield say("The policy has no group, so no order would be routed. Add a group that takes all orders.")
        return
    yield from _of_names(policy)
    for place, group in enumerate(policy.groups):
        yield from _of_group(group, known)
        covering = next((earlier for earlier in policy.groups[:place] if _covers(earlier, group)), None)
        if covering:
            yield say(
                "The group “%(name)s” is never reached: “%(earlier)s” takes all its orders and all its nodes before "
                "it. Put it first or take it out.",
                name=group.name, earlier=covering.name,
            )  # fmt: skip
    if policy.groups[-1].when != When():
        yield say(
            "The last group “%(name)s” does not take all orders, so some would not be routed. Add a last group without "
            "conditions.",
            name=policy.groups[-1].name,
        )


def _of_names(policy: Policy) -> Iterator[Sentence]:
    names = [group.name.strip() for group in policy.groups]
    if "" in names:
        yield say("A group has no name. Give it one.")
    for name in sorted({name for name in names if name and names.count(name) > 1}):
        yield say("Two groups are called “%(name)s”. Give each its own name.", name=name)


def _of_group(group: Group, known: Known) -> Iterator[Sentence]:
    yield from _of_when(group, known)
    yield from _of_hard(group, known)
    for term, words in wording.TERMS.items():
        if getattr(group.weights, term) < 0:
            yield say(
                "The group “%(name)s” has a negative weight: %(term)s. Give 0 or more.", name=group.name, term=words
            )
    if not 0 <= group.wait_minutes < DAY_MINUTES:
        yield say("The group “%(name)s” must wait between 0 minutes and a day.", name=group.name)


def _of_when(group: Group, known: Known) -> Iterator[Sentence]:
    when = group.when
    yield from _unknown(group, say("channel"), when.channels, known.channels)
    yield from _unknown(group, say("region"), when.regions, known.regions)
    yield from _unknown(group, say("way of delivery"), when.methods, known.methods)
    if when.least_value is not None and when.most_value is not None and when.least_value >= when.most_value:
        yield say(
            "The group “%(name)s” takes no order: its least value is not below its most value. Change one of them.",
            name=group.name,
        )
    if when.promised_within_hours is not None and when.promised_within_hours < 1:
        yield say("The group “%(name)s” must ask for a promise within 1 hour or more.", name=group.name)


def _of_hard(group: Group, known: Known) -> Iterator[Sentence]:
    hard = group.hard
    yield from _unknown(group, say("kind of node"), hard.node_kinds, known.kinds)
    yield from _unknown(group, say("node group"), (*hard.node_groups, *hard.not_node_groups), known.node_groups)
    if hard.most_parcels < 1:
        yield say("The group “%(name)s” allows no parcel at all. Allow at least one.", name=group.name)
    if hard.most_km is not None and hard.most_km < 0:
        yield say("The group “%(name)s” has a negative limit of distance. Give 0 or more kilometres.", name=group.name)
    if hard.most_backlog_hours is not None and hard.most_backlog_hours < 0:
        yield say("The group “%(name)s” has a negative limit of backlog. Give 0 or more hours.", name=group.name)
    if not any(passes(hard, kind, groups) for kind, groups in known.nodes):
        yield say(
            "No node passes the group “%(name)s”: no active node is of its kinds and in its node groups. Loosen them, "
            "or put nodes into the groups.",
            name=group.name,
        )


def passes(hard: Hard, kind: str, groups: frozenset[str]) -> bool:
    """Return whether hard rules let a node of this kind, in these groups, send at all."""
    return (
        (not hard.node_kinds or kind in hard.node_kinds)
        and (not hard.node_groups or not groups.isdisjoint(hard.node_groups))
        and groups.isdisjoint(hard.not_node_groups)
    )


def _unknown(group: Group, what: Sentence, words: Collection[str], known: frozenset[str]) -> Iterator[Sentence]:
    strange: list[Value] = [*sorted(set(words) - known)]
    if strange:
        yield say(
            "The group “%(name)s” names an unknown %(what)s: %(words)s. Take it out or correct it.",
            name=group.name, what=what, words=joined(strange, wording.AND),
        )  # fmt: skip


def _covers(earlier: Group, later: Group) -> bool:
    """Return whether whatever the later group could do, the earlier one does before it."""
    return _takes_all_of(earlier.when, later.when) and _allows_all_of(earlier.hard, later.hard)


def _takes_all_of(earlier: When, later: When) -> bool:
    return (
        all(
            _holds_all_of(getattr(earlier, field), getattr(later, field))
            for field in ("channels", "regions", "methods", "tiers")
        )
        and _is_no_more(earlier.least_priority, later.least_priority)
        and _is_no_more(earlier.least_value, later.least_value)
        and _is_no_less(earlier.most_value, later.most_value)
        and _is_no_less(earlier.promised_within_hours, later.promised_within_hours)
    )


def _allows_all_of(earlier: Hard, later: Hard) -> bool:
    return (
        _holds_all_of(earlier.node_kinds, later.node_kinds)
        and _holds_all_of(earlier.node_groups, later.node_groups)
        and set(earlier.not_node_groups) <= set(later.not_node_groups)
        and _is_no_less(earlier.most_km, later.most_km)
        and _is_no_less(earlier.most_backlog_hours, later.most_backlog_hours)
        and earlier.most_parcels >= later.most_parcels
        and earlier.before_cut_off_only <= later.before_cut_off_only
    )


def _holds_all_of(earlier: Collection[str], later: Collection[str]) -> bool:
    """Return whether a list of words (none: all) holds all that another does."""
    return not earlier or (bool(later) and set(later) <= set(earlier))


def _is_no_more(earlier: Limit, later: Limit) -> bool:
    """Return whether a lower limit (None: none) lets pass all that another does."""
    return earlier is None or (later is not None and earlier <= later)


def _is_no_less(earlier: Limit, later: Limit) -> bool:
    """Return whether an upper limit (None: none) lets pass all that another does."""
    return earlier is None or (later is not None and earlier >= later)
