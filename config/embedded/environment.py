"""Which database and broker this command talks to: the environment's, a running hub's, or its own for a moment."""

import contextlib
import os
import secrets
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from config.embedded import leases
from config.embedded.broker import Valkey
from config.embedded.errors import EmbeddedError, say
from config.embedded.postgres import Postgres
from config.embedded.servers import Server

ROOT = Path(__file__).resolve().parents[2]
NEEDS_NOTHING = frozenset(
    {
        "check",
        "collectstatic",
        "compilemessages",
        "diffsettings",
        "findstatic",
        "help",
        "makemessages",
        "makemigrations",
        "spectacular",
        "startapp",
        "startproject",
        "version",
    }
)


def hub_dir() -> Path:
    """Say where this checkout keeps its state; HUB_DIR moves it."""
    return Path(os.environ.get("HUB_DIR") or ROOT / ".hub").expanduser().resolve()


def servers(hub: Path) -> dict[str, Server]:
    """Name the services by the variable that tells where they are, in the order of their start."""
    return {
        "DATABASE_URL": Postgres(hub / "postgres", hub / "logs" / "postgres.log"),
        "REDIS_URL": Valkey(hub / "valkey", hub / "logs" / "valkey.log"),
    }


def secret_key(hub: Path) -> str:
    """Read this checkout's key, made on first use: two checkouts never sign for each other."""
    path = hub / "secret_key"
    if not path.exists():
        hub.mkdir(parents=True, exist_ok=True)
        draft = hub / f"secret_key.{os.getpid()}"
        with open(os.open(draft, os.O_WRONLY | os.O_CREAT, 0o600), "w") as file:
            file.write(secrets.token_urlsafe(48))
        with contextlib.suppress(FileExistsError):
            os.link(draft, path)  # a second command that starts at the same moment reads the first one's key
        draft.unlink()
    return path.read_text().strip()


def needs_services(argv: Sequence[str]) -> bool:
    """Tell whether a command line of manage.py reads or writes data."""
    if not argv or {"-h", "--help", "--version"} & set(argv):
        return False
    return argv[0] not in NEEDS_NOTHING


@contextlib.contextmanager
def services_for(argv: Sequence[str]) -> Iterator[None]:
    """Set DATABASE_URL, REDIS_URL and SECRET_KEY for one command where the environment does not."""
    if not needs_services(argv):
        yield
        return
    with contextlib.ExitStack() as stack:
        try:
            stack.enter_context(services(waits_for_others=True))
        except EmbeddedError as error:
            say(f"error: {error}")
            sys.exit(1)
        yield


@contextlib.contextmanager
def services(*, waits_for_others: bool) -> Iterator[list[Server]]:
    """Provide what the environment does not name; the environment is as before afterwards."""
    hub = hub_dir()
    missing = {name: server for name, server in servers(hub).items() if not os.environ.get(name)}
    added = []
    with contextlib.ExitStack() as stack:
        for name, server in missing.items():
            os.environ[name] = stack.enter_context(leases.leased(server, waits_for_others=waits_for_others))
            added.append(name)
        if missing and not os.environ.get("SECRET_KEY"):
            os.environ["SECRET_KEY"] = secret_key(hub)
            added.append("SECRET_KEY")
        try:
            yield list(missing.values())
        finally:
            for name in added:
                os.environ.pop(name, None)
