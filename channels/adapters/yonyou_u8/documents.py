"""Our documents as U8's. Pure.

Not verified against the live platform (documented guesses): the words of ``BUSINESS``; that a return's quantities and
amounts are negative (``RETURN_SIGN``).
"""

from decimal import Decimal
from typing import Any, Final, NamedTuple

from audit.rules.sentences import say
from channels.adapters import ledgers
from channels.adapters.protocol import Connection
from channels.adapters.renaming import GMT8
from channels.adapters.signing import NotThis
from channels.adapters.yonyou_u8 import client
from channels.messages import DocumentLine, SalesDocument

BUSINESS: Final = "普通销售"
USUAL_SALE_TYPE: Final = "1"
RETURN_SIGN: Final = -1


class Form(NamedTuple):
    """What U8 calls the parts of one kind of document."""

    name: str
    business: str
    sale_type: str
    remark: str
    item: str
    net_price: str
    gross_price: str
    sign: int = 1


FORMS: Final = {
    "sale": Form("saleorder", "businesstype", "typecode", "memo", "inventorycode", "unitprice", "taxunitprice"),
    "delivery": Form("consignment", "operation_type", "saletype", "remark", "inventory_code", "price", "taxprice"),
    "return": Form("returnorder", "operation_type", "saletype", "remark", "inventory_code", "price", "taxprice",
                   RETURN_SIGN),
}  # fmt: skip


def form_of(document: SalesDocument) -> Form:
    """Return the form of a document's kind; raises ``NotThis`` for a kind that is none, or a currency but CNY."""
    form = FORMS.get(document.kind)
    if form is None:
        what = {"platform": client.PLATFORM, "kind": document.kind}
        raise NotThis(say("%(platform)s knows no document of kind %(kind)s.", **what))
    if document.currency != "CNY":
        what = {"platform": client.PLATFORM, "currency": document.currency}
        raise NotThis(say("%(platform)s books in CNY, not in %(currency)s.", **what))
    return form


def data_of(document: SalesDocument, connection: Connection) -> dict[str, Any]:
    """Return what is added; raises ``Rejected`` naming what is not set."""
    form, rate = form_of(document), ledgers.tax_rate(connection)
    date = document.booked_at.astimezone(GMT8).strftime("%Y-%m-%d")
    head: dict[str, Any] = {
        "code": document.number,
        "date": date,
        "custcode": ledgers.called(connection, "customers", document.customer_code),
        "deptcode": ledgers.option(connection, client.PLATFORM, "department"),
        form.business: ledgers.option(connection, client.PLATFORM, "business_type", BUSINESS),
        form.sale_type: ledgers.option(connection, client.PLATFORM, "sale_type", USUAL_SALE_TYPE),
        form.remark: document.order_number,
        "entry": [_line(line, document, form, connection, rate) for line in document.lines],
    }
    return {**head, "dpredatebt": date, "taxrate": rate} if document.kind == "sale" else head


def _line(
    line: DocumentLine, document: SalesDocument, form: Form, connection: Connection, rate: Decimal
) -> dict[str, Any]:
    money = ledgers.priced(line, rate)
    told: dict[str, Any] = {
        "rowno": line.line_number,
        form.item: line.sku_code,
        "quantity": form.sign * line.quantity,
        form.net_price: money.net_price,
        form.gross_price: money.gross_price,
        "taxrate": rate,
        "money": form.sign * money.net,
        "tax": form.sign * money.tax,
        "sum": form.sign * money.gross,
    }
    if document.kind == "sale":
        return {**told, "bgift": int(line.amount == 0)}
    return {**told, "warehouse_code": ledgers.called(connection, "warehouses", document.node_code)}
