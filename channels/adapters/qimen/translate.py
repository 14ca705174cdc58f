"""What a warehouse says of a parcel, into the house language. Pure: bytes in, facts out.

The moment is the warehouse's own (``operateTime``), else the moment of its call. A status for which the house has no
state (trouble, a failed cancellation, what a courier reports later) is refused with its words, so that a person reads
it. Not verified (documented guesses): the meaning of ``STATES`` where two words share a state; that a confirmation
without ``status`` means shipped.
"""

import re
from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final
from zlib import crc32

from audit.rules.sentences import Sentence, say
from channels.adapters import facts, fields, markup, renaming
from channels.adapters.fields import Fields
from channels.adapters.protocol import Connection
from channels.adapters.renaming import gmt8
from channels.messages import IncomingParcel, ParcelLine, ParcelState, RawMessage, Untranslatable
from channels.rules import texts

SHIPPED: Final = "DELIVERED"
PARTLY: Final = frozenset({"PARTDELIVERED"})
STATES: Final = {
    "NEW": ParcelState.ACCEPTED,
    "ACCEPT": ParcelState.ACCEPTED,
    "PRINT": ParcelState.ACCEPTED,
    "PICK": ParcelState.PICKED,
    "CHECK": ParcelState.PICKED,
    "PACKAGE": ParcelState.PACKED,
    "WEIGH": ParcelState.PACKED,
    "READY": ParcelState.PACKED,
    "PARTDELIVERED": ParcelState.SHIPPED,
    SHIPPED: ParcelState.SHIPPED,
    "REJECT": ParcelState.REFUSED,
    "CANCELED": ParcelState.CANCELLED,
    "CLOSED": ParcelState.CANCELLED,
}
NO_STATE: Final = frozenset(
    {"EXCEPTION", "CANCELEDFAIL", "SIGN", "REFUSE", "TMSCANCELED", "TMSCANCELFAILED", "OTHER"}
    | {"PARTFULFILLED", "FULFILLED"}
)
RANKS: Final = {word: place * 10 for place, word in enumerate(STATES)}  # which of two reports in one second came later
CONFIRMED_PARTLY, CONFIRMED, SPREAD = 200, 600, 400
_WHOLE: Final = re.compile(r"([0-9]{1,9})(\.0+)?")


def translate(raw: RawMessage, connection: Connection) -> IncomingParcel:
    """Return what became of a parcel; raises ``Untranslatable`` naming the field and the value."""
    try:
        _, request = markup.read(raw.payload)
    except markup.NotReadable as error:
        raise Untranslatable(
            "malformed_xml", say("The message is not XML: %(error)s.", error=texts.shown(error))
        ) from error
    order, process = request.get("deliveryOrder"), request.get("process")
    if isinstance(order, dict):
        return _confirmed(raw, request, order, connection.options)
    if isinstance(process, dict):
        return _reported(raw, process)
    return Fields(request, []).missing("deliveryOrder")


def revision_of(request: Mapping[str, Any], *, called_at: datetime) -> int:
    """Return the moment that a call tells of in milliseconds, and where it does not, the moment of the call.

    Reports of one second are told apart by their status, confirmations by ``outBizCode``: the same again is the same.
    """
    order, process = request.get("deliveryOrder"), request.get("process")
    told = order if isinstance(order, dict) else process if isinstance(process, dict) else {}
    try:
        moment = _moment(told, [])
    except Untranslatable:
        moment = None
    rank = _rank(order) if isinstance(order, dict) else RANKS.get(str(told.get("processStatus")), 0)
    return renaming.revision((moment or called_at).astimezone(UTC), rank)


def _rank(order: Mapping[str, Any]) -> int:
    """Return a confirmation's place among the messages of one second, after all reports."""
    floor = CONFIRMED_PARTLY if str(order.get("confirmType")) == "1" else CONFIRMED
    return floor + crc32(str(order.get("outBizCode") or "").encode("utf-8", "replace")) % SPREAD


def _confirmed(
    raw: RawMessage, request: Mapping[str, Any], order: dict[str, Any], options: Mapping[str, Any]
) -> IncomingParcel:
    remarks: list[Sentence] = []
    reader = Fields(order, remarks, "deliveryOrder.")
    renaming.check_same(reader.code("deliveryOrderCode"), raw, field="deliveryOrderCode")
    status = order.get("status") or SHIPPED
    state = _state(status, "", "deliveryOrder.status")
    packages = [
        Fields(package if isinstance(package, dict) else {}, remarks, f"packages[{place}].")
        for place, package in enumerate(markup.rows(request.get("packages"), "package"))
    ]
    numbers = [package.code("expressCode") for package in packages]
    if len(set(numbers)) > 1:
        others = texts.shown(", ".join(numbers[1:]), limit=200)
        remarks.append(
            say("The warehouse sent this parcel in several packages; the others are %(others)s.", others=others)
        )
    if status in PARTLY or str(order.get("confirmType")) == "1":
        remarks.append(say("The warehouse has sent a part of this parcel; more is to come."))
    return IncomingParcel(
        external_id=raw.external_id,
        revision=raw.revision,
        state=state,
        at=_moment(order, remarks) or _told_at(raw),
        carrier_code=_carrier(packages[0].code("logisticsCode"), options) if packages else "",
        tracking_number=numbers[0] if numbers else "",
        lines=_lines(request, packages),
        reason="" if state is ParcelState.SHIPPED else str(status),
        remarks=tuple(remarks),
    )


def _reported(raw: RawMessage, process: dict[str, Any]) -> IncomingParcel:
    remarks: list[Sentence] = []
    reader = Fields(process, remarks, "process.")
    words = reader.text("operateInfo", facts.LONGEST_REASON) or reader.text("remark", facts.LONGEST_REASON)
    return IncomingParcel(
        external_id=raw.external_id,
        revision=raw.revision,
        state=_state(process.get("processStatus"), words, "process.processStatus"),
        at=_moment(process, remarks) or _told_at(raw),
        tracking_number=reader.code("expressCode") if process.get("expressCode") else "",
        reason=words,
        remarks=tuple(remarks),
    )


def _state(word: Any, words: str, field: str) -> ParcelState:
    told = word if isinstance(word, str) else ""
    if told in NO_STATE:
        what = {"status": told, "words": texts.shown(words, limit=200)}
        raise Untranslatable(
            "no_state", say("The warehouse reports %(status)s, which moves no parcel: %(words)s", **what)
        )
    return STATES.get(told) or renaming.unknown(field, word)


def _moment(told: Mapping[str, Any], remarks: list[Sentence]) -> datetime | None:
    """Return the moment a message tells of, None when it tells none; raises ``Untranslatable`` bad_time."""
    name = "operateTime" if told.get("operateTime") else "orderConfirmTime"
    return Fields({name: gmt8(told.get(name))}, remarks).time_or_none(name)


def _told_at(raw: RawMessage) -> datetime:
    return datetime.fromtimestamp(raw.revision // 1000, UTC)


def _carrier(told: str, options: Mapping[str, Any]) -> str:
    """Return our code of a carrier: the channel's option ``carriers`` says which of theirs is which of ours."""
    ours = {str(theirs): str(code) for code, theirs in (options.get("carriers") or {}).items()}
    return ours.get(told, told)


def _lines(request: Mapping[str, Any], packages: list[Fields]) -> tuple[ParcelLine, ...]:
    """Return what was sent, a SKU once: from the packages, or from the order's lines where packages name no items."""
    inside = [
        (package.where, "quantity", item)
        for package in packages
        for item in markup.rows(package.values.get("items"), "item")
    ]
    told = inside or [
        ("orderLines.", "actualQty", line) for line in markup.rows(request.get("orderLines"), "orderLine")
    ]
    counts: Counter[str] = Counter()
    for where, name, item in told:
        line = Fields(item if isinstance(item, dict) else {}, [], where)
        counts[line.code("itemCode")] += _count(line, name)
    return tuple(ParcelLine(sku_code, quantity) for sku_code, quantity in counts.items() if quantity)


def _count(line: Fields, name: str) -> int:
    told = line.values.get(name)
    whole = _WHOLE.fullmatch(told) if isinstance(told, str) else None
    if whole is None or int(whole[1]) > fields.LARGEST_QUANTITY:
        line.bad_value(name, "bad_quantity")
    return int(whole[1])
