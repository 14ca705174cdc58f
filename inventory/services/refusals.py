"""What a person is told when a document or a batch of rows cannot be done: every row with its reason."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from audit.rules.sentences import Sentence, say
from inventory.models import Node, Sku
from inventory.services.levels import LevelKey


@dataclass(frozen=True)
class RefusedRow:
    """One row as the caller numbered it (the first is 1; 0 is the document itself), and why it cannot be done."""

    row_number: int
    reason: Sentence


class RowsRefused(Exception):
    """Nothing was done because of these rows."""

    def __init__(self, rows: Sequence[RefusedRow]) -> None:
        super().__init__("; ".join(f"row {row.row_number}: {row.reason}" for row in rows[:5]))
        self.rows = tuple(rows)


def refuse_if_any(rows: Sequence[RefusedRow]) -> None:
    """Raise ``RowsRefused`` with these rows, in their order, if there are any."""
    if rows:
        raise RowsRefused(sorted(rows, key=lambda row: row.row_number))


def refuse(reason: Sentence, row_number: int = 0) -> RowsRefused:
    """Return the refusal of one row, or of the document as a whole, to be raised."""
    return RowsRefused([RefusedRow(row_number, reason)])


def not_enough(rows: Sequence[LevelKey], short: Collection[LevelKey]) -> RowsRefused:
    """Return the refusal of the rows that would take out what is promised, held or not there, to be raised."""
    lacking = set(short)
    names = names_of(lacking)
    return RowsRefused(
        [
            RefusedRow(
                number,
                say("%(sku)s at %(node)s has not that many free units.", sku=names[key][0], node=names[key][1]),
            )
            for number, key in enumerate(rows, start=1)
            if key in lacking
        ]
    )


def names_of(keys: Collection[LevelKey]) -> Mapping[LevelKey, tuple[str, str]]:
    """Return SKU code and node code of these levels."""
    skus = dict(Sku.objects.filter(pk__in={sku for sku, _node in keys}).values_list("pk", "code"))
    nodes = dict(Node.objects.filter(pk__in={node for _sku, node in keys}).values_list("pk", "code"))
    return {(sku, node): (skus.get(sku, str(sku)), nodes.get(node, str(node))) for sku, node in keys}
