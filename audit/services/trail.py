"""Saying why before a row with history is saved."""

from typing import TypeVar

from django.db.models import Model

from audit.rules.actors import Actor

Row = TypeVar("Row", bound=Model)


def because(row: Row, *, actor: Actor, reason: str) -> Row:
    """Attach who and why to the next history entry of ``row``; returns the row, to be saved by the caller."""
    row._change_reason = f"{actor.label}: {reason}"[:100]  # type: ignore[attr-defined]  # simple-history's own hook
    return row
