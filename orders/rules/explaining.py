"""Why these nodes, in sentences: a routing decision's reasons, told the same way at the desk and through the API.

Reads what ``reasons`` keeps; decisions of the first router, which kept less, are told as far as they go. Plain Python.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from audit.rules.sentences import Sentence, Value, joined, say
from orders.rules.reasons import summed

COMMA: Final = say("%(first)s, %(second)s")
VERDICTS: Final[Mapping[str, Sentence]] = {
    "chosen": say("chosen"),
    "able": say("has everything, costs more"),
    "short": say("lacks units"),
    "full": say("full today"),
    "not_serving": say("does not serve this destination"),
    "inactive": say("not active"),
    "down": say("down for a while"),
    "past_cut_off": say("past its cut-off"),
    "no_carrier": say("no carrier goes there"),
    "disrupted": say("cut off by a disruption"),
    "refused_before": say("refused this order before"),
    "lacks_capability": say("cannot handle these goods"),
    "restricted": say("goods must not go there"),
    "wrong_kind": say("wrong kind of node for the policy"),
    "not_in_group": say("not in the policy's node groups"),
    "too_far": say("too far for the policy"),
    "backlog": say("too much work waiting"),
}
TERMS: Final[Mapping[str, Sentence]] = {
    "freight": say("freight"),
    "pick": say("picking"),
    "distance": say("distance"),
    "late": say("lateness"),
    "slow": say("time on the way"),
    "load": say("load of the node"),
    "balance": say("stock balance"),
    "markdown": say("goods to be sold first"),
    "carrier": say("punctuality of the carrier"),
    "standing": say("standing of the node"),
    "split": say("splitting"),
}
# What would have led to another decision, by the kind of change.
_IF: Final[Mapping[str, Sentence]] = {
    "units": say("With %(units)s more at %(node)s: %(saving)s cheaper, one parcel."),
    "room": say("With room for one more parcel at %(node)s: %(saving)s cheaper, one parcel."),
    "backlog": say("With less work waiting at %(node)s: %(saving)s cheaper, one parcel."),
    "refused": say("Had %(node)s not refused this order: %(saving)s cheaper, one parcel."),
    "cut_off": say("Before the cut-off of %(node)s: %(saving)s cheaper, one parcel."),
}


@dataclass(frozen=True)
class Candidate:
    """One node as the decision saw it. Costs in yuan, of one parcel with the whole order."""

    code: str
    verdict: str
    km: int | None = None
    cost: float | None = None
    lacks: int = 0
    terms: Mapping[str, float] = field(default_factory=dict)
    detail: Mapping[str, Any] = field(default_factory=dict)


def sentences(told: Mapping[str, Any]) -> list[Sentence]:
    """Return who sends what and why, who came second, what would have changed it, and what nobody has."""
    return list(_sentences(told))


def candidates(told: Mapping[str, Any]) -> list[Candidate]:
    """Return every node that was looked at: the chosen first, then those that could, then the others with the cause."""
    chosen = [
        Candidate(code, "chosen", round(km), cost, terms=rest[3] if len(rest) > 3 else {})
        for code, km, cost, _units, *rest in told.get("parcels", ())
    ]
    codes = {one.code for one in chosen}
    return [*chosen, *(one for one in _others(told) if one.code not in codes)]


def total(told: Mapping[str, Any]) -> float:
    """Return what all parcels cost, with the split, in yuan."""
    parcels: Sequence[Sequence[Any]] = told.get("parcels", ())
    return round(sum(float(parcel[2]) for parcel in parcels) + float(told.get("split") or 0.0), 2)


def yuan(amount: float) -> str:
    """Return an amount as people read it."""
    return f"-¥{-amount:,.2f}" if amount < 0 else f"¥{amount:,.2f}"


def _others(told: Mapping[str, Any]) -> Iterator[Candidate]:
    if "candidates" in told:
        for row in told["candidates"]:
            code, verdict, km, cost, lacks, terms, detail = _padded(row)
            yield Candidate(code, verdict, km, cost, lacks or 0, terms or {}, detail or {})
        for verdict, detail, codes in told.get("closed", ()):
            yield from (Candidate(code, verdict, detail=detail) for code in codes)
        return
    for code, km, cost in told.get("able", ()):
        yield Candidate(code, "able", round(km), cost)
    for code, km, lacks in told.get("short", ()):
        yield Candidate(code, "short", round(km), lacks=lacks)
    for verdict in ("full", "not_serving", "inactive"):
        for code in told.get(verdict, ()):
            yield Candidate(code, verdict)


def _padded(row: Sequence[Any]) -> list[Any]:
    """Return a candidate's row with what was left out at its end."""
    return [*row, *[None] * (7 - len(row))]


def _sentences(told: Mapping[str, Any]) -> Iterator[Sentence]:
    parcels = told.get("parcels", ())
    if parcels:
        yield _who_sends(parcels, is_complete=not told.get("missing"), is_new="candidates" in told)
    missing = sum(quantity for _line, _sku, quantity in told.get("missing", ()))
    if missing:
        yield say("%(units)s cannot be sent by any node now.", units=_units(missing))
    for units, day, document in told.get("expected", ()):
        yield say("%(units)s are expected on %(date)s with %(document)s.",
                  units=_units(units), date=day, document=document)  # fmt: skip
    if "candidates" not in told:
        yield from _second_then(told)
        return
    if parcels:
        yield from _costs(told)
    if told.get("passed_over"):
        names = joined([f"“{name}”" for name in told["passed_over"]], COMMA)
        yield say("Passed over, because something would be missing: %(groups)s.", groups=names)
    yield from _second(told)
    yield from _changes(told)
    yield from _again(told)
    yield from _together(told)
    yield from _by_hand(told)


def _who_sends(parcels: Sequence[Sequence[Any]], *, is_complete: bool, is_new: bool) -> Sentence:
    if len(parcels) > 1:
        shares: Value = joined([_share(parcel) for parcel in parcels], COMMA)
        if is_new:
            return say("In %(count)s parcels: %(shares)s.", count=len(parcels), shares=shares)
        return say("No single node has everything: %(shares)s.", shares=shares)
    code, km, cost, units, *rest = parcels[0]
    values: dict[str, Value] = {"node": code, "units": _units(units), "km": round(km), "cost": yuan(cost)}
    if not is_complete:
        return say("%(node)s sends what there is: %(units)s (%(km)s km, %(cost)s).", **values)
    if not is_new:
        return say("%(node)s sends all: %(units)s, nearest node with everything (%(km)s km, %(cost)s).", **values)
    if not rest[1]:
        return say("%(node)s sends all: %(units)s (%(km)s km, %(cost)s).", **values)
    arrival: dict[str, Value] = {"from": rest[1], "until": rest[2]}
    if not rest[0]:
        return say("%(node)s sends all: %(units)s (%(km)s km, %(cost)s), there from %(from)s to %(until)s.",
                   **values, **arrival)  # fmt: skip
    return say(
        "%(node)s sends all with %(carrier)s: %(units)s (%(km)s km, %(cost)s), there from %(from)s to %(until)s.",
        carrier=rest[0], **values, **arrival,
    )  # fmt: skip


def _share(parcel: Sequence[Any]) -> Sentence:
    code, km, cost, units, *_rest = parcel
    return say("%(node)s sends %(units)s (%(km)s km, %(cost)s)",
               node=code, units=_units(units), km=round(km), cost=yuan(cost))  # fmt: skip


def _costs(told: Mapping[str, Any]) -> Iterator[Sentence]:
    """Say what the cost is made of, the largest term first."""
    terms = summed(pair for _c, _k, _y, _u, _ca, _f, _t, terms, *_rest in told["parcels"] for pair in terms.items())
    if told.get("split"):
        terms["split"] = told["split"]
    parts = sorted(terms.items(), key=lambda pair: (-abs(pair[1]), pair[0]))
    words = [say("%(term)s %(amount)s", term=TERMS.get(name, name), amount=yuan(value)) for name, value in parts]
    if words:
        yield say("The cost of %(total)s is %(terms)s.", total=yuan(total(told)), terms=joined(words, COMMA))


def _second(told: Mapping[str, Any]) -> Iterator[Sentence]:
    second = told.get("second")
    if not second:
        return
    nodes, cost, missing = second
    names = joined(list(nodes), COMMA)
    if missing:
        yield say("Runner-up %(nodes)s: %(cost)s, but %(units)s would be missing.",
                  nodes=names, cost=yuan(cost), units=_units(missing))  # fmt: skip
    elif told.get("parcels"):
        yield say("Runner-up %(nodes)s: %(cost)s, %(more)s more.",
                  nodes=names, cost=yuan(cost), more=yuan(max(0.0, round(cost - total(told), 2))))  # fmt: skip


def _changes(told: Mapping[str, Any]) -> Iterator[Sentence]:
    """Say what would have changed it, the largest saving first; of an incomplete order what would complete it."""
    for kind, nodes, saving, units in told.get("changes", ()):
        names = joined(list(nodes), COMMA)
        if saving is None:
            yield say("With %(units)s more at %(node)s the order would be complete.", units=_units(units), node=names)
        elif kind in _IF:
            values: dict[str, Value] = {"node": names, "saving": yuan(saving)}
            if units:
                values["units"] = _units(units)
            yield Sentence(_IF[kind].text, values)


def _again(told: Mapping[str, Any]) -> Iterator[Sentence]:
    again = told.get("again")
    if again and again.get("cost_before") and again.get("cost_after"):
        yield say("The whole order cost %(before)s before and costs %(after)s now.",
                  before=yuan(float(again["cost_before"])), after=yuan(float(again["cost_after"])))  # fmt: skip


def _together(told: Mapping[str, Any]) -> Iterator[Sentence]:
    """Say what planning many orders together moved, and why: what it saves, and what alone would have been chosen."""
    batch = told.get("batch")
    if not batch:
        return
    yield say(
        "Moved from %(nodes)s, planned together with others: %(after)s instead of %(before)s.",
        nodes=joined(list(batch["from"]), COMMA) if batch["from"] else "–",
        after=yuan(float(batch["cost_after"])), before=yuan(float(batch["cost_before"])),
    )  # fmt: skip
    nodes, cost = batch.get("alone") or ([], 0.0)
    if nodes:
        yield say("Alone it would go from %(nodes)s for %(cost)s.",
                  nodes=joined(list(nodes), COMMA), cost=yuan(float(cost)))  # fmt: skip


def _by_hand(told: Mapping[str, Any]) -> Iterator[Sentence]:
    chosen = told.get("chosen")
    if chosen:
        yield say("A person chose these nodes: %(cost)s instead of %(plan)s by the plan.",
                  cost=yuan(float(chosen["cost"])), plan=yuan(float(chosen["cost_plan"])))  # fmt: skip


def _second_then(told: Mapping[str, Any]) -> Iterator[Sentence]:
    """Say who nearly was chosen by the first router: the next that has everything, else who lacks units."""
    chosen = {code for code, *_rest in told.get("parcels", ())}
    for one in _others(told):
        if one.code in chosen or one.verdict not in ("able", "short"):
            continue
        if one.verdict == "able":
            yield say(
                "Runner-up %(node)s: %(km)s km, %(cost)s.", node=one.code, km=one.km or 0, cost=yuan(one.cost or 0)
            )
        else:
            yield say("Runner-up %(node)s: %(km)s km, lacks %(units)s.",
                      node=one.code, km=one.km or 0, units=_units(one.lacks))  # fmt: skip
        return


def _units(count: int) -> Sentence:
    return say("1 unit") if count == 1 else say("%(units)s units", units=count)
