"""Saying once which SKU a channel's code is, and letting all orders go on that wait for it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.db import transaction

from audit.rules.actors import Actor
from audit.rules.sentences import Sentence, say
from audit.services import trail
from audit.services.transactions import atomic_with_retry
from channels.models import Channel, Listing
from inventory.models import Sku
from orders.queries import unknown_codes
from orders.services import holds

BATCH: Final = 100  # orders of one transaction
MOST_AT_ONCE: Final = 500  # while a person waits; the sweep takes the others
ACTOR: Final = Actor("job", "mapping")


class CodeRefused(Exception):
    """The code cannot be taken for this SKU; ``reason`` says why."""

    def __init__(self, reason: Sentence) -> None:
        super().__init__(str(reason))
        self.reason = reason


@dataclass
class Mapped:
    """What became of the orders that waited for a code: gone on, waiting for something else, left to the sweep."""

    went_on: int = 0
    still_waiting: int = 0
    later: int = 0


def decide(channel: Channel, code: str, sku: Sku, *, actor: Actor, at: datetime) -> Mapped:
    """Make the listing and try all waiting orders again, in batches; raises ``CodeRefused``.

    The listing is kept before the first order is tried: whatever ends this early, the sweep goes on from there.
    """
    _keep(channel, code, sku, actor=actor)
    mapped, after, left = Mapped(), 0, MOST_AT_ONCE
    while left and (ids := unknown_codes.order_ids(channel.pk, code, most=min(BATCH, left), after=after)):
        after, left = ids[-1], left - len(ids)
        tried = holds.try_again(ids, actor=actor, at=at)
        mapped.went_on += len(tried.went_on)
        mapped.still_waiting += len(tried.still_waiting)
    mapped.later = unknown_codes.waiting(channel.pk, code).values("order").distinct().count()
    return mapped


def take_up(*, at: datetime) -> int:
    """Try orders again whose codes are known by now, however they became known; returns how many went on."""
    went_on = 0
    ids = unknown_codes.known_by_now(most=MOST_AT_ONCE)
    for start in range(0, len(ids), BATCH):
        went_on += len(holds.try_again(ids[start : start + BATCH], actor=ACTOR, at=at).went_on)
    return went_on


@atomic_with_retry
def _keep(channel: Channel, code: str, sku: Sku, *, actor: Actor) -> None:
    """Make the listing unless it is there; a code that means another SKU is never changed here."""
    if not code:
        raise CodeRefused(say("The channel names no code: correct the product in the shop."))
    if not sku.is_active:
        raise CodeRefused(say("This SKU is not sold."))
    known = Listing.objects.filter(channel=channel, external_code=code).first()
    if known is not None and known.sku_id != sku.pk:
        raise CodeRefused(say("The code means another SKU on this channel already."))
    if known is None:
        with transaction.atomic():
            row = Listing(channel=channel, external_code=code, sku=sku)
            trail.because(row, actor=actor, reason="said for waiting orders").save()
