"""What the company's channels have been told of its stock: every listing right, but for a few that drifted."""

from datetime import datetime, timedelta
from random import Random

from django.db import transaction
from django.utils import timezone

from channels.models import Listing, ListingStock, StockPush
from channels.rules import urgency
from channels.services.stock_dues import shops_told
from inventory.models import StockSignal
from inventory.queries import offers

SEED = 11
PUSHES_SHOWN = 24 * 60  # minutes of the last day in which figures were accepted
USUAL_SECONDS, URGENT_SECONDS = 1.6, 0.7  # half of the figures were quicker
DRIFTED = {"TM": 2}  # the only channel of the company that can be asked


@transaction.atomic
def lay(*, until: datetime) -> None:
    """Write what each listing's channel accepted, and how long that took; nothing is left to be told."""
    shops = shops_told()
    listings = list(Listing.objects.filter(channel__in=shops.channels).order_by("pk"))
    told = offers.figures({row.sku_id for row in listings}, shops.served, on_date=timezone.localdate(until))
    rng, drifted = Random(SEED), dict(DRIFTED)
    rows, pushes = [], []
    for listing in listings:
        code = shops.channels[listing.channel_id].code
        row = _row(listing, told[code, listing.sku_id], until, rng)
        rows.append(row)
        if row.quantity_accepted is not None and row.accepted_at is not None:
            pushes.append(_push(listing, row.quantity_accepted, row.accepted_at, rng))
            _let_drift(row, code, drifted, until)
    ListingStock.objects.bulk_create(rows, batch_size=1000)
    StockPush.objects.bulk_create(sorted(pushes, key=lambda push: push.accepted_at), batch_size=1000)
    StockSignal.objects.all().delete()


def _row(listing: Listing, figure: int | None, until: datetime, rng: Random) -> ListingStock:
    accepted_at = until - timedelta(minutes=rng.random() * PUSHES_SHOWN)
    return ListingStock(
        listing=listing,
        quantity_due=figure,
        quantity_accepted=figure,
        accepted_at=None if figure is None else accepted_at,
    )


def _push(listing: Listing, quantity: int, accepted_at: datetime, rng: Random) -> StockPush:
    is_urgent = urgency.is_urgent(None, quantity)
    seconds = (URGENT_SECONDS if is_urgent else USUAL_SECONDS) * rng.lognormvariate(0.0, 0.4)
    return StockPush(
        listing=listing,
        channel_id=listing.channel_id,
        quantity=quantity,
        changed_at=accepted_at - timedelta(seconds=seconds),
        accepted_at=accepted_at,
        is_urgent=is_urgent,
    )


def _let_drift(row: ListingStock, code: str, left: dict[str, int], until: datetime) -> None:
    """Let the channel say its own figure of the first few listings it has plenty of."""
    if not left.get(code) or (row.quantity_accepted or 0) <= urgency.FEW:
        return
    left[code] -= 1
    row.quantity_seen, row.seen_at = (row.quantity_accepted or 0) + 12, until
