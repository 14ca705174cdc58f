"""What the clock does with channels. The rows are the work; these only begin it."""

from typing import Any

from celery import shared_task
from django.utils import timezone

from channels.services import drift, fetching, outbox, outcomes, pull, reconciliation, setup_listings, stock_push


@shared_task(name="channels.pull_all")
def pull_all(**kwargs: Any) -> None:
    """Pull every channel that can be pulled (queue ``intake``)."""
    pull.pull_all(timezone.now())


@shared_task(name="channels.fetch_wanted")
def fetch_wanted(**kwargs: Any) -> None:
    """Fetch orders of which a channel pushed the number only (queue ``intake``)."""
    fetching.fetch_wanted(at=timezone.now())


@shared_task(name="channels.reconcile")
def reconcile(**kwargs: Any) -> None:
    """Pull again what has settled, and keep what was lost (queue ``intake``)."""
    reconciliation.reconcile_all(timezone.now())


@shared_task(name="channels.deliver_outbox")
def deliver_outbox(lane: str | None = None, **kwargs: Any) -> None:
    """Send what is due in one lane, or in all (queue ``outbox``)."""
    outbox.deliver(lane, limit=500, at=timezone.now())


@shared_task(name="channels.push_stock")
def push_stock(**kwargs: Any) -> None:
    """Put figures of stock that changed into the outbox (queue ``push``: nothing long may stand before it)."""
    stock_push.collect(timezone.now())


@shared_task(name="channels.check_drift")
def check_drift(**kwargs: Any) -> None:
    """Compare what channels say of our stock with what they accepted (queue ``reports``)."""
    drift.check_all(at=timezone.now())


@shared_task(name="channels.read_listings")
def read_listings(**kwargs: Any) -> None:
    """Read what shops list whose connection somebody makes (queue ``intake``)."""
    setup_listings.read_waiting(at=timezone.now)


@shared_task(name="channels.prune_tries")
def prune_tries(**kwargs: Any) -> None:
    """Delete the tries to deliver that are older than thirty days (queue ``reports``)."""
    outcomes.prune(at=timezone.now())
