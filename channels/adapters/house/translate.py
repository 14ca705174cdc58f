"""House-language JSON into the house's dataclasses. Pure: bytes in, facts out."""

from typing import Any

from audit.rules.sentences import Sentence, say
from channels.adapters import facts, fields
from channels.adapters.fields import Fields
from channels.messages import Incoming, IncomingChange, IncomingOrder, Untranslatable
from channels.rules import texts


def translate(payload: bytes, currency: str) -> Incoming:
    """Return the order or change in ``payload``; raises ``Untranslatable`` naming the field and the value."""
    reader = Fields(fields.decode(payload), [])
    kind = reader.code("type")
    if kind == "order":
        return _order(reader, currency)
    if kind == "change":
        return _change(reader)
    raise Untranslatable("unknown_type", say("type is %(value)s; it must be order or change.", value=texts.shown(kind)))


def _order(reader: Fields, currency: str) -> IncomingOrder:
    to = reader.inner("address")
    if to is None:
        reader.missing("address")
    values = reader.values.get("lines")
    if values is None:
        reader.missing("lines")
    if not isinstance(values, list):
        reader.bad_value("lines", "bad_value")
    lines = [_line(value, place, reader.remarks) for place, value in enumerate(values)]
    return facts.order(reader, to=to, lines=lines, currency=currency)


def _line(value: Any, place: int, remarks: list[Sentence]) -> Fields:
    where = f"lines[{place}]"
    if not isinstance(value, dict):
        Fields({where: value}, remarks).bad_value(where, "bad_value")
    return Fields(value, remarks, where + ".")


def _change(reader: Fields) -> IncomingChange:
    to = reader.inner("address")
    has_note = reader.values.get("buyer_note") is not None
    return IncomingChange(
        external_id=reader.code("external_id"),
        revision=reader.whole("revision"),
        paid_at=reader.time_or_none("paid_at"),
        cancelled_at=reader.time_or_none("cancelled_at"),
        cancel_reason=reader.text("cancel_reason", facts.LONGEST_REASON),
        address=facts.address(to) if to else None,
        buyer_note=reader.text("buyer_note", facts.LONGEST_NOTE) if has_note else None,
        remarks=tuple(reader.remarks),
    )
