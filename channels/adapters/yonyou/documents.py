"""Our documents as YonBIP's vouchers. Pure. A ``!`` is a part of a flat name, not a place inside.

Not verified against the live platform (documented guesses): the names in ``FORMS`` of deliveries and returns where
they follow those of orders; the usual transaction types; the code of the usual tax rate.
"""

import hashlib
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final, NamedTuple

from audit.rules.sentences import say
from channels.adapters import ledgers
from channels.adapters.protocol import Connection
from channels.adapters.renaming import GMT8
from channels.adapters.signing import NotThis
from channels.adapters.yonyou import client
from channels.messages import DocumentLine, SalesDocument

CURRENCIES: Final = {"CNY": "CNY"}
USUAL_UNIT: Final = "PCS"
USUAL_TAX: Final = "VAT13"
USUAL_EXCHANGE: Final = "01"
LONGEST_KEY: Final = 32


class Form(NamedTuple):
    """What YonBIP calls the parts of one kind of document."""

    path: str
    submit: str
    audit: str
    prices: str
    lines: str
    line_prices: str
    transaction_type: str


FORMS: Final = {
    "sale": Form("/yonbip/sd/voucherorder", "/batchsubmit", "/batchaudit", "orderPrices", "orderDetails",
                 "orderDetailPrices", "SO01"),
    "delivery": Form("/yonbip/sd/voucherdelivery", "/batchsubmit", "/batchaudit", "deliveryPrices", "deliveryDetails",
                     "deliveryDetailPrices", "FH01"),
    "return": Form("/yonbip/sd/vouchersalereturn", "/submit", "/audit", "saleReturnPrices", "saleReturnDetails",
                   "saleReturnDetailPrices", "TH01"),
}  # fmt: skip


def form_of(document: SalesDocument) -> Form:
    """Return the voucher of a document's kind; raises ``NotThis`` for a kind that is none."""
    form = FORMS.get(document.kind)
    if form is None:
        what = {"platform": client.PLATFORM, "kind": document.kind}
        raise NotThis(say("%(platform)s knows no document of kind %(kind)s.", **what))
    return form


def check_key(number: str) -> str:
    """Return the key under which the same save is known: our number, its hash where that is too long."""
    return number if len(number) <= LONGEST_KEY else hashlib.sha256(number.encode()).hexdigest()[:LONGEST_KEY]


def data_of(document: SalesDocument, connection: Connection) -> dict[str, Any]:
    """Return what a save is called with; raises ``Rejected`` naming what is not set."""
    form, org = form_of(document), ledgers.option(connection, client.PLATFORM, "org")
    customer = ledgers.called(connection, "customers", document.customer_code)
    types = connection.options.get("transaction_types")
    named = types.get(document.kind) if isinstance(types, Mapping) else None
    money, rate = ledgers.currency(document, connection, CURRENCIES), ledgers.tax_rate(connection)
    lines = [_line(line, document, form, connection, rate) for line in document.lines]
    usual_exchange = ledgers.option(connection, client.PLATFORM, "exchange_rate_type", USUAL_EXCHANGE)
    return {
        "resubmitCheckKey": check_key(document.number),
        "_status": "Insert",
        "code": document.number,
        "salesOrgId": org,
        "stockOrgId": org,
        "transactionTypeId": str(named or form.transaction_type),
        "vouchdate": document.booked_at.astimezone(GMT8).strftime("%Y-%m-%d 00:00:00"),
        "agentId": customer,
        "settlementOrgId": org,
        "invoiceAgentId": customer,
        "payMoney": ledgers.plain(sum((line.amount for line in document.lines), Decimal(0))),
        f"{form.prices}!currency": money,
        f"{form.prices}!natCurrency": money,
        f"{form.prices}!exchRate": 1,
        f"{form.prices}!exchangeRateType": usual_exchange,
        f"{form.prices}!taxInclusive": True,
        "memo": document.order_number,
        form.lines: lines,
    }


def _line(
    line: DocumentLine, document: SalesDocument, form: Form, connection: Connection, rate: Decimal
) -> dict[str, Any]:
    org = ledgers.option(connection, client.PLATFORM, "org")
    unit = ledgers.option(connection, client.PLATFORM, "unit", USUAL_UNIT)
    money = ledgers.priced(line, rate)
    prices = {"UnitPrice": money.net_price, "Money": money.net, "Tax": money.tax}
    natural = {**prices, "TaxUnitPrice": money.gross_price, "Sum": money.gross}
    told: dict[str, Any] = {
        "_status": "Insert",
        "productId": line.sku_code,
        "stockOrgId": org,
        "settlementOrgId": org,
        **dict.fromkeys(("masterUnitId", "iProductAuxUnitId", "iProductUnitId"), unit),
        **dict.fromkeys(("qty", "subQty", "priceQty"), line.quantity),
        "invExchRate": 1,
        "invPriceExchRate": 1,
        "unitExchangeType": 0,
        "unitExchangeTypePrice": 0,
        "taxId": ledgers.option(connection, client.PLATFORM, "tax", USUAL_TAX),
        "orderProductType": "SALE" if line.amount else "GIFT",
        "oriTaxUnitPrice": money.gross_price,
        "oriSum": money.gross,
        **{f"{form.line_prices}!ori{name}": value for name, value in prices.items()},
        **{f"{form.line_prices}!nat{name}": value for name, value in natural.items()},
    }
    if document.kind != "sale":
        told["stockId"] = ledgers.called(connection, "warehouses", document.node_code)
    return told
