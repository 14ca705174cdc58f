"""What an order must have to go on; what it lacks becomes a hold with a sentence and a case."""

from datetime import datetime

from audit.rules.sentences import Sentence, say
from orders.services.batch import Batch, Work
from orders.statuses import HoldKind


def check(batch: Batch, work: Work) -> None:
    """Hold an order whose address or SKUs nobody knows, and lift such holds when their cause is gone."""
    if work.order.region:
        batch.lift(work, HoldKind.ADDRESS)
    else:
        batch.hold(
            work,
            HoldKind.ADDRESS,
            say("The province or country of the address is not known."),
            say("Correct the address, then choose “Try again”."),
        )
    unknown = sorted({line.external_sku for line in work.live_lines() if line.sku_id is None})
    if not unknown:
        batch.lift(work, HoldKind.UNKNOWN_SKU)
    else:
        batch.hold(
            work,
            HoldKind.UNKNOWN_SKU,
            say("Nobody knows which SKU the channel means by %(codes)s.", codes=", ".join(unknown)[:200]),
            say("Add a listing for the code on this channel, then choose “Try again”."),
        )


def wait_for_channel(batch: Batch, work: Work, reason: Sentence) -> None:
    """Hold an order because its channel says that it must not ship yet."""
    batch.hold(work, HoldKind.CHANNEL, reason, say("Wait: the hold ends when the channel says so."))


def wait_if_sent_elsewhere(batch: Batch, work: Work, shipped_at: datetime | None) -> None:
    """Hold an order whose goods left according to its channel although no parcel of ours did: never send it twice."""
    if shipped_at is None or any(parcel.shipped_at for parcel in work.live_parcels()):
        return
    batch.hold(
        work,
        HoldKind.SENT_ELSEWHERE,
        say("The channel says that the goods left already, but the hub has not sent them."),
        say("Cancel the order here if another system sent it; lift the hold to send it from here."),
    )
