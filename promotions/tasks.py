"""The clock of promotions: each task calls one verb and may run twice."""

from typing import Any

from celery import shared_task
from django.utils import timezone

from promotions.services import coupons, pace, promotions


@shared_task(name="promotions.publish_due")
def publish_due(**_kwargs: Any) -> None:
    """Put versions in force whose time has come (queue ``stock``)."""
    promotions.publish_due(at=timezone.now())


@shared_task(name="promotions.watch_budgets")
def watch_budgets(**_kwargs: Any) -> None:
    """Open cases for budgets that will be used up too early, and close those that are over (queue ``stock``)."""
    pace.watch(at=timezone.now())


@shared_task(name="promotions.fill_coupons")
def fill_coupons(**_kwargs: Any) -> None:
    """Make the codes that large batches still miss (queue ``reports``)."""
    coupons.fill_waiting(at=timezone.now())
