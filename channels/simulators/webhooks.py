"""Webhooks of a simulated platform: events wait until they are posted and answered with 2xx."""

import threading
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import httpx

from channels.simulators.server import Faults

SECONDS_TO_ANSWER = 5.0


@dataclass(frozen=True)
class Event:
    """One event: its body, and the headers that do not depend on where it goes."""

    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)


Sign = Callable[[str, Event], Mapping[str, str]]  # the address and the event → the headers that sign it


class Webhooks:
    """Keeps events in order; what was not answered with 2xx is posted again with the next call. Thread-safe."""

    def __init__(self, faults: Faults, sign: Sign) -> None:
        self.faults = faults
        self._sign = sign
        self._waiting: deque[Event] = deque()
        self._to_lose = 0
        self._lock = threading.Lock()

    def add(self, event: Event) -> None:
        """Let an event wait, unless it is one of those to be lost."""
        with self._lock:
            if self._to_lose:
                self._to_lose -= 1
            else:
                self._waiting.append(event)

    def lose(self, times: int = 1) -> None:
        """Lose the next events: nobody will ever be told of them."""
        with self._lock:
            self._to_lose += times

    def post_to(self, url: str) -> list[int]:
        """Post what waits and return the HTTP statuses (0: no answer); the fault ``duplicate`` posts an event twice."""
        with self._lock:
            events, statuses = list(self._waiting), []
            self._waiting.clear()
        for event in events:
            for _ in range(2 if self.faults.strikes("duplicate") else 1):
                statuses.append(self._post(url, event))
            if not 200 <= statuses[-1] < 300:
                with self._lock:
                    self._waiting.append(event)
        return statuses

    def _post(self, url: str, event: Event) -> int:
        headers = {"Content-Type": "application/json", **event.headers, **self._sign(url, event)}
        try:
            return httpx.post(url, content=event.body, headers=headers, timeout=SECONDS_TO_ANSWER).status_code
        except httpx.HTTPError:
            return 0
