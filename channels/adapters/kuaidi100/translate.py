"""What Kuaidi100 knows of a parcel, into the house language. Pure: bytes in, facts out.

``lastResult.state`` is the parcel's and belongs to its newest scan; an older scan has a state of its own where it says
one (``statusCode``) and was on its way otherwise. Customs are a part of the way (a fault there is trouble).
"""

from collections.abc import Mapping
from typing import Any, Final

from audit.rules.sentences import Sentence, say
from channels.adapters import fields, scans
from channels.adapters.fields import Fields
from channels.adapters.renaming import code, gmt8
from channels.messages import IncomingTracking, RawMessage, TrackEvent, TrackState, Untranslatable

STATES: Final = {
    "0": TrackState.UNDERWAY,
    "1": TrackState.COLLECTED,
    "2": TrackState.TROUBLE,
    "3": TrackState.DELIVERED,
    "4": TrackState.CAME_BACK,
    "5": TrackState.OUT_FOR_DELIVERY,
    "6": TrackState.GOING_BACK,
    "7": TrackState.UNDERWAY,
    "10": TrackState.UNDERWAY,
    "11": TrackState.UNDERWAY,
    "12": TrackState.UNDERWAY,
    "13": TrackState.TROUBLE,
    "14": TrackState.TROUBLE,
}


def translate(raw: RawMessage) -> IncomingTracking:
    """Return the scans of a parcel; raises ``Untranslatable`` naming the field and the value."""
    remarks: list[Sentence] = []
    told = Fields(fields.decode(raw.payload), remarks)
    result = told.inner("lastResult")
    if result is None:
        told.missing("lastResult")
    state = Fields({"state": code(result.values.get("state"))}, remarks, "lastResult.").meaning("state", STATES)
    rows = result.objects("data")
    timed = [(_time(row), row) for row in rows]
    newest = max(range(len(timed)), key=lambda place: (timed[place][0], -place), default=None)
    events = [
        TrackEvent(
            at=at,
            state=state if place == newest else _state(row),
            text=row.text("context", scans.LONGEST_TEXT),
            place=row.text("location", scans.LONGEST_PLACE) or row.text("areaName", scans.LONGEST_PLACE),
        )
        for place, (at, row) in enumerate(timed)
    ]
    if told.values.get("status") == "abort":
        words = told.text("message", scans.LONGEST_TEXT)
        remarks.append(say("The carrier is no longer asked about this parcel: %(words)s", words=words or "–"))
    return scans.tracking(raw, events, remarks)


def revision_of(result: Mapping[str, Any]) -> int:
    """Return the revision of what is known of a parcel; what cannot be read yet counts for nothing."""
    rows = result.get("data")
    times = [_told(row) for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []
    known = [moment for moment in times if moment is not None]
    return scans.revision(max(known, default=None), len(times), STATES.get(str(result.get("state"))))


def _time(row: Fields) -> Any:
    name = "ftime" if row.values.get("ftime") else "time"
    return Fields({name: gmt8(row.values.get(name))}, row.remarks, row.where).time(name)


def _told(row: Mapping[str, Any]) -> Any:
    try:
        return _time(Fields(row, []))
    except Untranslatable:
        return None


def _state(row: Fields) -> TrackState:
    if row.values.get("statusCode") in (None, ""):
        return TrackState.UNDERWAY
    return Fields({"statusCode": code(row.values["statusCode"])}, row.remarks, row.where).meaning("statusCode", STATES)
