"""The machine under a measurement: a PostgreSQL of its own, clocks for its CPU, and worker processes."""

import contextlib
import json
import multiprocessing
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import psutil
from django.apps import apps
from django.db import connection

from config.embedded.postgres import Postgres

ROOT = Path(__file__).resolve().parents[1]
SAMPLED_EVERY = 0.05
NO_BROKER = "redis://127.0.0.1:1/0"  # a command needs none, and would start one of its own if it were not named
OUR_APPS = ("audit", "inventory", "channels", "promotions", "orders", "forecasting")


@dataclass(frozen=True)
class Database:
    """The server of one run: where it is, and what it has cost."""

    url: str
    pid: int

    def cpu_seconds(self) -> float:
        """Return the CPU time of the server and of everything it ever started, gone processes included."""
        postmaster = psutil.Process(self.pid)
        times = postmaster.cpu_times()
        spent = times.user + times.system + times.children_user + times.children_system
        for child in postmaster.children(recursive=True):
            with contextlib.suppress(psutil.NoSuchProcess):
                own = child.cpu_times()
                spent += own.user + own.system
        return float(spent)


@contextlib.contextmanager
def own_database() -> Iterator[Database]:
    """Start PostgreSQL with durable defaults in a temporary folder; nothing of it is left afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="orderhub-bench-"))
    folder.chmod(0o711)
    server = Postgres(folder / "postgres", folder / "postgres.log")
    try:
        url = server.start()
        assert server.process is not None
        yield Database(url, server.process.pid)
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)


def empty_tables(*, keeping: Sequence[str] = ()) -> None:
    """Empty the tables of our apps but those named, and begin their keys at one again."""
    models = [model for label in OUR_APPS for model in apps.get_app_config(label).get_models(include_auto_created=True)]
    with connection.cursor() as cursor:
        there = set(connection.introspection.table_names(cursor))
        tables = sorted({model._meta.db_table for model in models} & there - set(keeping))
        cursor.execute(f"TRUNCATE {', '.join(tables)} RESTART IDENTITY")


def settle() -> None:
    """Bring the database to rest, so that a measurement does not pay for what came before it."""
    with connection.cursor() as cursor:
        cursor.execute("VACUUM (ANALYZE)")
        cursor.execute("CHECKPOINT")


def race(clients: int, prepare: Callable[[], Callable[[], int]]) -> list[tuple[int, float]]:
    """Let so many processes prepare, then act at the same moment; returns what each told, and its seconds.

    They are forks of this one: nothing is imported again. Raises ``RuntimeError`` when one of them fails.
    """
    connection.close()  # no child may inherit it
    context = multiprocessing.get_context("fork")
    barrier, told = context.Barrier(clients), context.Queue()

    def run() -> None:
        act = prepare()
        connection.ensure_connection()
        barrier.wait(timeout=120)
        began = time.perf_counter()
        told.put((act(), time.perf_counter() - began))

    processes = [context.Process(target=run) for _ in range(clients)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    if any(process.exitcode for process in processes):
        raise RuntimeError("a client of the race failed; its complaint stands above")
    return [told.get() for _ in processes]


class Cost(NamedTuple):
    """What a command took: the peak of its largest process, and of all its processes together, in MB."""

    seconds: float
    peak_mb: float
    together_mb: float
    exit_code: int


def command(*words: str) -> Cost:
    """Run a management command and return what it and the processes that it starts took."""
    began, peak, together = time.perf_counter(), 0, 0
    process = psutil.Popen(
        [sys.executable, "manage.py", *words],
        cwd=ROOT,
        env={**os.environ, "REDIS_URL": NO_BROKER},
        stdout=subprocess.DEVNULL,
    )
    while process.poll() is None:  # its own account of its peak begins with ours: a fork starts as a copy
        with contextlib.suppress(psutil.Error):
            sizes = [one.memory_info().rss for one in (process, *process.children(recursive=True))]
            peak, together = max(peak, *sizes), max(together, sum(sizes))
        time.sleep(SAMPLED_EVERY)
    return Cost(time.perf_counter() - began, peak / 1024**2, together / 1024**2, process.returncode)


class Worker:
    """A process that runs one entry of a part: it gets ready, waits for the start, and tells a result."""

    def __init__(self, *words: str) -> None:
        """Start the process and wait until it is ready."""
        self._process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.worker", *words],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self._expect("ready")

    def close(self) -> None:
        """End the process, whatever it does."""
        self._process.kill()
        self._process.communicate()

    def go(self) -> None:
        """Give the start."""
        assert self._process.stdin is not None
        self._process.stdin.write("go\n")
        self._process.stdin.flush()

    def result(self) -> dict[str, Any]:
        """Wait for what it tells at its end."""
        return dict(json.loads(self._read()))

    def _expect(self, word: str) -> None:
        said = self._read().strip()
        if said != word:
            raise RuntimeError(f"the worker said {said!r} instead of {word!r}")

    def _read(self) -> str:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError("the worker ended without a word; its complaint stands above")
        return line
