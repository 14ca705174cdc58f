"""What the ERPs' adapters share: what their options say, and prices with and without tax. Pure.

Our codes are handed on as they are where an option does not name theirs: ``customers`` (our channel → their customer),
``warehouses`` (our node → their warehouse). ``tax_rate`` is in per cent, 13 when it is not set.
"""

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any, Final, NamedTuple

import msgspec

from audit.rules.sentences import say
from channels.adapters import calls
from channels.adapters.protocol import Connection, Rejected
from channels.adapters.signing import NotThis
from channels.messages import DocumentLine, Outgoing, SalesDocument

USUAL_RATE: Final = Decimal(13)
CENT: Final = Decimal("0.01")
UNIT: Final = Decimal("0.000001")
_JSON: Final = msgspec.json.Encoder(decimal_format="number")


class Priced(NamedTuple):
    """A line's money: of one unit and of all, without tax, the tax, and with it."""

    net_price: Decimal
    gross_price: Decimal
    net: Decimal
    tax: Decimal
    gross: Decimal


def document_of(message: Outgoing, platform: str) -> SalesDocument:
    """Return the document that is to be booked; raises ``Rejected`` for anything else."""
    if not isinstance(message, SalesDocument):
        raise Rejected(say("%(platform)s takes documents for the books, nothing else.", platform=platform))
    if not message.lines:
        raise NotThis(say("Document %(number)s has no lines.", number=message.number))
    return message


def priced(line: DocumentLine, rate: Decimal) -> Priced:
    """Return a line's money to the cent; prices of one unit to six decimals, so that they lead to the same cents."""
    net = (line.amount * 100 / (100 + rate)).quantize(CENT)
    quantity = line.quantity
    return Priced(
        net_price=plain((net / quantity).quantize(UNIT)),
        gross_price=plain((line.amount / quantity).quantize(UNIT)),
        net=plain(net),
        tax=plain(line.amount - net),
        gross=plain(line.amount),
    )


def tax_rate(connection: Connection) -> Decimal:
    """Return the tax rate in per cent; raises ``Rejected`` for what is none."""
    told = connection.options.get("tax_rate")
    if told is None:
        return USUAL_RATE
    try:
        rate = Decimal(str(told))
    except InvalidOperation:
        rate = Decimal(-1)
    if not (rate.is_finite() and 0 <= rate < 100):
        raise Rejected(say("Channel %(code)s: the tax rate %(rate)s is none.", code=connection.code, rate=str(told)))
    return plain(rate)


def option(connection: Connection, platform: str, name: str, usual: str = "") -> str:
    """Return an option, what is usual when it is not set; raises ``Rejected`` where nothing is usual."""
    value = str(connection.options.get(name) or usual)
    if not value:
        raise calls.not_set(connection, platform, name)
    return value


def called(connection: Connection, name: str, ours: str) -> str:
    """Return what they call one of our codes by an option that is a table, our own code where it says nothing."""
    table = connection.options.get(name)
    return str((table.get(ours) if isinstance(table, Mapping) else None) or ours)


def currency(document: SalesDocument, connection: Connection, known: Mapping[str, str]) -> str:
    """Return what they call the document's currency; raises ``NotThis`` for one that nobody named."""
    named = connection.options.get("currencies")
    found = (named.get(document.currency) if isinstance(named, Mapping) else None) or known.get(document.currency)
    if not found:
        what = {"code": connection.code, "currency": document.currency}
        raise NotThis(say("Channel %(code)s does not say what its ERP calls the currency %(currency)s.", **what))
    return str(found)


def written(value: Any) -> bytes:
    """Write JSON with amounts as exact numbers."""
    return _JSON.encode(value)


def plain(amount: Decimal) -> Decimal:
    """Return an amount without the zeros at its end, never with an exponent."""
    short = amount.normalize()
    return short if short.as_tuple().exponent <= 0 else short.quantize(Decimal(1))  # type: ignore[operator]
