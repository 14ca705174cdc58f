"""Saving many rows in one statement, where Django's ``bulk_update`` (one CASE per row and column) is too slow."""

from collections.abc import Collection, Sequence
from typing import Any

from django.db import connection
from django.db.models import Field, Model


def update(rows: Collection[Model], fields: Sequence[str]) -> int:
    """Save these fields of rows that have a primary key: one UPDATE … FROM unnest. Returns how many were found.

    All rows are of one model; JSON and array columns are not supported. The caller holds the rows' locks, if needed.
    """
    if not rows:
        return 0
    meta = next(iter(rows))._meta
    columns: "list[Field[Any, Any]]" = [meta.pk, *(meta.get_field(name) for name in fields)]  # type: ignore[list-item]
    quoted = [connection.ops.quote_name(str(field.column)) for field in columns]
    arrays = ", ".join(f"%s::{_type_of(field)}[]" for field in columns)
    changes = ", ".join(f"{name} = fresh.{name}" for name in quoted[1:])
    values = [[field.get_db_prep_save(getattr(row, field.attname), connection) for row in rows] for field in columns]
    with connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE {connection.ops.quote_name(meta.db_table)} AS kept SET {changes} "
            f"FROM unnest({arrays}) AS fresh ({', '.join(quoted)}) WHERE kept.{quoted[0]} = fresh.{quoted[0]}",
            values,
        )
        return int(cursor.rowcount)


def _type_of(field: "Field[Any, Any]") -> str:
    """Return a column's type as a value of it is written: a serial key is a plain integer."""
    return str(field.rel_db_type(connection) if field.primary_key else field.db_type(connection))
