"""The clock of stock: each task calls one verb and may run twice."""

from typing import Any

from celery import shared_task
from django.utils import timezone

from inventory.services import quality, safety, shares, uploads


@shared_task(name="inventory.remind_of_holds")
def remind_of_holds(**_kwargs: Any) -> None:
    """Open a case for each quality hold that should have been decided by now (queue ``stock``)."""
    quality.remind(at=timezone.now())


@shared_task(name="inventory.refresh_shares")
def refresh_shares(**_kwargs: Any) -> None:
    """Begin and end channels' shares whose time has come (queue ``stock``)."""
    shares.refresh(at=timezone.now())


@shared_task(name="inventory.refresh_safety")
def refresh_safety(**_kwargs: Any) -> None:
    """Bring every level's safety stock to what the rules ask for now (queue ``stock``)."""
    safety.refresh(at=timezone.now())


@shared_task(name="inventory.import_stock")
def import_stock(**_kwargs: Any) -> None:
    """Work on the stock files that people uploaded (queue ``stock``)."""
    uploads.run_waiting(at=timezone.now)
