"""What the suite over all adapters stands on: who is registered, and the same order bought on each platform."""

import importlib
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from channels import adapters
from channels.adapters.protocol import Adapter, Connection
from channels.adapters.registry import BY_NAME
from channels.messages import RawMessage
from channels.simulators.server import LoopbackServer

ROOT = Path(__file__).parents[3]
FOLDER = Path(adapters.__file__).parent
ADAPTERS = sorted(BY_NAME)
PULLED = [name for name in ADAPTERS if BY_NAME[name].capabilities.pull_orders]

NOW = datetime.now(UTC).replace(microsecond=0)
PLACED, PAID, CANCELLED = (NOW - timedelta(minutes=minutes) for minutes in (9, 8, 5))
NUMBER = 6919000000000001
LINES = [("CUP", "保温杯", 2, Decimal("109.00")), ("LID-RED", "盖", 1, Decimal("9.90"))]
SHANGHAI = {"province": "上海市", "city": "上海市"}
TOKENS = {"access_token", "refresh_token"}  # what ``renew`` may add


def has_own(adapter: Adapter, call: str) -> bool:
    return getattr(type(adapter), call) is not getattr(Adapter, call)


def shop(name: str) -> Any:
    return importlib.import_module(f"channels.simulators.{name}")


def connected(platform: Any, server: LoopbackServer) -> Connection:
    return Connection("C", server.url + platform.path, platform.credentials, platform.options)


def pulled(name: str, connection: Connection) -> list[RawMessage]:
    pages = BY_NAME[name].pull(connection, since=NOW - timedelta(hours=1), until=NOW)
    return [raw for page in pages for raw in page]


def bought(name: str, **times: datetime) -> tuple[Any, str]:
    platform = shop(name).Platform()
    order = shop(name).make_order(NUMBER, LINES, placed_at=PLACED, receiver=SHANGHAI, **times)
    return platform, str(platform.add_order(order))
