"""What carriers say of parcels on their way: every scan is kept once, and a delivery is a delivery.

A parcel is found by the number on its label. Scans of a number that nobody knows are rejected with a case; they are
taken up by themselves as soon as a parcel leaves with that number.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.db import connection

from audit.rules.actors import Actor
from audit.rules.sentences import Sentence, say
from audit.services import cases
from channels.messages import IncomingTracking, TrackState
from channels.models import InboundMessage
from channels.rules import texts
from channels.services import inbox
from channels.statuses import InboundStatus
from orders.models import Fulfillment, ParcelScan
from orders.services import fulfillment
from orders.statuses import FulfillmentStatus, ScanState

UNKNOWN: Final = "unknown_parcel"
ACTOR: Final = Actor("job", "tracking")
LONGEST_TEXT: Final = 300
LONGEST_PLACE: Final = 80

# The inbox keeps scans under CARRIER/number; the carrier may be missing on a parcel that was entered by hand.
_WAKE = """
UPDATE channels_inboundmessage AS message
   SET status = 'received', reason_code = '', reason = '{}', finished_at = NULL
  FROM orders_fulfillment AS parcel
 WHERE message.status = 'rejected' AND message.kind = 'tracking' AND message.reason_code = 'unknown_parcel'
   AND parcel.tracking_number <> '' AND parcel.tracking_number = split_part(message.external_id, '/', 2)
   AND parcel.carrier_code IN ('', split_part(message.external_id, '/', 1))
"""


@dataclass(frozen=True)
class Told:
    """A carrier's message with what it says."""

    message: InboundMessage
    says: IncomingTracking


def take_in(mails: Sequence[Told], *, at: datetime) -> list[inbox.Outcome]:
    """Keep the scans of known parcels, deliver what has arrived, and return what became of each message."""
    parcels = _parcels(mails)
    outcomes, troubles, scans = list[inbox.Outcome](), list[cases.Trouble](), list[ParcelScan]()
    arrived: set[int] = set()
    for mail in mails:
        found = parcels.get((mail.says.carrier_code, mail.says.tracking_number), [])
        if not found:
            why = say("No parcel left with the number %(number)s.", number=mail.says.external_id)
            outcomes.append(inbox.Outcome(mail.message.pk, InboundStatus.REJECTED, UNKNOWN, why))
            troubles.append(unknown(mail.message, why))
            continue
        scans.extend(scan for parcel in found for scan in _scans(parcel, mail.says, at))
        if any(event.state == TrackState.DELIVERED for event in mail.says.events):
            arrived.update(parcel.pk for parcel in found if parcel.status == FulfillmentStatus.SHIPPED)
        remark: Sentence | None = next(iter(mail.says.remarks), None)
        outcomes.append(inbox.Outcome(mail.message.pk, InboundStatus.DONE, "mended" if remark else "", remark))
    ParcelScan.objects.bulk_create(scans, ignore_conflicts=True)
    if arrived:
        fulfillment.deliver(sorted(arrived), actor=ACTOR, at=at)
    cases.open_cases(troubles, at=at)
    known = [subject(mail.message) for mail in mails if (mail.says.carrier_code, mail.says.tracking_number) in parcels]
    cases.resolve(known, kinds=[UNKNOWN], actor=ACTOR, resolution="", at=at)
    return outcomes


def wake() -> int:
    """Send scans of parcels that were not known back to the inbox when a parcel has their number now."""
    with connection.cursor() as cursor:
        cursor.execute(_WAKE)
        return int(cursor.rowcount)


def unknown(message: InboundMessage, why: Sentence) -> cases.Trouble:
    """Return the case for a message about a parcel that nobody knows."""
    return cases.Trouble(
        kind=UNKNOWN,
        subject=subject(message),
        why=why,
        suggestion=say("Ask who sent it which parcel is meant, then choose “Try again” in the inbox."),
        subject_url=f"/admin/channels/inboundmessage/{message.pk}/change/",
    )


def subject(message: InboundMessage) -> str:
    """Return what a case about a message is about."""
    return f"{message.channel.code}/{message.external_id}"[:120]


def _parcels(mails: Sequence[Told]) -> dict[tuple[str, str], list[Fulfillment]]:
    """Return the parcels by carrier and number, one query for all; a parcel without a carrier is every carrier's."""
    wanted = {(mail.says.carrier_code, mail.says.tracking_number) for mail in mails}
    numbers = {number for _carrier, number in wanted if number}
    found: dict[tuple[str, str], list[Fulfillment]] = {}
    for parcel in Fulfillment.objects.filter(tracking_number__in=numbers).exclude(tracking_number="").order_by("pk"):
        for carrier, number in wanted:
            if number == parcel.tracking_number and parcel.carrier_code in ("", carrier):
                found.setdefault((carrier, number), []).append(parcel)
    return found


def _scans(parcel: Fulfillment, says: IncomingTracking, at: datetime) -> list[ParcelScan]:
    return [
        ParcelScan(
            fulfillment=parcel,
            scanned_at=event.at,
            state=ScanState(event.state.value),
            text=texts.fit(event.text)[:LONGEST_TEXT],
            place=texts.fit(event.place)[:LONGEST_PLACE],
            told_at=at,
        )
        for event in says.events
    ]
