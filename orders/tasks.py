"""The clock of orders: each task calls one verb and may run twice."""

from typing import Any

from celery import shared_task
from django.utils import timezone

from inventory.services import expiring
from orders.queries import parcel_channels
from orders.services import (
    backorders,
    backtests,
    claiming,
    cover,
    disruptions,
    expiry,
    lanes,
    mapping,
    pipeline,
    policies,
    promises,
    releasing,
    reoptimising,
    routing_records,
    verification,
    waiting,
    whatif,
)


@shared_task(name="orders.run_pipeline")
def run_pipeline(**_kwargs: Any) -> None:
    """Work off the inbox; at most a hundred batches, then the next sweep goes on."""
    pipeline.drain(max_batches=100)


@shared_task(name="orders.wake_waiting")
def wake_waiting(**_kwargs: Any) -> None:
    """Wake changes whose order came at the same moment."""
    waiting.wake(at=timezone.now())


@shared_task(name="orders.take_up_known")
def take_up_known(**_kwargs: Any) -> None:
    """Let orders go on whose codes became known meanwhile."""
    mapping.take_up(at=timezone.now())


@shared_task(name="orders.retry_backorders")
def retry_backorders(**_kwargs: Any) -> None:
    """Allocate backordered orders for which stock has come."""
    backorders.retry(at=timezone.now())


@shared_task(name="orders.replan_promises")
def replan_promises(**_kwargs: Any) -> None:
    """Bring promises and the dates of orders to what deliveries say now (queue ``stock``)."""
    promises.refresh(at=timezone.now())


@shared_task(name="orders.expire_unpaid")
def expire_unpaid(**_kwargs: Any) -> None:
    """Give back the stock of unpaid orders whose term is over."""
    expiry.expire_unpaid(at=timezone.now())


@shared_task(name="orders.claim_back")
def claim_back(**_kwargs: Any) -> None:
    """Give parcels that their nodes did not begin in time to other nodes (queue ``stock``)."""
    claiming.claim_back(at=timezone.now())


@shared_task(name="orders.reoptimise")
def reoptimise(**_kwargs: Any) -> None:
    """Plan waiting orders again together, every two minutes and at peaks (queue ``stock``)."""
    reoptimising.run_if_due(at=timezone.now())


@shared_task(name="orders.follow_disruptions")
def follow_disruptions(**_kwargs: Any) -> None:
    """Plan again what disruptions and nodes that are down touch (queue ``stock``)."""
    disruptions.follow(at=timezone.now())


@shared_task(name="orders.learn_lanes")
def learn_lanes(**_kwargs: Any) -> None:
    """Learn how long carriers' parcels take between two regions (queue ``reports``)."""
    lanes.learn(at=timezone.now())


@shared_task(name="orders.value_stock")
def value_stock(**_kwargs: Any) -> None:
    """Work out what units are worth where they lie (queue ``reports``)."""
    cover.refresh(at=timezone.now())


@shared_task(name="orders.expire_lots")
def expire_lots(**_kwargs: Any) -> None:
    """Hold back lots past their date, give their parcels others, tell people (queue ``stock``)."""
    expiring.expire(channels_of=parcel_channels.channels_of, at=timezone.now())


@shared_task(name="orders.verify_stock")
def verify_stock(**_kwargs: Any) -> None:
    """Compare every stored figure of stock with its rows; a difference opens a case (queue ``stock``)."""
    verification.verify(at=timezone.now())


@shared_task(name="orders.run_backtests")
def run_backtests(**_kwargs: Any) -> None:
    """Try versions of promotions on past orders (queue ``reports``)."""
    backtests.run_waiting()


@shared_task(name="orders.release_due")
def release_due(**_kwargs: Any) -> None:
    """Release parcels that have waited long enough for a better plan."""
    releasing.release_due(at=timezone.now())


@shared_task(name="orders.prune_runs")
def prune_runs(**_kwargs: Any) -> None:
    """Forget what old routing decisions were made on (queue ``reports``)."""
    routing_records.prune(at=timezone.now())


@shared_task(name="orders.publish_policies")
def publish_policies(**_kwargs: Any) -> None:
    """Put routing policies in force whose time has come (queue ``stock``)."""
    policies.publish_due(at=timezone.now())


@shared_task(name="orders.run_whatif")
def run_whatif(**_kwargs: Any) -> None:
    """Decide recorded rounds of routing again with changes (queue ``reports``)."""
    whatif.run_waiting()
