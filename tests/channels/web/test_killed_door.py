"""Web processes that are killed while orders come in lose none that was answered."""

import json
import os
import signal
import threading
import time
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import psutil
import pytest
from django.db import connection

from benchmarks import door, sender
from benchmarks.sender import Answer, Due
from channels.adapters.house import sign
from channels.models import Channel, InboundMessage

SECRET = "s3cret"
ORDERS = 800
PER_SECOND = 200
KILLS = 3
pytestmark = [pytest.mark.django_db(transaction=True)]


def order(address: str, number: int) -> bytes:
    body = json.dumps({"type": "order", "external_id": f"{number}", "revision": 1}).encode()
    return sender.posted(address, "/in/SHOP/", body, {sign.HEADER: sign.signature(body, SECRET)})


def web_processes() -> list[psutil.Process]:
    """Return the processes that answer, and not the one that watches over them."""
    return [
        process
        for process in psutil.Process().children(recursive=True)
        if "gunicorn" in process.cmdline() and process.ppid() != os.getpid()
    ]


def test_every_order_that_was_answered_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    Channel.objects.create(code="SHOP", name="S", platform="own", adapter="house", credentials={"secret": SECRET})
    url = urlsplit(os.environ["DATABASE_URL"])
    monkeypatch.setenv("DATABASE_URL", urlunsplit(url._replace(path=f"/{connection.settings_dict['NAME']}")))
    monkeypatch.setenv("DJANGO_SETTINGS_MODULE", "config.settings")
    killed: list[int] = []
    answers: list[Answer] = []
    with door.opened(["--threads", "8"]) as address:
        dues = [Due(number / PER_SECOND, order(address, number)) for number in range(ORDERS)]
        pushing = threading.Thread(target=lambda: answers.extend(sender.send(address, dues, connections=24)))
        pushing.start()
        for share in range(1, KILLS + 1):
            _wait_for_orders(share * ORDERS // (KILLS + 2))
            victim = web_processes()[0]
            victim.send_signal(signal.SIGKILL)
            killed.append(victim.pid)
        pushing.join()
    kept: set[Any] = set(InboundMessage.objects.values_list("external_id", flat=True))
    answered = {str(answer.number) for answer in answers if answer.status == 202}
    assert (len(killed), len(set(killed)), len(answers)) == (KILLS, KILLS, ORDERS)
    assert answered - kept == set()
    assert len(answered) > ORDERS / 2
    assert InboundMessage.objects.exclude(times_received=1).count() <= KILLS * 24  # what was cut off came again


def _wait_for_orders(count: int) -> None:
    until = time.monotonic() + 120
    while InboundMessage.objects.count() < count:
        assert time.monotonic() < until
        time.sleep(0.01)
