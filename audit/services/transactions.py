"""Running a whole operation again when the database could not serve it beside others."""

import random
import time
from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

from django.db import IntegrityError, OperationalError, connection, transaction

P = ParamSpec("P")
R = TypeVar("R")

MAX_TRIES = 3
PAUSE_SECONDS = 0.05  # times the number of the try, with jitter


def atomic_with_retry(verb: Callable[P, R]) -> Callable[P, R]:
    """Make a verb one transaction that is tried again after a deadlock, a lock timeout or a unique key taken meanwhile.

    Inside another transaction it only makes a savepoint: repeating is the outermost operation's business, since only
    there everything is read again. The verb must not speak with anybody outside. Raises what the last try raised.
    """

    @wraps(verb)
    def repeated(*args: P.args, **kwargs: P.kwargs) -> R:
        tries = 1 if connection.in_atomic_block else MAX_TRIES
        for number in range(1, tries + 1):
            try:
                with transaction.atomic():
                    return verb(*args, **kwargs)
            except (OperationalError, IntegrityError):
                if number == tries:
                    raise
                time.sleep(PAUSE_SECONDS * number * random.uniform(0.5, 1.5))  # noqa: S311 - no secret
        raise AssertionError("unreachable: the last try returns or raises")

    return repeated
