"""Waking a worker. The rows are kept before this, so a broker that is away costs seconds and never an order."""

import logging
import time
from typing import Final

from celery import current_app
from kombu.exceptions import OperationalError

SECONDS_OF_SILENCE: Final = 30.0
logger = logging.getLogger(__name__)


class Waker:
    """Sends wake-up calls; after a failed one it stays silent for a while, so that no request waits for the broker."""

    def __init__(self) -> None:
        self._silent_until = 0.0

    def wake(self, task: str) -> bool:
        """Ask a worker to run ``task`` and return whether the broker took it; a failure is logged once per silence."""
        if time.monotonic() < self._silent_until:
            return False
        try:
            current_app.send_task(task, queue="intake", retry=False, expires=30)
        except (OperationalError, OSError) as error:
            self._silent_until = time.monotonic() + SECONDS_OF_SILENCE
            logger.warning("the broker cannot be reached, the sweep will find the rows: %s", error)
            return False
        return True


_WAKER = Waker()


def wake(task: str) -> bool:
    """Ask a worker to run ``task`` now; returns whether the broker took it."""
    return _WAKER.wake(task)
