"""What a shop lists: read in the background page by page, matched to SKUs, decided by people, made into listings."""

import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from django.db import connection, transaction
from django.utils import timezone
from simple_history.utils import bulk_create_with_history

from audit.models import rows
from audit.rules.actors import Actor
from audit.rules.sentences import Sentence, say
from audit.services import trail
from audit.services.transactions import atomic_with_retry
from channels.messages import ListedItem
from channels.models import Channel, ChannelSetup, FoundListing, Listing
from channels.rules import texts
from channels.rules.matching import SURE, Asked, Guess
from channels.services import matching, setup
from channels.services.setup import Failed, SetupRefused
from channels.statuses import ListingMatch, MatchDecision, SetupStep
from inventory.models import Sku

MOST_LISTINGS: Final = 50_000
CHUNK: Final = 200
LONGEST_CODE, LONGEST_ID, LONGEST_TITLE, LONGEST_BARCODE = 80, 40, 300, 40


@dataclass
class Decided:
    """How many rows were decided, and why others were not, by what people call them."""

    count: int = 0
    refused: dict[str, Sentence] = field(default_factory=dict)


@transaction.atomic
def ask(asked: ChannelSetup, *, at: datetime) -> ChannelSetup:
    """Have the shop's listings read (again); what was decided before stays decided. Raises ``SetupRefused``."""
    locked = setup.lock(asked)
    if not setup.offers_listings(locked.channel.adapter):
        raise SetupRefused(say("This platform does not tell what its shop lists."))
    locked.found.filter(decision=MatchDecision.OPEN).delete()
    locked.listings_asked_at, locked.listings_read_at, locked.listings_problem = at, None, {}
    locked.listings_found = locked.found.count()
    locked.save(update_fields=["listings_asked_at", "listings_read_at", "listings_problem", "listings_found"])
    return setup.advance(locked, SetupStep.LISTINGS)


def is_reading(row: ChannelSetup) -> bool:
    """Return whether a worker reads the listings or soon will."""
    return row.listings_asked_at is not None and row.listings_read_at is None and not row.listings_problem


def read_waiting(*, at: Callable[[], datetime] = timezone.now) -> int:
    """Read the listings of every shop that somebody asked for; returns for how many.

    A worker that dies leaves the row as it was: the next one begins again, and what is known is met, not doubled.
    """
    waiting = ChannelSetup.objects.filter(
        listings_asked_at__isnull=False, listings_read_at__isnull=True, listings_problem={}
    )
    done = 0
    for row in waiting.select_related("channel").order_by("listings_asked_at", "pk"):
        with _alone(row.pk) as is_alone:
            if is_alone:
                _read(row, at)
                done += 1
    return done


@contextlib.contextmanager
def _alone(setup_id: int) -> Iterator[bool]:
    """Say whether this worker is the only one at a shop; the database lets the next one in when this one ends."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(hashtext('channels.listings'), %s)", [setup_id])
        [is_alone] = cursor.fetchone()
        try:
            yield is_alone
        finally:
            if is_alone and connection.is_usable():
                cursor.execute("SELECT pg_advisory_unlock(hashtext('channels.listings'), %s)", [setup_id])


def _read(row: ChannelSetup, at: Callable[[], datetime]) -> None:
    mine = ChannelSetup.objects.filter(pk=row.pk, listings_asked_at=row.listings_asked_at)
    try:
        setup.calling(row.channel, lambda adapter, reached: _store_pages(row, adapter.listings(reached)), at=at())
    except Failed as failed:
        mine.update(listings_problem=failed.reason.stored(), listings_found=row.found.count())
        return
    match(row)
    if mine.update(listings_read_at=at(), listings_found=row.found.count()):
        setup.advance(row, SetupStep.MATCHING)


def _store_pages(row: ChannelSetup, pages: Iterator[list[ListedItem]]) -> None:
    """Keep page after page, so that the number grows while people look; raises ``Failed`` for more than can be."""
    for page in pages:
        found = {_key(item): _found(row, item) for item in page}
        FoundListing.objects.bulk_create(
            found.values(),
            update_conflicts=True,
            unique_fields=["setup", "external_item_id", "external_sku_id", "external_code"],
            update_fields=["title", "barcode", "quantity", "price"],
        )
        count = row.found.count()
        ChannelSetup.objects.filter(pk=row.pk).update(listings_found=count)
        if count > MOST_LISTINGS:
            raise Failed(say("The shop lists more than %(most)s things: import them from a file.", most=MOST_LISTINGS))


def _key(item: ListedItem) -> tuple[str, str, str]:
    return _ident(item.external_item_id), _ident(item.external_sku_id), _code(item)


def _found(row: ChannelSetup, item: ListedItem) -> FoundListing:
    item_id, sku_id, code = _key(item)
    return FoundListing(
        setup=row,
        external_item_id=item_id,
        external_sku_id=sku_id,
        external_code=code,
        title=texts.shown(item.title, limit=LONGEST_TITLE),
        barcode=texts.shown(item.barcode, limit=LONGEST_BARCODE),
        quantity=item.quantity,
        price=item.price,
    )


def _ident(text: str) -> str:
    return texts.fit(text)[:LONGEST_ID]


def _code(item: ListedItem) -> str:
    """Return the code as orders will name it; one that is too long for an order is none: half a code means nothing."""
    code = texts.fit(item.external_code)
    return code if len(code) <= LONGEST_CODE else ""


def match(row: ChannelSetup) -> None:
    """Propose a SKU for every listing that nobody has decided about: what the channel has a listing for is known."""
    after = 0
    while chunk := list(row.found.filter(decision=MatchDecision.OPEN, pk__gt=after).order_by("pk")[:CHUNK]):
        after = chunk[-1].pk
        known = _listings(row.channel_id, [one.external_code for one in chunk])
        guesses = matching.guesses([Asked(one.external_code, one.barcode, one.title) for one in chunk])
        for one, guess in zip(chunk, guesses, strict=True):
            listing = known.get(one.external_code)
            _propose(one, Guess(listing.sku_id, ListingMatch.PERSON, 100) if listing else guess)
        rows.update(chunk, ("sku", "matched_by", "confidence"))


def _propose(one: FoundListing, guess: Guess) -> None:
    one.sku_id, one.matched_by, one.confidence = guess.sku_id, ListingMatch(guess.by), guess.confidence


def _listings(channel_id: int, codes: Sequence[str]) -> dict[str, Listing]:
    wanted = {code for code in codes if code}
    return {one.external_code: one for one in Listing.objects.filter(channel=channel_id, external_code__in=wanted)}


@transaction.atomic
def accept(asked: ChannelSetup, chosen: Mapping[int, int | None]) -> Decided:
    """Take listings for SKUs: found listing → the SKU a person chose, None for the proposed one.

    Refused is a listing without a code, a code that another listing has, a SKU that is not sold, and a code that means
    another SKU on this channel already: nothing is overwritten.
    """
    locked = setup.lock(asked)
    found = list(locked.found.select_for_update(no_key=True).filter(pk__in=chosen).order_by("pk"))
    for one in found:
        sku_id = chosen[one.pk]
        if sku_id is not None and sku_id != one.sku_id:
            one.sku_id, one.matched_by, one.confidence = sku_id, ListingMatch.PERSON, 100
    decided = Decided()
    refusals = _Refusals(locked, found)
    taken = [one for one in found if not refusals.refuse(one, decided)]
    for one in taken:
        one.decision = MatchDecision.ACCEPTED
    decided.count = rows.update(taken, ("sku", "matched_by", "confidence", "decision"))
    return decided


def accept_sure(asked: ChannelSetup) -> Decided:
    """Accept all that needs no look: equal code or equal barcode, and nothing speaks against it."""
    total, after = Decided(), 0
    sure = asked.found.filter(decision=MatchDecision.OPEN, confidence__gte=SURE, sku__isnull=False)
    while chunk := list(sure.filter(pk__gt=after).order_by("pk").values_list("pk", flat=True)[:CHUNK]):
        after = chunk[-1]
        decided = accept(asked, dict.fromkeys(chunk))
        total.count += decided.count
        total.refused |= decided.refused
    return total


@transaction.atomic
def decide(asked: ChannelSetup, found_ids: Sequence[int], *, decision: str) -> int:
    """Leave listings out, or open them again; returns how many were changed."""
    locked = setup.lock(asked)
    return locked.found.filter(pk__in=found_ids).exclude(decision=decision).update(decision=decision)


class _Refusals:
    """Why found listings cannot be accepted; looks everything up at once."""

    def __init__(self, row: ChannelSetup, found: Sequence[FoundListing]) -> None:
        codes = [one.external_code for one in found if one.external_code]
        self._known = _listings(row.channel_id, codes)
        self._sold = set(
            Sku.objects.filter(pk__in={one.sku_id for one in found}, is_active=True).values_list("pk", flat=True)
        )
        accepted = row.found.filter(external_code__in=codes, decision=MatchDecision.ACCEPTED)
        self._taken = dict(accepted.order_by("pk").values_list("external_code", "pk"))

    def refuse(self, one: FoundListing, decided: Decided) -> bool:
        """Note why a listing cannot be accepted and say whether that is so; the next of its code knows of this one."""
        why = self._why(one)
        if why is not None:
            decided.refused[name_of(one)] = why
            return True
        self._taken[one.external_code] = one.pk
        return False

    def _why(self, one: FoundListing) -> Sentence | None:
        if not one.external_code:
            return say("It has no code of yours: give it one in the shop, then read the listings again.")
        if one.sku_id is None:
            return say("Choose a SKU for it.")
        if one.sku_id not in self._sold:
            return say("This SKU is not sold.")
        if self._taken.get(one.external_code, one.pk) != one.pk:
            return say("Another listing of this shop has the same code: orders could not tell the two apart.")
        known = self._known.get(one.external_code)
        if known is not None and known.sku_id != one.sku_id:
            return say("The code means another SKU on this channel already: change the listing there if that is wrong.")
        return None


def name_of(one: FoundListing) -> str:
    """Return what people call a found listing."""
    return one.external_code or one.title[:40] or one.external_item_id


@atomic_with_retry
def take_over(asked: ChannelSetup, *, actor: Actor) -> Decided:
    """Make the accepted rows into listings. One that is there keeps its SKU; only ids that it lacked are added."""
    locked = setup.lock(asked)
    decided, after = Decided(), 0
    accepted = locked.found.filter(decision=MatchDecision.ACCEPTED)
    while chunk := list(accepted.filter(pk__gt=after).order_by("pk")[:CHUNK]):
        after = chunk[-1].pk
        _make_listings(locked.channel, chunk, decided, actor=actor)
    setup.advance(locked, SetupStep.TERMS)
    return decided


def _make_listings(channel: Channel, chunk: Sequence[FoundListing], decided: Decided, *, actor: Actor) -> None:
    known = _listings(channel.pk, [one.external_code for one in chunk])
    reason = f"{actor.label}: accepted while connecting"[:100]
    fresh = [
        Listing(
            channel=channel,
            external_code=one.external_code,
            external_item_id=one.external_item_id,
            external_sku_id=one.external_sku_id,
            sku_id=one.sku_id,
        )
        for one in chunk
        if one.sku_id is not None and one.external_code not in known
    ]
    bulk_create_with_history(fresh, Listing, default_change_reason=reason)
    decided.count += len(fresh)
    for one in chunk:
        listing = known.get(one.external_code)
        if listing is not None and listing.sku_id != one.sku_id:
            decided.refused[name_of(one)] = say("The code means another SKU on this channel already.")
        elif listing is not None and not listing.external_item_id and one.external_item_id:
            listing.external_item_id, listing.external_sku_id = one.external_item_id, one.external_sku_id
            trail.because(listing, actor=actor, reason="ids learned while connecting").save()
