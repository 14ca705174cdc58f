"""What people do to a level by hand: correct it, hold units back, take back what a buyer sent."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from django.utils.translation import gettext_lazy as _

from audit.admin.verbs import Answer, Verb
from audit.rules.actors import Actor
from audit.rules.sentences import Sentence, say
from inventory.admin.level_forms import AdjustForm, BackForm, KeepForm, end_of
from inventory.models import StockLevel
from inventory.services import adjustments, quality, refusals, returns
from inventory.services.adjustments import Adjustment
from inventory.services.quality import Keep
from inventory.services.refusals import RowsRefused
from inventory.services.returns import Back


def adjust(rows: Sequence[StockLevel], told: Mapping[str, Any], actor: Actor, at: datetime) -> Answer:
    """Change what these levels have on hand, all or none."""
    changes = [
        Adjustment(key, row.sku_id, row.node_id, told["units"], told["reason"], told["note"], told.get("lot"))
        for key, row in _keyed(rows, told)
    ]
    return _answer(rows, lambda: adjustments.adjust(changes, actor=actor, at=at), say("The change is written."))


def keep(rows: Sequence[StockLevel], told: Mapping[str, Any], actor: Actor, at: datetime) -> Answer:
    """Hold units of these levels back, all or none."""
    keeps = [
        Keep(
            key, row.sku_id, row.node_id, told["units"], told["reason"], told["owner"], end_of(told["ends_date"]),
            told["note"], lot_id=told.get("lot"),
        )
        for key, row in _keyed(rows, told)
    ]  # fmt: skip
    return _answer(rows, lambda: quality.place(keeps, actor=actor, at=at), say("The units are held back."))


def take_back(rows: Sequence[StockLevel], told: Mapping[str, Any], actor: Actor, at: datetime) -> Answer:
    """Put returned units into these levels, where they wait for inspection, all or none."""
    backs = [
        Back(key, row.sku_id, row.node_id, told["units"], told["reference"], told.get("lot"))
        for key, row in _keyed(rows, told)
    ]
    return _answer(
        rows,
        lambda: returns.take_back(backs, owner=told["owner"], actor=actor, at=at),
        say("The units are in stock and wait for inspection."),
    )


VERBS = (
    Verb("adjust", _("Adjust…"), adjust, AdjustForm, icon="edit",
         intro=_("Units that are there without record (+), or gone without record (−).")),
    Verb("hold-back", _("Hold back…"), keep, KeepForm, icon="pan_tool",
         intro=_("They stay on hand and are promised to nobody until somebody has decided.")),
    Verb("take-back", _("Take back…"), take_back, BackForm, icon="assignment_return",
         intro=_("What a buyer sent back is in stock at once and in no promise until it was inspected.")),
)  # fmt: skip


def _keyed(rows: Sequence[StockLevel], told: Mapping[str, Any]) -> list[tuple[str, StockLevel]]:
    return [(f"{told['key']}:{row.pk}", row) for row in rows]


def _answer(rows: Sequence[StockLevel], deed: Callable[[], int], done: Sentence) -> Answer:
    """Carry a deed out and say what came of it; a deed that was sent before is done."""
    try:
        deed()
    except RowsRefused as error:
        names = refusals.names_of([(row.sku_id, row.node_id) for row in rows])
        named = ["@".join(names[row.sku_id, row.node_id]) for row in rows]
        return Answer(refused={named[row.row_number - 1]: row.reason for row in error.rows})
    return Answer(done)
