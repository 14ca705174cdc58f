"""What the simulated platforms with a signed gateway share: one shop's rows in memory, its door, clock and limits."""

import json
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from copy import deepcopy
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from itertools import count
from typing import Any, ClassVar
from zlib import crc32

from channels.simulators.server import Faults, LoopbackServer, Request, Response

GMT8 = timezone(timedelta(hours=8))
Line = tuple[str, str, int, Decimal]  # SKU code, title, quantity, unit price
RECEIVER = {
    "province": "浙江省",
    "city": "杭州市",
    "district": "余杭区",
    "line": "五常街道***",
    "name": "韩*",
    "phone": "138****0000",
}


class Refused(Exception):
    """An answer of the platform that says no: its whole body."""

    def __init__(self, body: Mapping[str, Any]) -> None:
        super().__init__(str(body))
        self.body = dict(body)


class SignedPlatform:
    """One shop on a platform. Thread-safe; the clock can be replaced. A platform says how it is called."""

    path: ClassVar[str] = ""
    usual: ClassVar[Mapping[str, str]] = {}  # credentials
    number_field: ClassVar[str] = "order_id"
    needed: ClassVar[tuple[str, ...]] = ()  # fields without which an order is none

    def __init__(
        self,
        *,
        credentials: Mapping[str, str] | None = None,
        calls_per_second: int | None = None,
        token_seconds: int | None = None,
        faults: Faults | None = None,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.credentials = dict(credentials or self.usual)
        self.options: dict[str, Any] = {}
        self.calls_per_second = calls_per_second
        self.token_seconds = token_seconds  # how long an access token lives from now on; None: for ever
        self.faults = faults or Faults()
        self.clock = clock
        self.calls: Counter[str] = Counter()
        self.orders: dict[str, dict[str, Any]] = {}
        self.refunds: dict[str, dict[str, Any]] = {}
        self.parcels: list[dict[str, Any]] = []
        self.stock: dict[str, int] = {}  # by the platform's SKU number
        self.listed: dict[str, str] = {}  # the platform's SKU number → the seller's code
        self._token = self.credentials.get("access_token", "")
        self._token_until = self._life()
        self._second = (0, 0)  # which second, and how many calls it has had
        self.numbers = count(1)
        self.lock = threading.RLock()

    # -- what a test, the demo or a benchmark does with the shop ---------------------------------

    def serve(self, *, port: int = 0) -> LoopbackServer:
        """Return a server that plays this platform; ``url + path`` is what to call."""
        return LoopbackServer(self.answer, port=port, faults=self.faults)

    def add_order(self, order: Mapping[str, Any]) -> str:
        """Take an order in the platform's shape (the same number again replaces it); raises ``ValueError``."""
        for name in (self.number_field, *self.needed):
            if name not in order:
                raise ValueError(f"an order needs {name}")
        with self.lock:
            number = str(order[self.number_field])
            self.orders[number] = deepcopy(dict(order))
            return number

    def change_order(self, number: int | str, **fields: Any) -> None:
        """Change fields of an order as the platform would: it is modified now; raises ``KeyError``."""
        with self.lock:
            self.orders[str(number)].update(fields)
            self.touch(self.orders[str(number)])

    def order(self, number: int | str) -> dict[str, Any]:
        """Return a copy of an order as it is now; raises ``KeyError``."""
        with self.lock:
            return deepcopy(self.orders[str(number)])

    def add_item(self, sku_code: str, *, quantity: int = 0) -> int:
        """List a SKU and return its number. As long as nothing is listed, figures for every number are taken."""
        with self.lock:
            number = item_number(sku_code)
            self.listed[str(number)], self.stock[str(number)] = sku_code, quantity
            return number

    def state(self) -> dict[str, Any]:
        """Return counts, parcels and stock figures."""
        with self.lock:
            return {
                "orders": len(self.orders),
                "by_status": dict(Counter(str(self.status_of(order)) for order in self.orders.values())),
                "parcels": deepcopy(self.parcels),
                "stock": dict(self.stock),
                "calls": dict(self.calls),
            }

    # -- tokens and limits -----------------------------------------------------------------------

    def expire_token(self) -> None:
        """Let the access token that is out be no longer good."""
        with self.lock:
            self._token_until = self.clock() - timedelta(seconds=1)

    def fresh_tokens(self) -> dict[str, str]:
        """Hand out new tokens; the old access token is no longer good."""
        number = next(self.numbers)
        self._token, self._token_until = f"access-{number}", self._life()
        self.credentials |= {"access_token": self._token, "refresh_token": f"refresh-{number}"}
        return {"access_token": self._token, "refresh_token": self.credentials["refresh_token"]}

    def token_is_known(self, token: str) -> bool:
        """Say whether this is the access token that is out."""
        return bool(token) and token == self._token

    def token_is_alive(self) -> bool:
        """Say whether the access token that is out still opens the door."""
        return self._token_until is None or self.clock() < self._token_until

    def is_too_fast(self) -> bool:
        """Count a call, and say whether it is one too many in this second."""
        second = int(self.clock().timestamp())
        calls = self._second[1] if self._second[0] == second else 0
        self._second = (second, calls + 1)
        return self.calls_per_second is not None and calls >= self.calls_per_second

    def _life(self) -> datetime | None:
        return None if self.token_seconds is None else self.clock() + timedelta(seconds=self.token_seconds)

    # -- the wire --------------------------------------------------------------------------------

    def answer(self, request: Request) -> Response:
        """Answer one HTTP request; refusals come with HTTP 200."""
        if request.path.startswith("/control/"):
            return control(request, state=self.state, add=self.add_order)
        with self.lock:
            try:
                body = self.call(request)
            except Refused as refused:
                body = refused.body
            return written(body) if body is not None else Response(b"Not Found", 404, "text/plain")

    def page(self, rows: list[dict[str, Any]], *, number: int, size: int) -> list[dict[str, Any]]:
        """Return a page (numbers from 1), with the faults ``duplicate`` and ``move``: its first row changes after."""
        chosen = rows[(number - 1) * size : number * size]
        shown = deepcopy(chosen)
        if shown and self.faults.strikes("duplicate"):
            shown.append(shown[0])
        if chosen and self.faults.strikes("move"):
            self.touch(chosen[0])
        return shown

    # -- what each platform says itself ----------------------------------------------------------

    def call(self, request: Request) -> dict[str, Any] | None:
        """Answer a call of the gateway, None where nothing is; raises ``Refused``."""
        raise NotImplementedError

    def touch(self, order: dict[str, Any]) -> None:
        """Let an order be modified now."""
        raise NotImplementedError

    def status_of(self, order: Mapping[str, Any]) -> Any:
        """Return an order's status as the platform says it."""
        raise NotImplementedError


def control(request: Request, *, state: Callable[[], Any], add: Callable[[Any], Any]) -> Response:
    """Answer what whoever drives a simulator asks: ``GET /control/state``, or ``POST /control/orders`` with a list."""
    if request.method == "GET" and request.path == "/control/state":
        return written(state())
    if request.method != "POST" or request.path != "/control/orders":
        return written({"error": "not_found"}, 404)
    try:
        numbers = [add(order) for order in json.loads(request.body)]
    except (ValueError, TypeError, AttributeError) as error:
        return written({"error": str(error)}, 400)
    return written({"added": len(numbers)})


def item_number(sku_code: str) -> int:
    """Return the number under which these platforms list a SKU."""
    return 10**9 + crc32(sku_code.encode())


def write_time(at: datetime) -> str:
    """Write a time as ``2026-11-23 10:00:00`` of China."""
    return at.astimezone(GMT8).strftime("%Y-%m-%d %H:%M:%S")


def read_time(text: str) -> datetime:
    """Read ``2026-11-23 10:00:00`` of China; raises ``ValueError``."""
    return datetime.strptime(text, "%Y-%m-%d %H:%M:%S").replace(tzinfo=GMT8)


def newest_first(rows: Iterable[dict[str, Any]], *names: str) -> list[dict[str, Any]]:
    """Sort rows by these fields, the largest first."""
    return sorted(rows, key=lambda row: tuple(row[name] for name in names), reverse=True)


def written(value: Any, status: int = 200) -> Response:
    """Write an answer as JSON."""
    return Response(json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode(), status)
