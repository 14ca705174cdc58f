"""mcp-cn-commerce's Youzan client against the simulated cloud: HUB_SDK_PYTHON_YOUZAN has ``mcp-cn-commerce==0.1.6``."""

import json
import os
import subprocess
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from channels.simulators.youzan import Platform
from channels.simulators.youzan_orders import make_order, make_refund

PYTHON = os.environ.get("HUB_SDK_PYTHON_YOUZAN", "")
SCRIPT = Path(__file__).parent / "scripts/youzan.py"
pytestmark = [
    pytest.mark.sdk,
    pytest.mark.skipif(not PYTHON, reason="HUB_SDK_PYTHON_YOUZAN does not name a Python with mcp-cn-commerce"),
]


def test_the_library_understands_the_simulated_platform() -> None:
    platform = Platform()
    at = datetime.now(UTC) - timedelta(hours=1)
    for number in (1, 2):
        moment = at + timedelta(minutes=number)
        lines = [("TEE", "T恤", 2, Decimal("109.00")), ("CAP", "帽子", 1, Decimal("50.00"))]
        platform.add_order(make_order(f"E{number}", lines, placed_at=moment, paid_at=moment))
    platform.add_refund(make_refund(7001, platform.order("E1"), asked_at=at, quantity=1, status="CUSTOMER_SERVICE_IN"))
    with platform.serve() as server:
        command = [PYTHON, "-P", "-W", "ignore", str(SCRIPT), server.url, platform.credentials["access_token"]]
        china = os.environ | {"TZ": "Asia/Shanghai", "PYTHONIOENCODING": "utf-8"}
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False, env=china)

    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout.splitlines()[-1]) == {
        "tids": ["E2", "E1"],
        "order": ["E2", "paid", True, [2, 1]],
        "refund": ["E1", "processing", True],
        "refused": 105000016,
    }
