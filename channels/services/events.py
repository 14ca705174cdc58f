"""Partners' events: written for every endpoint that wants them, in the transaction in which they happened."""

import hashlib
import secrets
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Final

from django.db import transaction

from audit.rules.actors import Actor
from audit.services import trail
from channels.adapters.webhook import sign
from channels.adapters.webhook.wanted import wanted
from channels.messages import PartnerEvent
from channels.models import Channel
from channels.services import credentials, outbox
from channels.services.outbox import Draft
from channels.statuses import Lane

ADAPTER: Final = "webhook"
TYPES: Final = (
    "order.created", "order.cancelled", "order.on_hold", "order.released", "parcel.shipped", "parcel.delivered",
)  # fmt: skip
TEST_TYPE: Final = "endpoint.test"
OVERLAP: Final = timedelta(hours=24)  # how long the secret before a rotation still signs


class SecretChanged(Exception):
    """Somebody changed the secret after the person who wants another one saw the page."""


def endpoints(channels: Iterable[Channel]) -> list[Channel]:
    """Return the active endpoints among these channels that want any event."""
    return [
        channel for channel in channels if channel.adapter == ADAPTER and channel.is_active and wanted(channel.options)
    ]


def publish(events: Sequence[PartnerEvent], *, to: Sequence[Channel], at: datetime) -> int:
    """Write events into the outbox for each of these endpoints that wants them, and return how many messages that were.

    An endpoint gets the events of one subject in the order in which they are written. Telling the same event again
    (type, subject, moment) writes nothing: it has the same id.
    """
    drafts = [
        Draft(endpoint.pk, Lane.EVENTS, event.subject, _id_of(endpoint, event), event)
        for event in events
        for endpoint in to
        if event.type in wanted(endpoint.options)
    ]
    outbox.enqueue(drafts, at=at)
    return len(drafts)


def send_test(endpoint: Channel, *, actor: Actor, at: datetime) -> str:
    """Send an event that means nothing to an endpoint, wanted or not, and return its id."""
    event = PartnerEvent(TEST_TYPE, endpoint.code, at, {"endpoint": endpoint.code, "asked_by": actor.label})
    key = _id_of(endpoint, event)
    outbox.enqueue([Draft(endpoint.pk, Lane.EVENTS, f"test {key[-8:]}", key, event)], at=at)
    return key


def secret_seen(endpoint: Channel) -> str:
    """Return a word that stands for what is stored now and says nothing about it; another one after each change."""
    return hashlib.sha256(str(endpoint.credentials).encode()).hexdigest()[:16]


@transaction.atomic
def rotate_secret(endpoint: Channel, *, seen: str, actor: Actor, at: datetime) -> str:
    """Give an endpoint a new secret and return it, the only time it is shown; the old one signs beside it for a day.

    Raises ``SecretChanged`` when ``seen`` is not what is stored now: rotating twice would forget the secret that the
    partner still has. Raises ``credentials.Unreadable`` when the present one cannot be opened.
    """
    locked = Channel.objects.select_for_update(no_key=True).get(pk=endpoint.pk)
    if secret_seen(locked) != seen:
        raise SecretChanged
    known = credentials.opened(locked)
    fresh = sign.secret_of(secrets.token_bytes(32))
    kept = {"secret": fresh}
    if known.get("secret"):
        kept |= {"previous_secret": known["secret"], "previous_until": (at + OVERLAP).isoformat()}
    credentials.keep(locked, kept)
    trail.because(locked, actor=actor, reason="new secret for its webhooks").save(update_fields=["is_active"])
    return fresh


def previous_until(endpoint: Channel, *, at: datetime) -> datetime | None:
    """Return until when the secret before the present one signs too, None where it does not any more.

    Raises ``credentials.Unreadable``.
    """
    known = credentials.opened(endpoint)
    until = known.get("previous_until")
    moment = datetime.fromisoformat(until) if until else None
    return moment if moment and at < moment else None


def _id_of(endpoint: Channel, event: PartnerEvent) -> str:
    """Return the id of an event for an endpoint: without a dot, as the signature's parts are joined by dots."""
    part = str(event.data.get("number", ""))  # an order's parcels that leave together are one event each
    said = "|".join([str(endpoint.pk), event.type, event.subject, event.at.isoformat(), part])
    return "evt_" + hashlib.sha256(said.encode()).hexdigest()[:40]
