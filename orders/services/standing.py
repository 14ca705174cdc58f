"""Writing down how far nodes are trusted: what they sent and what they failed to send.

The rows are the last that a transaction locks, after everything that is scarce: nobody waits for anything behind them.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Final

from audit.models import rows
from orders.models import NodeStanding
from orders.rules import standing
from orders.rules.standing import Standing

SENT: Final = "sent"
FACTS: Final = ("score", "accepted", "refused", "changed_at")


def note(deeds: Iterable[tuple[int, str]], *, at: datetime) -> None:
    """Write down deeds of nodes: (node id, ``SENT`` or an ``AttemptOutcome``), one for each parcel.

    Must run at the end of a transaction. Two queries, two more when a node is met for the first time.
    """
    by_node: dict[int, list[str]] = {}
    for node_id, deed in deeds:
        by_node.setdefault(node_id, []).append(deed)
    if not by_node:
        return
    kept = _locked(by_node, at)
    for row in kept:
        _apply(row, by_node[row.node_id], at)
    rows.update(kept, FACTS)


def _locked(node_ids: Iterable[int], at: datetime) -> Sequence[NodeStanding]:
    """Return the nodes' rows, locked in the order of the nodes; a node that has none begins with full trust."""
    wanted = sorted(node_ids)
    query = NodeStanding.objects.select_for_update(no_key=True).filter(node__in=wanted).order_by("node_id")
    kept = list(query)
    if len(kept) < len(wanted):
        known = {row.node_id for row in kept}
        fresh = [NodeStanding(node_id=node_id, changed_at=at) for node_id in wanted if node_id not in known]
        NodeStanding.objects.bulk_create(fresh, ignore_conflicts=True)
        kept = list(query.all())
    return kept


def _apply(row: NodeStanding, deeds: Sequence[str], at: datetime) -> None:
    failures = [deed for deed in deeds if deed != SENT]
    sent = len(deeds) - len(failures)
    now = standing.after_sending(Standing(row.score, row.changed_at), sent, at)
    now = standing.after_failures(now, failures, at)
    row.score, row.changed_at = now.score, now.changed_at
    row.accepted += sent
    row.refused += len(failures)
