"""Why these nodes, at the desk: a decision as sentences and a table of its candidates with bars of their cost."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote

from django.urls import reverse
from django.utils.translation import gettext

from audit.admin import columns
from orders.models import RoutingDecision
from orders.rules import explaining

TONES: Final[Mapping[str, str]] = {"chosen": "green", "able": "blue", "short": "amber", "full": "amber"}
OF_A_DISRUPTION: Final = "disruptions"


@dataclass(frozen=True)
class Bar:
    """One term of a cost: its words with the amount, and how much of the widest cost it is."""

    name: str
    words: str
    percent: float
    is_gain: bool


@dataclass(frozen=True)
class Candidate:
    """One node as the decision saw it."""

    code: str
    verdict: str
    tone: str
    km: int | None = None
    cost: str = ""
    lacks: int = 0
    is_chosen: bool = False
    bars: Sequence[Bar] = ()
    hint: str = ""


def candidates(told: Mapping[str, Any]) -> list[Candidate]:
    """Return every node that was looked at: the chosen first, then those that could, then the others with the cause."""
    rows = explaining.candidates(told)
    widest = max((sum(map(abs, row.terms.values())) for row in rows), default=0.0)
    return [_candidate(row, widest) for row in rows]


def sentences(told: Mapping[str, Any]) -> list[str]:
    """Return who sends what and why, who came second, what would have changed it, and what nobody has."""
    return [columns.sentence(one.stored()) for one in explaining.sentences(told)]


def headline(decision: RoutingDecision) -> list[tuple[str, Any]]:
    """Return by what was decided: policy, group, arm of the pilot, kind; who and why for what a person decided."""
    code = decision.policy.rpartition("/")[0]
    policies = f"{reverse('admin:orders_routingpolicy_changelist')}?q={quote(code)}"
    rows: list[tuple[str, Any]] = [(gettext("Policy"), columns.link(policies, decision.policy))]
    if decision.group:
        rows.append((gettext("Policy group"), decision.group))
    if decision.is_pilot:
        rows.append((gettext("Pilot"), gettext("in the pilot")))
    rows.append((gettext("Decided"), decision.get_kind_display()))
    if decision.decided_by:
        rows.append((gettext("By"), columns.actor(decision.decided_by)))
    if decision.reason:
        rows.append((gettext("Reason"), decision.reason))
    if decision.run_id:
        run = reverse("admin:orders_routingrun_change", args=[decision.run_id])
        rows.append((gettext("Run"), columns.link(run, decision.run_id)))
    return rows


def _candidate(row: explaining.Candidate, widest: float) -> Candidate:
    words = explaining.VERDICTS.get(row.verdict)
    return Candidate(
        code=row.code,
        verdict=columns.sentence(words.stored()) if words else row.verdict,
        tone=TONES.get(row.verdict, "grey"),
        km=row.km,
        cost="" if row.cost is None else explaining.yuan(row.cost),
        lacks=row.lacks,
        is_chosen=row.verdict == "chosen",
        bars=[_bar(name, yuan, widest) for name, yuan in row.terms.items()] if widest else (),
        hint=_hint(row.detail),
    )


def _bar(name: str, yuan: float, widest: float) -> Bar:
    words = explaining.TERMS.get(name)
    said = columns.sentence(words.stored()) if words else name
    return Bar(name, f"{said} {explaining.yuan(yuan)}", round(100 * abs(yuan) / widest, 1), yuan < 0)


def _hint(detail: Mapping[str, Any]) -> str:
    """Return the values behind a verdict, where they say more than the verdict."""
    if detail.get(OF_A_DISRUPTION):
        return ", ".join(name for _code, name in detail[OF_A_DISRUPTION])
    if "most_km" in detail:
        return gettext("at most %(km)s km") % {"km": round(detail["most_km"])}
    if "most_hours" in detail:
        return gettext("%(hours)s h of work, at most %(most)s") % {
            "hours": detail["hours"],
            "most": detail["most_hours"],
        }
    if detail.get("place") == "city":
        return gettext("measured from its city")
    if detail.get("place") == "province":
        return gettext("measured from its province")
    return ", ".join(detail.get("needs", ()))
