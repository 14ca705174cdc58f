"""pytest plugin (`-p tests.servers`): one PostgreSQL and one Valkey for the whole test run.

It is a plugin and not a conftest because Django's settings are read before any conftest. The controller starts the
servers and its workers inherit the addresses; PostgreSQL gives up its promises about power cuts for speed.
"""

import os
import shutil
import tempfile
from collections.abc import Generator
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import pytest

from config.embedded.broker import DATABASES, Valkey
from config.embedded.leases import Lock
from config.embedded.postgres import Postgres
from config.embedded.servers import Server

PREFIX = "orderhub-test-"


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> Generator[None, None, None]:
    """Set DATABASE_URL and REDIS_URL before pytest-django reads the settings."""
    options = early_config.known_args_namespace
    worker = os.environ.get("PYTEST_XDIST_WORKER")
    if worker:
        os.environ["REDIS_URL"] = _own_database(os.environ["REDIS_URL"], worker)
    elif not (options.help or options.version or options.collectonly):
        stack = ExitStack()
        early_config.add_cleanup(stack.close)
        _start_missing(stack)
    return (yield)


def _start_missing(stack: ExitStack) -> None:
    if os.environ.get("DATABASE_URL") and os.environ.get("REDIS_URL"):
        return
    _sweep()
    folder = Path(tempfile.mkdtemp(prefix=PREFIX))
    folder.chmod(0o711)
    lock = Lock(folder / "owner")
    lock.exclusive()
    stack.callback(lock.release)
    stack.callback(shutil.rmtree, folder, ignore_errors=True)
    servers: dict[str, Server] = {
        "DATABASE_URL": Postgres(folder / "postgres", folder / "postgres.log", durable=False),
        "REDIS_URL": Valkey(folder / "valkey", folder / "valkey.log"),
    }
    for name, server in servers.items():
        if not os.environ.get(name):
            stack.callback(server.stop)
            os.environ[name] = server.start()
            stack.callback(os.environ.pop, name, None)


def _sweep() -> None:
    """Remove what test runs have left that were killed: nobody holds their lock."""
    for folder in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        if folder.stat().st_uid == os.geteuid() and (folder / "owner").exists():
            lock = Lock(folder / "owner")
            if lock.try_exclusive():
                shutil.rmtree(folder, ignore_errors=True)
            lock.release()


def _own_database(url: str, worker: str) -> str:
    """Give every worker its own Redis database: flushing one must not empty another's."""
    number = int(worker.removeprefix("gw")) % (DATABASES - 1) + 1
    return urlunsplit(urlsplit(url)._replace(path=f"/{number}"))
