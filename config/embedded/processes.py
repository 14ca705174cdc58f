"""Child processes that do not outlive the one that started them, and how to find those that did."""

import contextlib
import ctypes
import errno
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

import psutil

from config.embedded.accounts import Account
from config.embedded.errors import EmbeddedError

PR_SET_PDEATHSIG = 1
RUN_MARK = "HUB_RUN"  # in the environment of everything a run starts: that is how orphans are known
PORTS = range(20_000, 30_000)  # below the range the system hands out for outgoing connections

Farewell = Sequence[tuple[signal.Signals, float]]  # which signal, how long to wait for it to work
GENTLY: Farewell = ((signal.SIGTERM, 10.0), (signal.SIGQUIT, 3.0))

_libc = ctypes.CDLL(None) if sys.platform == "linux" else None


def spawn(
    command: Sequence[str],
    *,
    output: int,
    errors: int | None = None,
    account: Account | None = None,
    env: Mapping[str, str] | None = None,
    on_orphan: signal.Signals = signal.SIGTERM,
) -> subprocess.Popen[bytes]:
    """Start a child in a process group of its own; on Linux the kernel signals it when we die.

    Its own group keeps the terminal's Ctrl-C away from it, so that the order of stopping stays ours.
    """
    parent = os.getpid()

    def bind() -> None:
        if _libc is not None:
            _libc.prctl(PR_SET_PDEATHSIG, int(on_orphan), 0, 0, 0)
            if os.getppid() != parent:
                os._exit(1)

    return subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=output if errors is None else errors,
        env=None if env is None else dict(env),
        process_group=0,
        user=account.uid if account else None,
        group=account.gid if account else None,
        extra_groups=[] if account else None,
        preexec_fn=bind,
    )


def stop(process: subprocess.Popen[bytes], farewell: Farewell = GENTLY) -> None:
    """Ask, ask harder, then kill the whole group; returns when the child is gone."""
    for sign, patience in farewell:
        if process.poll() is not None:
            break
        with contextlib.suppress(ProcessLookupError):
            process.send_signal(sign)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(patience)
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def stop_strangers(found: Sequence[psutil.Process], farewell: Farewell = GENTLY) -> None:
    """Stop processes that are not our children; raises EmbeddedError about one that we may not signal.

    Only the topmost are asked: a database stops its own workers, and better than we could.
    """
    for sign, patience in farewell:
        for process in _topmost(found):
            _signal(process, sign)
        if _gone_within(found, patience):
            return
    for process in found:
        _signal(process, signal.SIGKILL)
    _gone_within(found, 5.0)


def _topmost(found: Iterable[psutil.Process]) -> list[psutil.Process]:
    alive = {process.pid: process for process in found if _is_alive(process)}
    return [process for process in alive.values() if _parent(process) not in alive]


def _parent(process: psutil.Process) -> int:
    with contextlib.suppress(psutil.NoSuchProcess):
        return process.ppid()
    return 0


def _gone_within(found: Iterable[psutil.Process], patience: float) -> bool:
    ends = time.monotonic() + patience
    while any(_is_alive(process) for process in found):
        if time.monotonic() > ends:
            return False
        time.sleep(0.03)
    return True


def _is_alive(process: psutil.Process) -> bool:
    """A zombie is gone: in a container there may be nobody who reaps it."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def _signal(process: psutil.Process, sign: signal.Signals) -> None:
    try:
        process.send_signal(sign)
    except psutil.NoSuchProcess:
        return
    except psutil.AccessDenied as denied:
        raise EmbeddedError(
            f"Process {process.pid} ({process.name()}, user {process.username()}) is in the way and is not ours to "
            f"stop. Stop it as its owner (kill -{sign.name[3:]} {process.pid}), "
            "or work in another folder: HUB_DIR=~/hub make run"
        ) from denied


def on_folder(program: str, folder: Path) -> list[psutil.Process]:
    """Find servers that work on a folder: by their working directory, or by their command line."""

    def works_there(process: psutil.Process) -> bool:
        if process.name() != program:
            return False
        with contextlib.suppress(psutil.AccessDenied):
            if process.cwd() == str(folder):
                return True
        return str(folder) in " ".join(process.cmdline())

    return _matching(works_there)


def marked(mark: str) -> list[psutil.Process]:
    """Find everything that a run with this mark has started and that still lives."""

    def is_marked(process: psutil.Process) -> bool:
        return process.pid != os.getpid() and process.environ().get(RUN_MARK) == mark

    return _matching(is_marked)


def _matching(test: Callable[[psutil.Process], bool]) -> list[psutil.Process]:
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, OSError):
            if _is_alive(process) and test(process):
                found.append(process)
    return found


def free_port() -> int:
    """Find a port nobody listens on."""
    start = time.monotonic_ns() + os.getpid()
    for step in range(len(PORTS)):
        port = PORTS[(start + step * 7) % len(PORTS)]
        if port_is_free("127.0.0.1", port):
            return port
    raise EmbeddedError(f"No free port between {PORTS.start} and {PORTS.stop} on 127.0.0.1.")


def port_is_free(host: str, port: int) -> bool:
    """Tell whether we could listen there, as a server would."""
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                return False
            raise EmbeddedError(f"Nobody may listen on {host}:{port} here: {error.strerror}.") from error
    return True


def listener(port: int) -> str:
    """Name the process that listens on a port, as far as we may see it."""
    with contextlib.suppress(psutil.Error, OSError):
        for connection in psutil.net_connections("tcp"):
            is_it = connection.status == psutil.CONN_LISTEN and getattr(connection.laddr, "port", None) == port
            if is_it and connection.pid:
                return f"pid {connection.pid} ({psutil.Process(connection.pid).name()})"
    return "a program of another user"


def fresh_log(path: Path) -> int:
    """Open an empty log, the one before is kept as .old; returns the file descriptor."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.exists():
        path.replace(path.with_suffix(".old"))
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)


def tail(path: Path, lines: int = 30) -> str:
    """Read the end of a log."""
    text = path.read_text(errors="replace") if path.exists() else "(no log)"
    return "\n".join(text.splitlines()[-lines:])
