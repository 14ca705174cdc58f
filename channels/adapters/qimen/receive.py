"""What a warehouse calls us with: confirmations and reports about parcels. Pure.

Success is answered for what is kept, and only for that: a report of stock, or of an order that is no parcel of ours to
send, is answered with failure and the reason. The signature covers every parameter and the body's bytes.
"""

from datetime import datetime, timedelta
from typing import Any, Final

from channels.adapters import markup
from channels.adapters.protocol import Connection, NotAuthentic, Pushed, Received
from channels.adapters.qimen import client, sign, translate
from channels.adapters.renaming import GMT8
from channels.messages import RawMessage
from channels.rules import arrivals, texts

SKEW: Final = timedelta(minutes=10)
CONFIRM: Final = "deliveryorder.confirm"
REPORT: Final = "orderprocess.report"
HEADS: Final = {CONFIRM: ("deliveryOrder", "deliveryOrderCode"), REPORT: ("order", "orderCode")}
TO_SEND: Final = frozenset({"JYCK", "HHCK", "BFCK", "QTCK"})  # types of orders that leave a warehouse as parcels


def receive(pushed: Pushed, connection: Connection, *, at: datetime) -> Received:
    """Return what a warehouse says of a parcel, with the answer it waits for; raises ``NotAuthentic``."""
    sign.verify(pushed.query, pushed.body, connection.credentials.get("secret", ""))
    if pushed.query.get("customerId") != connection.credentials.get("customer_id"):
        raise NotAuthentic("the call is about another customer")
    called_at = _called_at(pushed.query.get("timestamp", ""), at)
    method = pushed.query.get("method", "").removeprefix(client.PREFIX)
    if method not in HEADS:
        return _refused("unsupported", f"{texts.shown(method)} is not taken")
    try:
        name, request = markup.read(pushed.body)
    except markup.NotReadable as error:
        return _refused("malformed", texts.shown(error))
    part, code = HEADS[method]
    head: Any = request.get(part) if name == "request" else None
    number = head.get(code) if isinstance(head, dict) else None
    if not isinstance(number, str) or not 0 < len(number) <= arrivals.LONGEST_EXTERNAL_ID or not texts.is_fit(number):
        return _refused("missing", f"{part}.{code} is missing")
    if str(head.get("orderType") or "JYCK") not in TO_SEND:
        return _refused("unsupported", "this type of order is not taken")
    raw = RawMessage("parcel", number, translate.revision_of(request, called_at=called_at), pushed.body)
    return Received((raw,), answer=_answer("success", "0", "ok"), content_type=client.CONTENT_TYPE)


def _called_at(timestamp: str, at: datetime) -> datetime:
    try:
        moment = datetime.strptime(timestamp, "%Y-%m-%d %H:%M:%S").replace(tzinfo=GMT8)
    except ValueError as error:
        raise NotAuthentic("the call has no time") from error
    if abs(moment - at) > SKEW:
        raise NotAuthentic("the call is too old or too new")
    return moment


def _refused(code: str, words: str) -> Received:
    return Received(answer=_answer("failure", code, words), content_type=client.CONTENT_TYPE)


def _answer(flag: str, code: str, words: str) -> bytes:
    return markup.write("response", {"flag": flag, "code": code, "message": words})
