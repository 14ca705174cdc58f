"""A channel's credentials: opened for a call, replaced as a whole, sealed again under a new key."""

import json
import logging
from collections.abc import Mapping
from typing import Final

from django.db import transaction

from audit.rules.sentences import say
from channels.adapters.protocol import Rejected
from channels.models import Channel
from channels.models.sealed import owner, ring
from channels.rules import vault

BATCH: Final = 200
logger = logging.getLogger(__name__)


class Unreadable(Rejected):
    """What is stored opens under none of our keys: a person enters the credentials again or brings the key back."""


def opened(channel: Channel) -> dict[str, str]:
    """Return a channel's credentials, for the length of a call; raises ``Unreadable``, which says no secret."""
    stored = channel.credentials
    if not isinstance(stored, str):
        return dict(stored)  # just assigned and not saved yet
    if not stored:
        return {}
    try:
        plain = vault.open_sealed(stored, ring(), owner=owner(channel.pk))
    except vault.CannotOpen as trouble:
        logger.error("the credentials of channel %s cannot be opened: %s", channel.code, trouble)
        raise Unreadable(
            say(
                "The credentials of channel %(code)s cannot be opened with this installation's keys.", code=channel.code
            )
        ) from None
    return dict(json.loads(plain))


def keep(channel: Channel, values: Mapping[str, str]) -> None:
    """Replace a channel's credentials, sealed; leaves no version in the history, where they would be readable."""
    sealed = vault.seal(json.dumps(dict(values), ensure_ascii=False).encode(), ring(), owner=owner(channel.pk))
    channel.credentials = sealed if values else ""
    Channel.objects.filter(pk=channel.pk).update(credentials=channel.credentials)


def rotate() -> tuple[int, list[str]]:
    """Seal every channel's credentials under the first key, in batches.

    Returns how many were sealed anew and the codes of the channels whose credentials do not open: those stay as they
    are. May be run twice and while the hub works: rows are locked batch by batch.
    """
    changed, unreadable, after = 0, list[str](), 0
    while batch := _rotate_batch(after):
        after, sealed, failed = batch
        changed += sealed
        unreadable.extend(failed)
    return changed, unreadable


@transaction.atomic
def _rotate_batch(after: int) -> tuple[int, int, list[str]] | None:
    keys = ring()
    locked = Channel.objects.select_for_update(no_key=True).filter(pk__gt=after).order_by("pk")[:BATCH]
    channels = list(locked)
    if not channels:
        return None
    stale, unreadable = [], []
    for channel in channels:
        if not channel.credentials:
            continue
        try:
            if vault.key_of(channel.credentials) == keys.first:
                continue
            plain = vault.open_sealed(channel.credentials, keys, owner=owner(channel.pk))
        except vault.CannotOpen:
            unreadable.append(channel.code)
            continue
        channel.credentials = vault.seal(plain, keys, owner=owner(channel.pk))
        stale.append(channel)
    Channel.objects.bulk_update(stale, ["credentials"])
    return channels[-1].pk, len(stale), unreadable
