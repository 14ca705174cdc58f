"""Saving many rows at once where the ORM is the bottleneck: COPY for new rows, UPDATE … FROM unnest for known ones.

``bulk_create`` costs several times the CPU of COPY in Python and in PostgreSQL, ``bulk_update`` writes one CASE per row
and column. See docs/benchmarks.md.
"""

import json
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from operator import attrgetter
from typing import Any, TypeVar

from django.db import connection
from django.db.models import AutoField, DateField, Field, ForeignKey, JSONField, Model
from django.db.models.base import ModelState

_ENCODER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))


@dataclass(frozen=True)
class _Table:
    """How rows of one model are written."""

    name: str
    key: str
    columns: tuple[str, ...]
    attributes: tuple[str, ...]
    relations: dict[str, str]  # name of the relation → attribute that holds the parent's key
    constants: dict[str, Any]  # attribute → default
    made: tuple[tuple[str, Callable[[], Any]], ...]  # attribute, what makes its default
    documents: tuple[tuple[int, JSONField], ...]  # place among the columns, field


Row = TypeVar("Row", bound=Model)


def new(model: type[Row], **values: Any) -> Row:
    """Make an unsaved row as the model's own constructor would, several times quicker, for rows made by the thousand.

    Takes columns and relations by name; sends no signals. Raises ``TypeError`` for a name that the model does not have.
    """
    table = _table_of(model)
    row = model.__new__(model)
    row._state = state = ModelState()
    columns = row.__dict__
    columns.update(table.constants)
    for attribute, make in table.made:
        columns[attribute] = make()
    for name, value in values.items():
        if name in table.relations:
            state.fields_cache[name] = value
            columns[table.relations[name]] = None if value is None else value.pk
        elif name in columns:
            columns[name] = value
        else:
            raise TypeError(f"{model.__name__} has no {name}")
    return row


def insert(fresh: Sequence[Model]) -> None:
    """Save new rows of one model by one COPY and give them their primary keys; parents must be saved before.

    Like ``bulk_create`` it sends no signals and leaves no history. Raises ``IntegrityError`` when a constraint refuses
    a row, ``TypeError`` for a model with columns that compute themselves on saving.
    """
    if not fresh:
        return
    table = _table_of(type(fresh[0]))
    _draw_keys(table, fresh)
    for relation, attribute in table.relations.items():
        for row in fresh:
            parent = row._state.fields_cache.get(relation)
            if parent is not None:
                row.__dict__[attribute] = parent.pk  # past the descriptor, which would forget the parent
    copy_in(table.name, table.columns, _values(table, fresh))
    for row in fresh:
        row._state.adding, row._state.db = False, connection.alias


def copy_in(table: str, columns: Sequence[str], values: Iterable[Sequence[Any]]) -> None:
    """Write rows of plain values into a table by COPY. Raises ``IntegrityError`` when a constraint refuses a row."""
    quote = connection.ops.quote_name
    with connection.cursor() as cursor, connection.wrap_database_errors:
        into = f"COPY {quote(table)} ({', '.join(map(quote, columns))}) FROM STDIN"
        with cursor.copy(into) as copy:
            for row in values:
                copy.write_row(row)


def update(rows: Collection[Model], fields: Sequence[str]) -> int:
    """Save these fields of rows that have a primary key: one UPDATE … FROM unnest. Returns how many were found.

    All rows are of one model; JSON and array columns are not supported. The caller holds the rows' locks, if needed.
    """
    if not rows:
        return 0
    meta = next(iter(rows))._meta
    columns: list[Field[Any, Any]] = [meta.pk, *(meta.get_field(name) for name in fields)]  # type: ignore[list-item]
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


@cache
def _table_of(model: type[Model]) -> _Table:
    meta = model._meta
    fields = [field for field in meta.local_concrete_fields if not field.generated]
    made = [field for field in fields if field.has_default() and callable(field.default)]
    dates = [field for field in fields if isinstance(field, DateField)]
    computed = [field.name for field in dates if field.auto_now or field.auto_now_add]
    if computed or not isinstance(meta.pk, AutoField):
        raise TypeError(f"{model.__name__} cannot be copied: {', '.join(computed) or 'its key is no serial number'}")
    return _Table(
        name=meta.db_table,
        key=str(meta.pk.column),
        columns=tuple(str(field.column) for field in fields),
        attributes=tuple(field.attname for field in fields),
        relations={field.name: field.attname for field in fields if isinstance(field, ForeignKey)},
        constants={str(meta.pk.attname): None} | {f.attname: f.get_default() for f in fields if f not in made},
        made=tuple((field.attname, field.default) for field in made),
        documents=tuple((place, field) for place, field in enumerate(fields) if isinstance(field, JSONField)),
    )


def _draw_keys(table: _Table, fresh: Sequence[Model]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT nextval(pg_get_serial_sequence(%s, %s)) FROM generate_series(1, %s)",
            [table.name, table.key, len(fresh)],
        )
        for row, (key,) in zip(fresh, cursor.fetchall(), strict=True):
            row.pk = key


def _values(table: _Table, fresh: Iterable[Model]) -> Iterable[Sequence[Any]]:
    pick = attrgetter(*table.attributes)
    if not table.documents:
        return map(pick, fresh)
    return (_with_documents(table, pick(row)) for row in fresh)


def _with_documents(table: _Table, values: Sequence[Any]) -> Sequence[Any]:
    written = list(values)
    for place, field in table.documents:
        written[place] = _ENCODER.encode(field.get_prep_value(written[place]))
    return written


def keys_of(model: type[Model], attributes: Sequence[str], values: Collection[Sequence[Any]]) -> list[int]:
    """Return the primary keys of the rows that hold one of these tuples in these columns, in no order."""
    if not values:
        return []
    fields = [model._meta.get_field(name) for name in attributes]
    quote = connection.ops.quote_name
    columns = ", ".join(quote(str(field.column)) for field in fields)  # type: ignore[union-attr]
    arrays = ", ".join(f"%s::{_type_of(field)}[]" for field in fields)  # type: ignore[arg-type]
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT {quote(str(model._meta.pk.column))} FROM {quote(model._meta.db_table)} "
            f"JOIN unnest({arrays}) AS wanted ({columns}) USING ({columns})",
            [list(column) for column in zip(*values, strict=True)],
        )
        return [key for (key,) in cursor.fetchall()]


def _type_of(field: "Field[Any, Any]") -> str:
    """Return a column's type as a value of it is written: a serial key is a plain integer."""
    return str(field.rel_db_type(connection) if field.primary_key else field.db_type(connection))
