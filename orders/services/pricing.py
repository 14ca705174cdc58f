"""Step two: what an order costs, asked of the promotions app."""

from collections.abc import Iterable, Sequence
from decimal import Decimal

from audit.rules.sentences import say
from orders.models import OrderLine
from orders.services import refunds
from orders.services.batch import Batch, Work
from orders.statuses import EventKind
from promotions.rules.pricing import Basket, BasketLine
from promotions.services import quotes


def price(batch: Batch, works: Sequence[Work]) -> None:
    """Quote the orders and keep the quoted amounts on order and lines."""
    baskets = [_basket(batch, work, work.live_lines()) for work in works]
    for work, quote in zip(works, quotes.quote(baskets), strict=True):
        order = work.order
        order.goods_amount, order.discount_amount = quote.goods, quote.discount
        order.total_amount = quote.total
        if work.is_paid_in_full:
            order.paid_amount = with_refunded(batch, work)
        net = {line.line_number: line for line in quote.lines}
        for line in work.live_lines():
            quoted = net[line.line_number]
            line.discount_amount, line.net_amount = quoted.discount, quoted.net
            batch.line_changed(line)
        work.is_priced = True
        if not work.is_new:
            batch.tell(
                work,
                EventKind.PRICED,
                say("Total %(total)s %(currency)s", total=str(quote.total), currency=order.currency),
            )


def with_refunded(batch: Batch, work: Work) -> Decimal:
    """Return what an order cost its buyer: its total, and the lines that were paid back since."""
    gone = refunds.paid_back_lines(work)
    lines = [line for line in work.lines if not line.is_cancelled or line in gone]
    [quote] = quotes.quote([_basket(batch, work, lines)])
    return quote.total


def _basket(batch: Batch, work: Work, lines: Iterable[OrderLine]) -> Basket:
    order = work.order
    return Basket(
        reference=order.number,
        channel_code=batch.channels[order.channel_id].code,
        currency=order.currency,
        lines=tuple(
            BasketLine(line.line_number, line.sku_id, line.quantity, line.unit_price, line.discount_amount)
            for line in lines
        ),
        shipping=order.shipping_amount,
    )
