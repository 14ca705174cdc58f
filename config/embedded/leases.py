"""Who started a server, who else uses it, and when it may stop: three small files beside its folder.

`owner` is locked by the process that started the server and dies with it, so a lock that is free means that nobody
looks after the folder. `users` is held shared by everybody who joined; the owner waits for them before it stops.
`url` says where the server is.
"""

import contextlib
import fcntl
import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NoReturn

from config.embedded.errors import EmbeddedError, say
from config.embedded.servers import Server


class Lock:
    """A file lock that the kernel gives back when its process dies, however it dies."""

    def __init__(self, path: Path) -> None:
        """The file is made on first use and stays: removing a lock file is a race."""
        self.path = path
        self._file: int | None = None

    def try_exclusive(self) -> bool:
        """Take the lock if nobody has it."""
        with contextlib.suppress(BlockingIOError):
            self._take(fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
        self.release()
        return False

    def exclusive(self) -> None:
        """Wait for the lock alone."""
        self._take(fcntl.LOCK_EX)

    def shared(self) -> None:
        """Wait for the lock together with others."""
        self._take(fcntl.LOCK_SH)

    def release(self) -> None:
        """Give it back; twice is once."""
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def write(self, text: str) -> None:
        """Leave a note for those who find the lock taken."""
        assert self._file is not None, "write() is for the holder"
        os.ftruncate(self._file, 0)
        os.pwrite(self._file, text.encode(), 0)

    def note(self) -> str:
        """Read what the holder has left."""
        return self.path.read_text() if self.path.exists() else ""

    def _take(self, kind: int) -> None:
        if self._file is None:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            try:
                self._file = os.open(self.path, os.O_RDWR | os.O_CREAT, 0o600)
            except PermissionError as denied:
                raise EmbeddedError(
                    f"{self.path} belongs to another user (uid {self.path.stat().st_uid}). Run as that user, "
                    "or take a folder of your own: HUB_DIR=~/hub make run"
                ) from denied
        fcntl.flock(self._file, kind)


@contextlib.contextmanager
def leased(server: Server, *, waits_for_others: bool) -> Iterator[str]:
    """Yield the server's URL: of the one that is up already, or of one started now and stopped afterwards."""
    owner, users = Lock(server.folder / "owner"), Lock(server.folder / "users")
    address = server.folder / "url"
    try:
        if _become_owner(owner, users, address):
            yield from _owned(server, owner, users if waits_for_others else None)
        else:
            yield address.read_text()
    finally:
        users.release()
        owner.release()


def _become_owner(owner: Lock, users: Lock, address: Path) -> bool:
    """Return True holding `owner`, or False holding `users` of a server that is up."""
    began, told = time.monotonic(), False
    while True:
        users.shared()
        if owner.try_exclusive():
            users.release()
            owner.write(str(os.getpid()))
            address.unlink(missing_ok=True)
            return True
        if address.exists():
            return False
        users.release()
        if not told and time.monotonic() - began > 2:
            told = True
            say(f"Waiting for process {owner.note()}, which starts or stops the service in {owner.path.parent} …")
        time.sleep(0.1)


def _owned(server: Server, owner: Lock, users: Lock | None) -> Iterator[str]:
    address = server.folder / "url"
    with _terminated_in_order():
        try:
            url = server.start()
            with open(os.open(address, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
                file.write(url)
            yield url
        finally:
            address.unlink(missing_ok=True)
            if users:
                _outlast(users, server)
            server.stop()


def _outlast(users: Lock, server: Server) -> None:
    """Wait for commands that joined; whoever presses Ctrl-C here stops the server under them."""
    if not users.try_exclusive():
        say(f"Other commands still use this {server.title}: it stops after them (Ctrl-C stops it now).")
        with contextlib.suppress(KeyboardInterrupt):
            users.exclusive()


@contextlib.contextmanager
def _terminated_in_order() -> Iterator[None]:
    """Turn SIGTERM into an exit that unwinds, unless the program has its own way of ending."""
    if threading.current_thread() is not threading.main_thread() or signal.getsignal(signal.SIGTERM) != signal.SIG_DFL:
        yield
        return

    def leave(number: int, _frame: object) -> NoReturn:
        sys.exit(128 + number)

    signal.signal(signal.SIGTERM, leave)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
