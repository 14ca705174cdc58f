"""Our documents as Kingdee's forms. Pure.

Not verified against the live platform (documented guesses): fields of deliveries and returns (``FORMS``) beyond those
that working clients use; the settlement part's names. Fields of one's own (``F_XXXX_…``) are not written.
"""

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from audit.rules.sentences import say
from channels.adapters import ledgers
from channels.adapters.kingdee import client
from channels.adapters.protocol import Connection
from channels.adapters.renaming import GMT8
from channels.adapters.signing import NotThis
from channels.messages import DocumentLine, SalesDocument

CURRENCIES: Final = {"CNY": "PRE001"}
USUAL_UNIT: Final = "Pcs"
BY_BILL: Final = "FNUMBER"  # a bill type is named so, anything else by FNumber


class Form(NamedTuple):
    """What Kingdee calls the parts of one kind of document."""

    name: str
    bill_type: str
    customer: str
    lines: str
    quantity: str
    settlement: str
    currency: str
    has_warehouse: bool = True


FORMS: Final = {
    "sale": Form("SAL_SaleOrder", "XSDD01_SYS", "FCustId", "FSaleOrderEntry", "FQty", "FSaleOrderFinance",
                 "FSettleCurrId", has_warehouse=False),
    "delivery": Form("SAL_OUTSTOCK", "XSCKD01_SYS", "FCustomerID", "FEntity", "FRealQty", "SubHeadEntity",
                     "FSettleCurrID"),
    "return": Form("SAL_RETURNSTOCK", "XSTHD01_SYS", "FRetcustId", "FEntity", "FRealQty", "SubHeadEntity",
                   "FSettleCurrId"),
}  # fmt: skip


def form_of(document: SalesDocument) -> Form:
    """Return the form of a document's kind; raises ``NotThis`` for a kind that is none."""
    form = FORMS.get(document.kind)
    if form is None:
        raise NotThis(
            say("%(platform)s knows no document of kind %(kind)s.", platform=client.PLATFORM, kind=document.kind)
        )
    return form


def data_of(document: SalesDocument, connection: Connection) -> dict[str, Any]:
    """Return what a save is called with; raises ``Rejected`` naming what is not set."""
    form, org = form_of(document), _number(ledgers.option(connection, client.PLATFORM, "org"))
    date = document.booked_at.astimezone(GMT8).strftime("%Y-%m-%d 00:00:00")
    money = ledgers.currency(document, connection, CURRENCIES)
    types = connection.options.get("bill_types")
    bill_type = (types.get(document.kind) if isinstance(types, Mapping) else None) or form.bill_type
    model: dict[str, Any] = {
        "FID": 0,
        "FBillTypeID": {BY_BILL: str(bill_type)},
        "FBillNo": document.number,
        "FDate": date,
        "FSaleOrgId": org,
        form.customer: _number(ledgers.called(connection, "customers", document.customer_code)),
        "FNote": document.order_number,
        form.settlement: {form.currency: _number(money), "FIsIncludedTax": True, "FIsPriceExcludeTax": True},
        form.lines: [_line(line, document, form, connection, date) for line in document.lines],
    }
    if form.has_warehouse:
        model["FStockOrgId"] = org
    return {"NeedReturnFields": ["FBillNo"], "IsVerifyBaseDataField": "true", "Model": model}


def _line(line: DocumentLine, document: SalesDocument, form: Form, connection: Connection, date: str) -> dict[str, Any]:
    rate = ledgers.tax_rate(connection)
    money, unit = ledgers.priced(line, rate), _number(ledgers.option(connection, client.PLATFORM, "unit", USUAL_UNIT))
    told = {
        "FMaterialId": _number(line.sku_code),
        "FUnitID": unit,
        form.quantity: line.quantity,
        "FTaxPrice": money.gross_price,
        "FPrice": money.net_price,
        "FEntryTaxRate": rate,
        "FIsFree": line.amount == 0,
    }
    if form.has_warehouse:
        return {**told, "FStockId": _number(ledgers.called(connection, "warehouses", document.node_code))}
    return {**told, "FRowType": "Standard", "FPriceUnitId": unit, "FDeliveryDate": date, "FReserveType": "1"}


def _number(code: str) -> dict[str, str]:
    return {"FNumber": code}
