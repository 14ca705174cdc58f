"""What AfterShip knows of a parcel, into the house language. Pure: bytes in, facts out.

Some carriers tell a checkpoint's time without its offset: then the moment at which AfterShip learned of it counts. The
parcel's own tag is the newest checkpoint's where none says it. Not verified: that ``Expired`` is trouble.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from audit.rules.sentences import Sentence, say
from channels.adapters import calls, fields, scans
from channels.adapters.fields import Fields
from channels.messages import IncomingTracking, RawMessage, TrackEvent, TrackState, Untranslatable

TAGS: Final = {
    "Pending": TrackState.ANNOUNCED,
    "InfoReceived": TrackState.ANNOUNCED,
    "InTransit": TrackState.UNDERWAY,
    "OutForDelivery": TrackState.OUT_FOR_DELIVERY,
    "AttemptFail": TrackState.TROUBLE,
    "Delivered": TrackState.DELIVERED,
    "AvailableForPickup": TrackState.READY_FOR_PICKUP,
    "Exception": TrackState.TROUBLE,
    "Expired": TrackState.TROUBLE,
}


def translate(raw: RawMessage) -> IncomingTracking:
    """Return the scans of a parcel; raises ``Untranslatable`` naming the field and the value."""
    remarks: list[Sentence] = []
    parcel = Fields(fields.decode(raw.payload), remarks)
    state = parcel.meaning("tag", TAGS)
    events = [
        TrackEvent(
            at=_time(row),
            state=row.meaning("tag", TAGS),
            text=row.text("message", scans.LONGEST_TEXT),
            place=row.text("location", scans.LONGEST_PLACE) or row.text("city", scans.LONGEST_PLACE),
        )
        for row in parcel.objects("checkpoints")
    ]
    return scans.tracking(raw, events, remarks, state=state)


def message(external_id: str, parcel: Mapping[str, Any]) -> RawMessage:
    """Return a parcel as a message: the newest checkpoint's second, how many there are, and the tag."""
    rows = parcel.get("checkpoints")
    times = [_told(row) for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []
    known = [moment for moment in times if moment is not None]
    revision = scans.revision(max(known, default=None), len(times), TAGS.get(str(parcel.get("tag"))))
    return RawMessage("tracking", external_id, revision, calls.written(dict(parcel)))


def _time(row: Fields) -> datetime:
    told = row.values.get("checkpoint_time")
    if isinstance(told, str) and row.values.get("created_at") and _has_no_offset(told):
        row.remarks.append(
            say("%(field)s has no offset: the moment it was learned counts.", field=row.label("checkpoint_time"))
        )
        return row.time("created_at")
    return row.time("checkpoint_time")


def _has_no_offset(text: str) -> bool:
    try:
        return datetime.fromisoformat(text).utcoffset() is None
    except ValueError:
        return False


def _told(row: Mapping[str, Any]) -> datetime | None:
    try:
        return _time(Fields(row, []))
    except Untranslatable:
        return None
