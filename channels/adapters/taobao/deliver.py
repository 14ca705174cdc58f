"""Telling TOP about parcels and stock, so that telling it twice does no harm.

A stock figure is absolute. A parcel that the platform refuses may be one it knows already, because an earlier answer
was lost: then the trade itself is asked whether its lines carry this tracking number.
"""

from typing import Any, Final

from audit.rules.sentences import say
from channels.adapters import calls
from channels.adapters.protocol import Connection
from channels.adapters.signing import NotThis
from channels.adapters.taobao import answers, client, outgoing
from channels.messages import Outgoing, ShipmentNotice

ASK: Final = "taobao.trade.fullinfo.get"
ASK_FIELDS: Final = "tid,status,orders.oid,orders.oid_str,orders.invoice_no"


def deliver(message: Outgoing, connection: Connection) -> str:
    """Tell the platform and return its answer; raises ``RetryLater`` or ``Rejected``."""
    call = outgoing.call_for(message, connection.options)
    try:
        body = client.call_raw(connection, call.method, call.arguments)
        answer = answers.result(call.method, body)
    except NotThis as refused:
        if not isinstance(message, ShipmentNotice) or not _knows_already(message, call, connection):
            raise
        return refused.answer
    if isinstance(message, ShipmentNotice) and not _is_success(answer):
        raise NotThis(say("Taobao did not accept the parcel."), answer=calls.shown(body))
    return calls.shown(body)


def _is_success(answer: dict[str, Any]) -> bool:
    shipping = answer.get("shipping")
    return isinstance(shipping, dict) and shipping.get("is_success") in (True, "true")


def _knows_already(notice: ShipmentNotice, call: outgoing.Call, connection: Connection) -> bool:
    """Ask whether every line of the parcel carries its tracking number already."""
    asked = {"fields": ASK_FIELDS, "tid": call.arguments["tid"]}
    try:
        orders = client.call(connection, ASK, asked)["trade"]["orders"]["order"]
        numbers = {str(order.get("oid_str") or order["oid"]): order.get("invoice_no") for order in orders}
    except (NotThis, KeyError, TypeError, AttributeError):
        return False
    told = {line.external_line_id for line in notice.lines}
    return bool(told) and all(numbers.get(line) == notice.tracking_number for line in told)
