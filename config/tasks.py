"""The clock of the demo: silent unless HUB_DEMO_TRAFFIC=1."""

import os
from typing import Any

from celery import shared_task
from django.utils import timezone

from config.demo import handling


@shared_task(name="config.demo_traffic")
def demo_traffic(**_kwargs: Any) -> None:
    """Let a few orders come in and the demo's nodes pick, pack and ship (queue ``reports``)."""
    if os.environ.get("HUB_DEMO_TRAFFIC") == "1":
        handling.tick(at=timezone.now())
