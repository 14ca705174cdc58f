"""A plan as a routing decision keeps it: compact JSON that says who sends what, who could have, and what it would cost.

Short rows instead of objects, because an order has one candidate per node. Yuan to the cent, kilometres whole:

- ``parcels``: node, km, cost, units, carrier, arrives from, arrives until, terms {name: yuan}, and the items, each as
  line, SKU id, units
- ``candidates``: node, verdict, km, cost of one parcel with the whole order, units it lacks, terms, details; what is
  empty at the end is left out. Terms are kept of the ``WITH_TERMS`` cheapest; those of the others are in the run.
- ``closed``: verdict, details and nodes of those that get no order of this group to this destination
- ``second``: nodes, cost, units missing of the best plan with other nodes
- ``changes``: kind, nodes, yuan saved (empty: the order would be complete), units lacking: what would have changed it
"""

from collections.abc import Iterable, Mapping
from itertools import repeat
from operator import itemgetter
from typing import Any, Final

from orders.rules.routing.candidates import ABLE, Reach
from orders.rules.routing.plans import Judged, Parcel, Plan, Row

WITH_TERMS: Final = 3
MOST_TOLD: Final = 2000
_told: Final[dict[int, tuple[Reach, list[list[Any]]]]] = {}  # by id: a reach is the same for many orders
SHUT: Final = frozenset(  # verdicts of nodes that may have the goods and do not send them
    {"full", "not_serving", "down", "past_cut_off", "no_carrier", "disrupted", "refused_before", "lacks_capability",
     "restricted", "wrong_kind", "not_in_group", "too_far", "backlog"}
)  # fmt: skip
PASSING: Final = frozenset({"down", "disrupted", "past_cut_off", "full", "backlog"})  # verdicts that time mends


def of(plan: Plan) -> dict[str, Any]:
    """Return why a plan is as it is; equal plans give equal reasons."""
    second = plan.runner_up
    return {
        "group": plan.group,
        "passed_over": list(plan.passed_over),
        "split": plan.split,
        "parcels": [_parcel(parcel) for parcel in plan.parcels],
        "missing": [[item.line_number, item.sku_id, item.quantity] for item in plan.missing],
        "candidates": _candidates(plan),
        "closed": _closed(plan.judged.reach) if plan.judged else [],
        "second": [list(second.nodes), second.cost, second.missing] if second else None,
        "changes": [[one.kind, list(one.nodes), one.saving, one.units] for one in plan.changes if one.kind != "price"],
    }


def verdicts(told: Mapping[str, Any]) -> dict[str, str]:
    """Return the verdict of each node of a decision, whenever it was made."""
    if "candidates" in told:
        opened = {row[0]: row[1] for row in told["candidates"]}
        return opened | {code: verdict for verdict, _detail, codes in told.get("closed", ()) for code in codes}
    found = {row[0]: "able" for row in told.get("able", ())} | {row[0]: "short" for row in told.get("short", ())}
    for key in ("full", "not_serving", "inactive"):
        found |= dict.fromkeys(told.get(key, ()), key)
    return found


def codes_of(plan: Plan) -> set[str]:
    """Return which verdicts there are among a plan's candidates."""
    if plan.judged is None:
        return set()
    judged = plan.judged
    return {row.verdict.code for row in judged.rows} | {one.verdict.code for one in judged.reach.refusals}


def _parcel(parcel: Parcel) -> list[Any]:
    return [
        parcel.node_code,
        parcel.distance_km,
        parcel.cost,
        sum(item.quantity for item in parcel.items),
        parcel.carrier_code,
        str(parcel.arrives_from or ""),
        str(parcel.arrives_until or ""),
        _written(parcel.terms),
        [[item.line_number, item.sku_id, item.quantity] for item in parcel.items],
    ]


def _candidates(plan: Plan) -> list[list[Any]]:
    judged = plan.judged
    if judged is None:
        return []
    ranked = sorted(map(_ranked, repeat(judged), judged.rows), key=itemgetter(0, 1, 2))
    units = sum(judged.ask.want)
    return [
        _open(judged, row, units, cost, place < WITH_TERMS)
        for place, (_not_able, cost, _code, row) in enumerate(ranked)
    ]


def _closed(reach: Reach) -> list[list[Any]]:
    """Return the nodes that no order of its group to a destination gets, by verdict and what stands behind it."""
    known = _told.get(id(reach))
    if known is None:
        groups: dict[str, list[Any]] = {}
        for one in reach.refusals:
            detail = dict(one.verdict.detail)
            groups.setdefault(f"{one.verdict.code} {detail}", [one.verdict.code, detail, []])[2].append(one.node_code)
        if len(_told) >= MOST_TOLD:
            _told.clear()
        known = _told[id(reach)] = reach, list(groups.values())
    return known[1]


def _ranked(judged: Judged, row: Row) -> tuple[bool, float, str, Row]:
    """Return a node by what it is sorted: those that have everything first, the cheapest first."""
    return row.verdict.code != ABLE, round(judged.cost(row), 2), row.lane.node.code, row


def _open(judged: Judged, row: Row, units: int, cost: float, has_terms: bool) -> list[Any]:
    lane, verdict = row.lane, row.verdict
    told: list[Any] = [lane.node.code, verdict.code, round(lane.km), cost]
    lacks = units - sum(row.have)
    detail = verdict.detail if lane.place == "own" else {**verdict.detail, "place": lane.place}
    if not (has_terms or lacks or detail):
        return told
    told.append(lacks)
    if has_terms or detail:
        told.append(_written(judged.terms(row, judged.ask.want)) if has_terms else None)
    if detail:
        told.append(dict(detail))
    return told


def _written(terms: Mapping[str, float]) -> dict[str, float]:
    return {name: yuan for name, yuan in terms.items() if yuan}


def summed(pairs: Iterable[tuple[str, float]]) -> dict[str, float]:
    """Return yuan per term over several parcels, to the cent."""
    total: dict[str, float] = {}
    for name, yuan in pairs:
        total[name] = round(total.get(name, 0.0) + yuan, 2)
    return total
