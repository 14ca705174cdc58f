"""The hub's web server for measurements: gunicorn as a process of its own."""

import contextlib
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence

import httpx

from benchmarks.machine import NO_BROKER, ROOT


@contextlib.contextmanager
def opened(words: Sequence[str]) -> Iterator[str]:
    """Serve the hub by two processes with these further words for gunicorn, and give its address.

    Raises ``RuntimeError`` when the server does not come up within a minute.
    """
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
    server = subprocess.Popen(
        [sys.executable, "-m", "gunicorn", "config.wsgi", "-k", "gthread", "--workers", "2", "--log-level", "error",
         "--no-control-socket", "-b", address, *words],
        cwd=ROOT,
        env={**os.environ, "HUB_ROLE": "web", "REDIS_URL": NO_BROKER},
    )  # fmt: skip
    try:
        _wait_until_up(f"http://{address}/livez")
        yield f"http://{address}"
    finally:
        server.terminate()
        server.wait()


def _wait_until_up(url: str) -> None:
    ends = time.monotonic() + 60
    while time.monotonic() < ends:
        with contextlib.suppress(httpx.HTTPError):
            if httpx.get(url).is_success:
                return
        time.sleep(0.1)
    raise RuntimeError("the web server did not come up")
