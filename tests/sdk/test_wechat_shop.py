"""Other people's WeChat clients against the simulated shop and our own door.

HUB_SDK_PYTHON_WECHAT_SHOP has ``wechatpy==1.8.18``, ``cryptography`` and ``mcp-cn-commerce==0.1.6``.
"""

import json
import os
import subprocess
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from channels.adapters import wechat_shop
from channels.adapters.protocol import Connection, Pushed
from channels.simulators import wechat_shop_gate as gate
from channels.simulators.server import LoopbackServer, Request, Response
from channels.simulators.wechat_shop import Platform, make_order

PYTHON = os.environ.get("HUB_SDK_PYTHON_WECHAT_SHOP", "")
SCRIPT = Path(__file__).parent / "scripts/wechat_shop.py"
pytestmark = [
    pytest.mark.sdk,
    pytest.mark.skipif(not PYTHON, reason="HUB_SDK_PYTHON_WECHAT_SHOP does not name a Python with wechatpy"),
]


def test_the_libraries_understand_the_simulated_platform_and_our_door_understands_them() -> None:
    platform = Platform()
    at = datetime.now(UTC) - timedelta(hours=1)
    for number in (1, 2):
        moment = at + timedelta(minutes=number)
        platform.add_order(make_order(number, [("TEE", "T恤", 2, Decimal("109.00"))], placed_at=moment, paid_at=moment))
    seconds = int(at.timestamp())
    refund = {"after_sale_order_id": "4001", "order_id": "1", "status": "MERCHANT_PROCESSING", "type": "REFUND"}
    platform.add_refund("1", {**refund, "create_time": seconds, "update_time": seconds})
    body, query = platform.pushed("channels_ec_order_pay", "3705115058471208928")
    plain = gate.signature(platform.credentials["token"], "1795399200", "nonce1")
    push = json.dumps({"body": body.decode(), "query": query, "plain": plain})

    def door(request: Request) -> Response:
        pushed = Pushed(request.body, query=request.parameters())
        connection = Connection("WX", credentials=platform.credentials)
        received = wechat_shop.ADAPTER.receive(pushed, connection, at=datetime.now(UTC))
        return Response(json.dumps([list(received.wanted), (received.answer or b"").decode()]).encode())

    with platform.serve() as server, LoopbackServer(door) as ours:
        credentials = [platform.credentials[name] for name in ("appid", "secret", "token", "encoding_aes_key")]
        command = [PYTHON, "-P", "-W", "ignore", str(SCRIPT), server.url, *credentials, push, ours.url]
        china = os.environ | {"TZ": "Asia/Shanghai", "PYTHONIOENCODING": "utf-8"}
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False, env=china)

    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout.splitlines()[-1]) == {
        "title": "T恤",
        "refused": 100002,
        "pushed": ["channels_ec_order_pay", 3705115058471208928, "refused"],
        "taken": [["3705115058471208928"], "success"],
        "store": [2, ["1", "2"], "MERCHANT_PROCESSING", 100002],
    }
