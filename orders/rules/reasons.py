"""A plan as a routing decision keeps it: compact JSON that says who sends what, who could have, and what it would cost.

Short rows instead of objects, because an order has one candidate per node. Yuan to the cent, kilometres whole:

- ``parcels``: node, km, cost, units, carrier, arrives from, arrives until, terms {name: yuan}, and the items, each as
  line, SKU id, units
- ``candidates``: node, verdict, km, cost of one parcel with the whole order, units it lacks, terms, details; what is
  empty at the end is left out. Terms are kept of the ``WITH_TERMS`` cheapest; those of the others are in the run.
- ``second``: nodes, cost, units missing of the best plan with other nodes
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from orders.rules.routing.plans import Judged, Parcel, Plan, Row, worth_of

WITH_TERMS: Final = 4
REASONS: Final = ("group", "passed_over", "split", "parcels", "missing", "candidates", "second")
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
        "second": [list(second.nodes), second.cost, second.missing] if second else None,
    }


def verdicts(told: Mapping[str, Any]) -> dict[str, str]:
    """Return the verdict of each node of a decision, whenever it was made."""
    if "candidates" in told:
        return {row[0]: row[1] for row in told["candidates"]}
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
        {name: yuan for name, yuan in parcel.terms.items() if yuan},
        [[item.line_number, item.sku_id, item.quantity] for item in parcel.items],
    ]


def _candidates(plan: Plan) -> list[list[Any]]:
    judged = plan.judged
    if judged is None:
        return []
    alone = {parcel.node_code: parcel.cost for parcel in plan.parcels} if len(plan.parcels) == 1 else {}
    alone = alone if not plan.missing else {}
    opened = [_open(judged, row, alone) for row in judged.rows]
    opened.sort(key=lambda row: (row[1] != "able", row[3], row[0]))
    by_code = {row.lane.node.code: row for row in judged.rows}
    for told in opened[:WITH_TERMS]:
        terms = judged.terms(by_code[told[0]], judged.ask.want)
        told[5] = {name: yuan for name, yuan in terms.items() if yuan}
    closed = [
        [
            one.node_code,
            one.verdict.code,
            None if one.km is None else round(one.km),
            None,
            0,
            None,
            dict(one.verdict.detail),
        ]
        for one in judged.reach.refusals
    ]
    return [_trimmed(row) for row in (*opened, *closed)]


def _open(judged: Judged, row: Row, alone: Mapping[str, float]) -> list[Any]:
    ask, lane = judged.ask, row.lane
    weight_g = lack = 0
    for want, have, grams in zip(ask.want, row.have, ask.weights_g, strict=True):
        weight_g += want * grams
        lack += want - have
    cost = lane.price(weight_g, row.leaves_after, ask.due, ask.urgency).cost + row.load_cost
    if judged.situation.positions or row.extra:
        cost += sum(worth_of(row, ask.want, ask.skus, judged.situation.positions))
    code, detail = lane.node.code, row.verdict.detail
    if lane.place != "own":
        detail = {**detail, "place": lane.place}
    return [code, row.verdict.code, round(lane.km), alone.get(code, round(cost, 2)), lack, None, detail]


def _trimmed(row: Sequence[Any]) -> list[Any]:
    kept = list(row)
    while kept and not kept[-1]:
        kept.pop()
    return kept


def summed(pairs: Iterable[tuple[str, float]]) -> dict[str, float]:
    """Return yuan per term over several parcels, to the cent."""
    total: dict[str, float] = {}
    for name, yuan in pairs:
        total[name] = round(total.get(name, 0.0) + yuan, 2)
    return total
