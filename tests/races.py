"""Running the same thing on many threads at once, each with a database connection of its own."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import TypeVar

from django.db import connection

Result = TypeVar("Result")
PATIENCE = 60.0  # seconds until a thread that waits for the others gives up


def race(runners: Sequence[Callable[[], Result]]) -> list[Result | Exception]:
    """Start all at the same moment and return what each returned or raised, in the given order."""
    start = Barrier(len(runners))

    def run(runner: Callable[[], Result]) -> Result | Exception:
        try:
            connection.ensure_connection()
            start.wait(PATIENCE)
            return runner()
        except Exception as error:
            return error
        finally:
            connection.close()

    with ThreadPoolExecutor(len(runners)) as pool:
        return list(pool.map(run, runners))
