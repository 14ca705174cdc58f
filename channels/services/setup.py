"""Connecting a channel step by step: begin, enter what the platform asks for, try it, say the terms, switch it on.

Everything is kept as it is said, so that a connection can be left and taken up again. What a shop lists is read and
matched by ``setup_listings``.
"""

import logging
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any, Final, TypeVar

from django.db import transaction

from audit.rules.actors import Actor
from audit.rules.sentences import Sentence, say
from audit.services import trail
from audit.services.transactions import atomic_with_retry
from channels.adapters import registry
from channels.adapters.protocol import Adapter, Connection, NotOffered, Rejected, RetryLater
from channels.models import Channel, ChannelSetup
from channels.rules import texts
from channels.services import connections, tokens
from channels.statuses import SetupStep
from inventory.models import ChannelShare
from inventory.statuses import RuleStatus, ShareUnit

ORDER: Final = tuple(SetupStep)
CODE: Final = re.compile(r"[A-Za-z0-9_]{1,20}")
LONGEST_ERROR: Final = 200
Answer = TypeVar("Answer")
logger = logging.getLogger(__name__)


class SetupRefused(Exception):
    """What was asked for cannot be done; ``reason`` says why."""

    def __init__(self, reason: Sentence) -> None:
        super().__init__(str(reason))
        self.reason = reason


@dataclass(frozen=True)
class NewChannel:
    """What a person says of a channel before anything else."""

    adapter: str
    code: str
    name: str
    currency: str = "CNY"


@dataclass(frozen=True)
class Entered:
    """What the platform asks for. Empty values leave what is stored as it is."""

    base_url: str = ""
    credentials: Mapping[str, str] = field(default_factory=dict)
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Terms:
    """On which terms a channel sells. Without ``share_kind`` it gets no share of its own."""

    node_ids: Sequence[int]
    fee_percent: Decimal
    unpaid_minutes: int
    ship_within_hours: int
    share_kind: str = ""
    share_percent: Decimal = Decimal(0)


def offers_check(name: str) -> bool:
    """Return whether a platform's connection can be tried."""
    return type(registry.BY_NAME[name]).check is not Adapter.check


def offers_listings(name: str) -> bool:
    """Return whether a platform tells what its shop lists."""
    return registry.BY_NAME[name].capabilities.listing_pull


@atomic_with_retry
def begin(asked: NewChannel, *, actor: Actor, at: datetime) -> ChannelSetup:
    """Write a channel down that is neither active nor live yet; raises ``SetupRefused`` for a code that cannot be."""
    if asked.adapter not in registry.BY_NAME:
        raise SetupRefused(say("There is no adapter %(name)s.", name=asked.adapter[:40]))
    if not CODE.fullmatch(asked.code):
        raise SetupRefused(say("A code has up to 20 letters, digits and underscores."))
    if Channel.objects.filter(code__iexact=asked.code).exists():
        raise SetupRefused(say("There is a channel %(code)s already.", code=asked.code))
    channel = Channel(
        code=asked.code,
        name=asked.name,
        platform=asked.adapter,
        adapter=asked.adapter,
        currency=asked.currency,
        is_active=False,
        is_sandbox=True,
    )
    trail.because(channel, actor=actor, reason="connection begun").save()
    return ChannelSetup.objects.create(channel=channel, started_by=actor.label[:80], started_at=at)


@transaction.atomic
def enter(setup: ChannelSetup, entered: Entered, *, actor: Actor) -> ChannelSetup:
    """Keep what was entered. Nothing that is stored is shown or lost: an empty field leaves it as it is."""
    locked = lock(setup)
    channel = locked.channel
    before = connections.of(channel)
    typed = {name: value for name, value in entered.credentials.items() if value}
    if typed:
        channel.credentials = dict(before.credentials) | typed
    channel.options = channel.options | {name: value for name, value in entered.options.items() if value != ""}
    channel.base_url = entered.base_url or channel.base_url
    trail.because(channel, actor=actor, reason="connection entered").save()
    locked.is_reached, locked.checked_at, locked.check_result = False, None, {}
    locked.save(update_fields=["is_reached", "checked_at", "check_result"])
    return locked


def check(setup: ChannelSetup, *, at: datetime) -> ChannelSetup:
    """Make the platform's cheapest call and keep what came of it in words; raises nothing."""
    try:
        name = calling(setup.channel, lambda adapter, connection: adapter.check(connection), at=at)
        result = say("Connected to %(shop)s.", shop=name[:80]) if name else say("The platform takes these credentials.")
        is_reached = True
    except Failed as failed:
        result, is_reached = failed.reason, False
    setup.is_reached, setup.checked_at, setup.check_result = is_reached, at, result.stored()
    setup.save(update_fields=["is_reached", "checked_at", "check_result"])
    if is_reached:
        advance(setup, SetupStep.LISTINGS)
    return setup


@transaction.atomic
def advance(setup: ChannelSetup, step: str) -> ChannelSetup:
    """Note that somebody has come as far as ``step``; who looks back at an earlier step loses nothing."""
    locked = lock(setup)
    if ORDER.index(SetupStep(step)) > ORDER.index(SetupStep(locked.step)):
        locked.step = step
        locked.save(update_fields=["step"])
    setup.step = locked.step
    return locked


@transaction.atomic
def agree(setup: ChannelSetup, terms: Terms, *, actor: Actor, at: datetime) -> ChannelSetup:
    """Keep the terms on which the channel sells; a share becomes a draft, which does nothing until it is published."""
    locked = lock(setup)
    channel = locked.channel
    channel.fee_percent = terms.fee_percent
    channel.unpaid_minutes = terms.unpaid_minutes
    channel.ship_within_hours = terms.ship_within_hours
    trail.because(channel, actor=actor, reason="terms entered").save()
    channel.nodes.set(terms.node_ids)
    _draft_share(channel, terms, actor=actor, at=at)
    return advance(locked, SetupStep.SUMMARY)


@transaction.atomic
def switch_on(setup: ChannelSetup, *, is_sandbox: bool, actor: Actor, at: datetime) -> ChannelSetup:
    """Let the channel work: in the sandbox, or live. Raises ``SetupRefused`` for one that cannot be reached."""
    locked = lock(setup)
    channel = locked.channel
    if offers_check(channel.adapter) and not locked.is_reached:
        raise SetupRefused(say("The connection has not been tried with success: try it first."))
    channel.is_active, channel.is_sandbox = True, is_sandbox
    trail.because(channel, actor=actor, reason="switched on, sandbox" if is_sandbox else "switched on, live").save()
    locked.step, locked.finished_at = SetupStep.DONE, locked.finished_at or at
    locked.save(update_fields=["step", "finished_at"])
    return locked


def lock(setup: ChannelSetup) -> ChannelSetup:
    """Return the connection as it is now, locked, its channel locked before it. Must run inside a transaction."""
    channel = Channel.objects.select_for_update(no_key=True).get(pk=setup.channel_id)
    locked = ChannelSetup.objects.select_for_update(no_key=True).get(pk=setup.pk)
    locked.channel = channel
    return locked


class Failed(Exception):
    """A call that did not succeed, in words for a person."""

    def __init__(self, reason: Sentence) -> None:
        super().__init__(str(reason))
        self.reason = reason


def calling(channel: Channel, call: Callable[[Adapter, Connection], Answer], *, at: datetime) -> Answer:
    """Make a call for a person who waits, with one new token if the old one is over; raises ``Failed``."""
    adapter = registry.BY_NAME[channel.adapter]
    try:
        return tokens.calling(channel, lambda connection: call(adapter, connection), at=at)
    except Failed:
        raise
    except (RetryLater, Rejected) as error:
        raise Failed(error.reason) from error
    except NotOffered as error:
        raise Failed(say("This platform has no such call.")) from error
    except Exception as error:  # a platform that answers what nobody foresaw: said once with its trace
        logger.exception("channel %s could not be called", channel.code)
        words = texts.shown(repr(error), limit=LONGEST_ERROR)
        reason = say("The platform answered in a way that the hub does not know: %(error)s", error=words)
        raise Failed(reason) from error


def _draft_share(channel: Channel, terms: Terms, *, actor: Actor, at: datetime) -> None:
    """Write the wished share down once: a draft that stands there from an earlier visit is changed."""
    drafts = ChannelShare.objects.filter(
        channel=channel.code, status=RuleStatus.DRAFT, category__isnull=True, sku__isnull=True
    )
    draft = drafts.order_by("pk").first()
    if not terms.share_kind:
        return
    if draft is None:
        draft = ChannelShare(channel=channel.code, created_at=at, created_by=actor.label[:80])
    draft.kind, draft.unit, draft.amount = terms.share_kind, ShareUnit.PERCENT, terms.share_percent
    trail.because(draft, actor=actor, reason="asked for while connecting").save()
