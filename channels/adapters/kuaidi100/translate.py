"""What Kuaidi100 knows of a parcel, into the house language. Pure: bytes in, facts out.

A scan has a state of its own (``statusCode``, or ``status`` in words) and was on its way where it says none;
``lastResult.state`` is the parcel's, and its newest scan's where no scan says it. Customs are a part of the way (a
fault there is trouble). Not verified: the words of ``WORDS``.
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
WORDS: Final = {
    "在途": "0",
    "揽收": "1",
    "疑难": "2",
    "签收": "3",
    "退签": "4",
    "派件": "5",
    "退回": "6",
    "转投": "7",
    "待清关": "10",
    "清关中": "11",
    "已清关": "12",
    "清关异常": "13",
    "拒签": "14",
}
_MEANT: Final = {**STATES, **{word: STATES[number] for word, number in WORDS.items()}}


def translate(raw: RawMessage) -> IncomingTracking:
    """Return the scans of a parcel; raises ``Untranslatable`` naming the field and the value."""
    remarks: list[Sentence] = []
    told = Fields(fields.decode(raw.payload), remarks)
    result = told.inner("lastResult")
    if result is None:
        told.missing("lastResult")
    state = Fields({"state": code(result.values.get("state"))}, remarks, "lastResult.").meaning("state", STATES)
    events = [
        TrackEvent(
            at=_time(row),
            state=_state(row),
            text=row.text("context", scans.LONGEST_TEXT),
            place=row.text("location", scans.LONGEST_PLACE) or row.text("areaName", scans.LONGEST_PLACE),
        )
        for row in reversed(result.objects("data"))  # they tell the newest first
    ]
    if told.values.get("status") == "abort":
        words = told.text("message", scans.LONGEST_TEXT)
        remarks.append(say("The carrier is no longer asked about this parcel: %(words)s", words=words or "–"))
    return scans.tracking(raw, events, remarks, state=state)


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
    """Return a scan's own state, by its code or its word; one that says neither was on its way."""
    for name in ("statusCode", "status"):
        if row.values.get(name) not in (None, ""):
            return Fields({name: code(row.values[name])}, row.remarks, row.where).meaning(name, _MEANT)
    return TrackState.UNDERWAY
