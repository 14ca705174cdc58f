"""`python -m config.embedded COMMAND …` runs any program with the services up; `reset` deletes the local data."""

import argparse
import contextlib
import json
import os
import shutil
import signal
import sys
import time
from pathlib import Path

from config.embedded import environment, processes
from config.embedded.errors import EmbeddedError, say
from config.embedded.leases import Lock

DATA = ("postgres/data", "postgres/password", "valkey/data", "admin_password")  # the secret key stays


def run(command: list[str]) -> int:
    """Run a program in the foreground: it hears Ctrl-C from the terminal itself, the services stop after it."""
    with environment.services(waits_for_others=True):
        child = processes.spawn(command, output=1, errors=2)
        forward_signals_to(child.pid)
        return child.wait()


def forward_signals_to(pid: int) -> None:
    """Pass Ctrl-C and termination on; the child decides how to end."""

    def forward(number: int, _frame: object) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(pid, number)

    for sign in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(sign, forward)


def reset(*, sure: bool) -> int:
    """Stop this folder's hub and delete what it has stored; servers named by the environment are not touched."""
    hub = environment.hub_dir()
    found = [hub / name for name in DATA if (hub / name).exists()]
    if not found:
        say(f"Nothing to delete in {hub}.")
        return 0
    say("To be deleted:\n" + "\n".join(f"  {path}" for path in found))
    if not sure and not _agreed():
        say("Nothing was deleted.")
        return 1
    locks = [_stop_run(hub), *_locked_folders(hub)]
    for path in found:
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
    for lock in locks:
        lock.release()
    say("Deleted. `make run` starts with a fresh demo company.")
    return 0


def _agreed() -> bool:
    sys.stderr.write("Delete? [y/N] ")
    sys.stderr.flush()
    return sys.stdin.readline().strip().lower() in ("y", "yes")


def _stop_run(hub: Path) -> Lock:
    """Return the lock of the run, after ending the run that held it."""
    lock = Lock(hub / "run.lock")
    if lock.try_exclusive():
        return lock
    pid = json.loads(lock.note())["pid"]
    say(f"Stopping the running hub (process {pid}) …")
    os.kill(pid, signal.SIGTERM)
    ends = time.monotonic() + 120
    while not lock.try_exclusive():
        if time.monotonic() > ends:
            raise EmbeddedError(f"The hub (process {pid}) does not stop: end it, then try again.")
        time.sleep(0.2)
    return lock


def _locked_folders(hub: Path) -> list[Lock]:
    """Return the locks of the servers' folders; a command that uses one is not cut off."""
    locks = []
    for server in environment.servers(hub).values():
        if server.data.exists():
            lock = Lock(server.folder / "owner")
            if not lock.try_exclusive():
                raise EmbeddedError(f"Process {lock.note()} uses {server.folder}: end it, then try again.")
            processes.stop_strangers(processes.on_folder(server.program, server.data), server.farewell)
            locks.append(lock)
    return locks


def main() -> int:
    """Choose by the first word."""
    parser = argparse.ArgumentParser(prog="python -m config.embedded", description=__doc__)
    parser.add_argument("command", nargs=argparse.REMAINDER)
    words = parser.parse_args().command
    try:
        if words[:1] == ["reset"]:
            return reset(sure=os.environ.get("YES") == "1")
        return run(words) if words else 2
    except EmbeddedError as error:
        say(f"error: {error}")
        return 1


if __name__ == "__main__":
    sys.exit(main())
