"""SF's routes, into the house language. Pure: bytes in, facts out.

Not verified: the meaning of each code of ``OP_CODES`` (SF's list is long and grows). A code that stands nowhere is
refused, never taken for "underway": the option ``op_codes`` teaches it, and the message is sent through again.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final
from zlib import crc32

from audit.rules.sentences import Sentence
from channels.adapters import calls, fields, renaming, scans
from channels.adapters.fields import Fields
from channels.adapters.renaming import gmt8
from channels.messages import IncomingTracking, RawMessage, TrackEvent, TrackState, Untranslatable

MEANT: Final = {
    TrackState.COLLECTED: "43 50 54 700 950",
    TrackState.UNDERWAY: (
        "10 11 14 15 16 17 18 30 31 36 105 106 123 126 302 304 3036 "
        "604 605 606 607 608 609 610 611 612 613 614 615 616 617 618 619 620 621 622 623"
    ),
    TrackState.OUT_FOR_DELIVERY: "44 204 630 880 933",
    TrackState.READY_FOR_PICKUP: "125 130",
    TrackState.DELIVERED: "80 97 128 679 935 8000",
    TrackState.TROUBLE: "33 34 66 70 72 77 833 870 934",
    TrackState.GOING_BACK: "99 631 648",
}
OP_CODES: Final = {code: state for state, codes in MEANT.items() for code in codes.split()}
SPREAD: Final = 1000


def translate(raw: RawMessage, options: Mapping[str, Any]) -> IncomingTracking:
    """Return the scans of a parcel; raises ``Untranslatable`` naming the field and the value."""
    remarks: list[Sentence] = []
    known = {**OP_CODES, **_taught(options)}
    routes = Fields(fields.decode(raw.payload), remarks).objects("routes")
    events = [
        TrackEvent(
            at=Fields({"acceptTime": gmt8(route.values.get("acceptTime"))}, remarks, route.where).time("acceptTime"),
            state=Fields({"opCode": renaming.code(route.values.get("opCode"))}, remarks, route.where).meaning(
                "opCode", known
            ),
            text=route.text("remark", scans.LONGEST_TEXT),
            place=route.text("acceptAddress", scans.LONGEST_PLACE),
        )
        for route in routes
    ]
    return scans.tracking(raw, events, remarks)


def message(external_id: str, routes: Sequence[Any]) -> RawMessage:
    """Return routes of one parcel as a message: the newest one's second, and which routes they are.

    Two pushes of one second tell of different routes, so each is a message of its own; the same again is the same.
    """
    rows = [route for route in routes if isinstance(route, dict)]
    which = sorted(f"{row.get('acceptTime')}|{row.get('opCode')}|{row.get('remark')}" for row in rows)
    newest = max((moment for moment in map(_told, rows) if moment is not None), default=None)
    rank = crc32("\n".join(which).encode("utf-8", "replace")) % SPREAD
    revision = renaming.revision(newest, rank) if newest else rank
    return RawMessage("tracking", external_id, revision, calls.written({"routes": rows}))


def _taught(options: Mapping[str, Any]) -> dict[str, TrackState]:
    told, states = options.get("op_codes"), set(TrackState)
    rows = told.items() if isinstance(told, Mapping) else ()
    return {str(code): TrackState(word) for code, word in rows if word in states}


def _told(route: Mapping[str, Any]) -> Any:
    try:
        return Fields({"at": gmt8(route.get("acceptTime"))}, []).time_or_none("at")
    except Untranslatable:
        return None
