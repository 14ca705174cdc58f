"""The hub's web server for measurements: gunicorn as a process of its own, and a bare one that only answers."""

import contextlib
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import httpx
import psutil

from benchmarks.machine import NO_BROKER, ROOT

HUB = "config.wsgi"
BARE = "benchmarks.door:bare"


@contextlib.contextmanager
def opened(words: Sequence[str], *, app: str = HUB, broker: str = NO_BROKER) -> Iterator[str]:
    """Serve the hub, or another application, by two processes with these words for gunicorn, and give its address.

    Raises ``RuntimeError`` when the server does not come up within a minute.
    """
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
    server = subprocess.Popen(
        [sys.executable, "-m", "gunicorn", app, "-k", "gthread", "--workers", "2", "--log-level", "error",
         "--no-control-socket", "-b", address, *words],
        cwd=ROOT,
        env={**os.environ, "HUB_ROLE": "web", "REDIS_URL": broker},
    )  # fmt: skip
    try:
        _wait_until_up(f"http://{address}/livez")
        yield f"http://{address}"
    finally:
        server.terminate()
        server.wait()


def bare(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """Read a request and answer 202: what the web server itself costs, the floor under every door."""
    environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
    start_response("202 Accepted", [("Content-Type", "application/json"), ("Content-Length", "2")])
    return [b"{}"]


def cpu_seconds() -> float:
    """Return the CPU time of the web servers that this process has running, their processes included."""
    children = psutil.Process().children(recursive=True)
    times = [process.cpu_times() for process in children if "gunicorn" in process.cmdline()]
    return float(sum(one.user + one.system for one in times))


def _wait_until_up(url: str) -> None:
    ends = time.monotonic() + 60
    while time.monotonic() < ends:
        with contextlib.suppress(httpx.HTTPError):
            if httpx.get(url).is_success:
                return
        time.sleep(0.1)
    raise RuntimeError("the web server did not come up")
