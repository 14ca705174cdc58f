"""Saving many rows in one statement, where Django's ``bulk_update`` (one CASE per row and column) is too slow."""

from collections.abc import Collection, Sequence

from django.db import connection
from django.db.models import Model


def update(rows: Collection[Model], fields: Sequence[str]) -> int:
    """Save these fields of rows that have a primary key: one UPDATE … FROM unnest. Returns how many were found.

    All rows are of one model; JSON and array columns are not supported. The caller holds the rows' locks, if needed.
    """
    if not rows:
        return 0
    meta = next(iter(rows))._meta
    columns = [meta.pk, *(meta.get_field(name) for name in fields)]
    quoted = [connection.ops.quote_name(field.column) for field in columns]
    arrays = ", ".join(f"%s::{field.rel_db_type(connection) if field.primary_key else field.db_type(connection)}[]"
                       for field in columns)  # fmt: skip
    changes = ", ".join(f"{name} = fresh.{name}" for name in quoted[1:])
    values = [[field.get_db_prep_save(getattr(row, field.attname), connection) for row in rows] for field in columns]
    with connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE {connection.ops.quote_name(meta.db_table)} AS kept SET {changes} "
            f"FROM unnest({arrays}) AS fresh ({', '.join(quoted)}) WHERE kept.{quoted[0]} = fresh.{quoted[0]}",
            values,
        )
        return int(cursor.rowcount)
