"""Keeps the programs of one run together: starts them, notices when one fails, stops all of them in order."""

import os
import re
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from config.embedded import processes
from config.embedded.errors import EmbeddedError, say
from config.embedded.servers import Server

TICK = 0.2
WORTH_SHOWING = re.compile(r"\b(ERROR|CRITICAL)\b|^Traceback")
SHOWN_AT_ONCE = 5
ENDINGS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Interrupted(BaseException):
    """Somebody wants this run to end; not an Exception, so that nothing on the way swallows it."""


@dataclass(frozen=True)
class Program:
    """A program and its role; the role decides its time limits in the database."""

    name: str
    command: Sequence[str]
    role: str = "command"


@dataclass
class Child:
    """A program that runs until the end, and how far its log has been read."""

    name: str
    process: subprocess.Popen[bytes]
    log: Path
    read_up_to: int = 0

    def news(self) -> list[str]:
        """Return the complaints that were logged since the last look."""
        with self.log.open(errors="replace") as file:
            file.seek(self.read_up_to)
            lines = file.read().splitlines()
            self.read_up_to = file.tell()
        return [line for line in lines if WORTH_SHOWING.search(line)]


@dataclass
class Supervisor:
    """All children of one run, in the order of their start."""

    logs: Path
    mark: str
    servers: Sequence[Server] = ()
    extra: dict[str, str] = field(default_factory=dict)
    children: list[Child] = field(default_factory=list)

    def start(self, program: Program) -> None:
        """Start a program that is to run until the end."""
        log = self.logs / f"{program.name}.log"
        output = processes.fresh_log(log)
        try:
            process = processes.spawn(program.command, output=output, env=self._environment(program))
        finally:
            os.close(output)
        self.children.append(Child(program.name, process, log))

    def do(self, program: Program, *, output: int = 2) -> None:
        """Run a program to its end, seen in the foreground; raises EmbeddedError when it fails."""
        process = processes.spawn(program.command, output=output, errors=2, env=self._environment(program))
        try:
            self.watch(until=lambda: process.poll() is not None)
        finally:
            processes.stop(process)
        if process.returncode:
            raise EmbeddedError(f"{program.name} failed (exit {process.returncode}), see above.")

    def watch(self, *, until: Callable[[], bool]) -> None:
        """Wait and show complaints; raises EmbeddedError with the end of the log when a child ends by itself."""
        while not until():
            for child in self.children:
                _show(child)
                if child.process.poll() is not None:
                    raise _ended(child.name, child.process.returncode, child.log)
            for server in self.servers:
                if server.process is not None and server.process.poll() is not None:
                    raise _ended(server.title, server.process.returncode, server.log)
            time.sleep(TICK)

    def stop(self) -> None:
        """Stop the children, last started first."""
        while self.children:
            processes.stop(self.children[-1].process)
            self.children.pop()

    def _environment(self, program: Program) -> dict[str, str]:
        own = {"HUB_ROLE": program.role, processes.RUN_MARK: self.mark, "PYTHONUNBUFFERED": "1"}
        return {**os.environ, **self.extra, **own}


def _show(child: Child) -> None:
    news = child.news()
    for line in news[:SHOWN_AT_ONCE]:
        say(f"[{child.name}] {line}")
    if len(news) > SHOWN_AT_ONCE:
        say(f"[{child.name}] … {len(news) - SHOWN_AT_ONCE} more in {child.log}")


def _ended(name: str, code: int, log: Path) -> EmbeddedError:
    return EmbeddedError(f"{name} ended by itself (exit {code}). The end of {log}:\n{processes.tail(log)}")


@contextmanager
def interruptible() -> Iterator[Callable[[], None]]:
    """Turn Ctrl-C and its relatives into Interrupted; call what is yielded to be left in peace while stopping."""

    def interrupt(number: int, _frame: object) -> None:
        deafen()
        raise Interrupted(signal.Signals(number).name)

    def deafen() -> None:
        for sign in ENDINGS:
            signal.signal(sign, signal.SIG_IGN)

    before = {sign: signal.signal(sign, interrupt) for sign in ENDINGS}
    try:
        yield deafen
    finally:
        for sign, handler in before.items():
            signal.signal(sign, handler)
