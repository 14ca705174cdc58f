"""What the carriers' adapters share: whose code is whose, the number of what is known of a parcel, and its scans. Pure.

The channel's option ``carriers`` says which carriers it follows and what it calls them: our code → theirs.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Final
from urllib.parse import parse_qsl

from audit.rules.sentences import Sentence, say
from channels.adapters import renaming
from channels.adapters.fields import LONGEST_CODE
from channels.adapters.protocol import Connection
from channels.adapters.signing import NotThis
from channels.messages import IncomingTracking, RawMessage, TrackEvent, TrackingRequest, TrackState, Untranslatable
from channels.rules import texts

MOST_SCANS: Final = 500
LONGEST_TEXT: Final = 300
LONGEST_PLACE: Final = 60
_RANKS: Final = {state: place for place, state in enumerate(TrackState)}
_MOST_COUNTED: Final = 49
_EARLY: Final = frozenset({TrackState.ANNOUNCED, TrackState.COLLECTED, TrackState.UNDERWAY})


def theirs(request: TrackingRequest, connection: Connection, platform: str) -> str:
    """Return what the platform calls the carrier of a request; raises ``Rejected`` for what nobody can follow."""
    if not request.tracking_number:
        raise NotThis(say("Parcel %(parcel)s has no tracking number.", parcel=request.parcel_number))
    code = carriers(connection).get(request.carrier_code)
    if not code:
        what = {"code": connection.code, "platform": platform, "carrier": request.carrier_code}
        raise NotThis(say("Channel %(code)s does not say what %(platform)s calls carrier %(carrier)s.", **what))
    return code


def carriers(connection: Connection) -> dict[str, str]:
    """Return the option ``carriers``: our code → the platform's."""
    told = connection.options.get("carriers")
    return {str(ours): str(code) for ours, code in told.items()} if isinstance(told, Mapping) else {}


def name_of(their_code: str, number: str, connection: Connection) -> str:
    """Return OUR-CARRIER/number, under which everything that is told of a parcel is kept."""
    ours = {code: ours for ours, code in carriers(connection).items()}
    return f"{ours.get(their_code, their_code)}/{number}"


def asked(external_ids: Iterable[str], connection: Connection) -> dict[str, tuple[str, str]]:
    """Return the platform's carrier code and the number of each OUR-CARRIER/number; unknown carriers as they are."""
    known = carriers(connection)
    parts = {external_id: external_id.partition("/") for external_id in external_ids}
    return {external_id: (known.get(ours, ours), number) for external_id, (ours, _, number) in parts.items()}


def revision(newest: datetime | None, count: int, state: TrackState | None) -> int:
    """Return the revision of a list of scans: the newest one's second, then how many there are, then the state."""
    rank = min(count, _MOST_COUNTED) * 20 + (_RANKS[state] if state else 0)
    return renaming.revision(newest, rank) if newest else rank


def form(body: bytes) -> dict[str, str]:
    """Return the fields of a form that was pushed, the last of each name."""
    return dict(parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True))


def tracking(
    raw: RawMessage, events: Sequence[TrackEvent], remarks: list[Sentence], *, state: TrackState | None = None
) -> IncomingTracking:
    """Return what is known of a parcel, oldest scan first, each once; raises ``Untranslatable`` for a bad number.

    Scans speak for themselves; the parcel's own ``state`` is its newest scan's only where no scan says it, and where it
    takes nothing back that the newest scan says.
    """
    carrier, slash, number = raw.external_id.partition("/")
    if not (carrier and slash and number) or len(number) > LONGEST_CODE or not texts.is_fit(raw.external_id):
        what = {"number": texts.shown(raw.external_id)}
        raise Untranslatable("bad_value", say("%(number)s names no parcel of a carrier.", **what))
    ordered = sorted(dict.fromkeys(events), key=lambda event: event.at)
    if state and ordered and _tells_more(state, ordered):
        ordered[-1] = replace(ordered[-1], state=state)
    if len(ordered) > MOST_SCANS:
        remarks.append(say("Only the newest %(most)s scans were kept.", most=MOST_SCANS))
    return IncomingTracking(
        external_id=raw.external_id,
        revision=raw.revision,
        carrier_code=carrier,
        tracking_number=number,
        events=tuple(ordered[-MOST_SCANS:]),
        remarks=tuple(remarks),
    )


def _tells_more(state: TrackState, ordered: Sequence[TrackEvent]) -> bool:
    if state in {event.state for event in ordered}:
        return False
    return state not in _EARLY or ordered[-1].state is TrackState.UNDERWAY
