"""Waking a worker. The rows are kept before this, so a broker that is away costs seconds and never an order.

Whoever has changed rows that others wait for says what happened; ``settings.WAKE_UPS`` names the tasks that look at
them then. So no app names a task of an app to its left, and a word without a listener is only a word.
"""

import logging
import threading
import time
from enum import StrEnum
from functools import partial
from typing import Final

from celery import current_app
from django.conf import settings
from django.db import transaction
from kombu.exceptions import OperationalError

SECONDS_OF_SILENCE: Final = 30.0
SECONDS_BETWEEN_CALLS: Final = 0.1
logger = logging.getLogger(__name__)


class Happening(StrEnum):
    """What may have happened that somebody waits for."""

    MESSAGES_CAME = "messages_came"
    ORDERS_WANTED = "orders_wanted"  # a channel told numbers only
    SUPPLY_CHANGED = "supply_changed"  # what will come, when, or how much of it
    STOCK_CAME = "stock_came"
    FIGURES_DUE = "figures_due"  # channels must be told another stock


class Waker:
    """Sends wake-up calls beside the requests, one at a time: a broker that is slow or away holds nobody up.

    Calls that come while one is under way, or within a moment after it, become one further call: a burst of messages
    costs ten calls a second and not one each. After a failed call there is silence for a while.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._wanted: set[str] = set()
        self._is_calling = False
        self._silent_until = 0.0

    def wake(self, task: str) -> None:
        """Ask for a worker to run ``task`` and return at once."""
        with self._lock:
            if time.monotonic() < self._silent_until:
                return
            self._wanted.add(task)
            if self._is_calling:
                return
            self._is_calling = True
        threading.Thread(target=self._call_all, name="wake-up", daemon=True).start()

    def _call_all(self) -> None:
        while tasks := self._next():
            try:
                for task in tasks:  # to the queue that the task's route names
                    current_app.send_task(task, retry=False, expires=30)
            except (OperationalError, OSError) as error:
                logger.warning("the broker cannot be reached, the sweep will find the rows: %s", error)
                self._fall_silent()
            time.sleep(SECONDS_BETWEEN_CALLS)

    def _next(self) -> set[str]:
        with self._lock:
            tasks, self._wanted = self._wanted, set()
            self._is_calling = bool(tasks)
            return tasks

    def _fall_silent(self) -> None:
        with self._lock:
            self._silent_until = time.monotonic() + SECONDS_OF_SILENCE
            self._wanted.clear()


_WAKER = Waker()


def happened(what: Happening) -> None:
    """Wake those who wait for this as soon as the transaction is committed; nobody when it is rolled back."""
    transaction.on_commit(partial(_wake, what))


def _wake(what: Happening) -> None:
    for task in settings.WAKE_UPS[what]:
        _WAKER.wake(task)
