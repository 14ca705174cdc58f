"""Why these nodes, in words: a routing decision as one sentence and a table of its candidates."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from audit.admin.columns import amount_text


@dataclass(frozen=True)
class Candidate:
    """One node as the decision saw it."""

    code: str
    verdict: str | Promise
    tone: str
    km: int | None = None
    cost: str = ""
    lacks: int = 0
    is_chosen: bool = False


def candidates(told: Mapping[str, Any]) -> list[Candidate]:
    """Return every node that was looked at: the chosen first, then those that could, then the others with the cause."""
    chosen = {code for code, *_rest in told.get("parcels", ())}
    rows = [
        Candidate(code, _("chosen"), "green", round(km), amount_text(cost), is_chosen=True)
        for code, km, cost, _units in told.get("parcels", ())
    ]
    rows += [
        Candidate(code, _("has everything, costs more"), "blue", round(km), amount_text(cost))
        for code, km, cost in told.get("able", ())
        if code not in chosen
    ]
    rows += [
        Candidate(code, _("lacks units"), "amber", round(km), lacks=lacks)
        for code, km, lacks in told.get("short", ())
        if code not in chosen
    ]
    for key, words in (("full", _("full today")), ("not_serving", _("does not serve this destination")),
                       ("inactive", _("not active"))):  # fmt: skip
        rows += [Candidate(code, words, "grey") for code in told.get(key, ())]
    return rows


def sentences(told: Mapping[str, Any]) -> list[str]:
    """Return who sends what and why, who came second, and what nobody has."""
    parcels = told.get("parcels", ())
    said = [_who_sends(parcels, is_complete=not told.get("missing"))] if parcels else []
    missing = sum(quantity for _line, _sku, quantity in told.get("missing", ()))
    if missing:
        said.append(gettext("%(units)s cannot be sent by any node now.") % {"units": _units(missing)})
    for units, day, document in told.get("expected", ()):
        values = {"units": _units(units), "date": day, "document": document}
        said.append(gettext("%(units)s are expected on %(date)s with %(document)s.") % values)
    second = _second(told, {code for code, *_rest in parcels})
    return [*said, second] if second else said


def _who_sends(parcels: Sequence[Sequence[Any]], *, is_complete: bool) -> str:
    if len(parcels) == 1:
        code, km, cost, units = parcels[0]
        values = {"node": code, "units": _units(units), "km": round(km), "cost": amount_text(cost)}
        if is_complete:
            return (
                gettext("%(node)s sends all: %(units)s, nearest node with everything (%(km)s km, %(cost)s).") % values
            )
        return gettext("%(node)s sends what there is: %(units)s (%(km)s km, %(cost)s).") % values
    shares = [
        gettext("%(node)s sends %(units)s (%(km)s km, %(cost)s)")
        % {"node": code, "units": _units(units), "km": round(km), "cost": amount_text(cost)}
        for code, km, cost, units in parcels
    ]
    return gettext("No single node has everything: %(shares)s.") % {"shares": gettext(", ").join(shares)}


def _second(told: Mapping[str, Any], chosen: set[str]) -> str:
    """Return the one that nearly was chosen: the next that has everything, else the nearest that lacks units."""
    for code, km, cost in told.get("able", ()):
        if code not in chosen:
            values = {"node": code, "km": round(km), "cost": amount_text(cost)}
            return gettext("Runner-up %(node)s: %(km)s km, %(cost)s.") % values
    for code, km, lacks in told.get("short", ()):
        if code not in chosen:
            values = {"node": code, "km": round(km), "units": _units(lacks)}
            return gettext("Runner-up %(node)s: %(km)s km, lacks %(units)s.") % values
    return ""


def _units(count: int) -> str:
    return ngettext("%(count)s unit", "%(count)s units", count) % {"count": count}
