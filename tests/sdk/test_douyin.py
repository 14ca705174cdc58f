"""The PyPI library doudian against the simulated Douyin: HUB_SDK_PYTHON_DOUYIN has ``doudian==0.6``."""

import json
import os
import subprocess
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from channels.simulators.douyin import Platform, make_order

PYTHON = os.environ.get("HUB_SDK_PYTHON_DOUYIN", "")
SCRIPT = Path(__file__).parent / "scripts/douyin.py"
pytestmark = [
    pytest.mark.sdk,
    pytest.mark.skipif(not PYTHON, reason="HUB_SDK_PYTHON_DOUYIN does not name a Python with doudian"),
]


def test_the_library_understands_the_simulated_platform() -> None:
    platform = Platform()
    at = datetime.now(UTC) - timedelta(hours=1)
    for number in (1, 2):
        placed_at = at + timedelta(minutes=number)
        platform.add_order(make_order(number, [("TEE", "T恤", 2, Decimal("109.00"))], placed_at=placed_at, paid_at=at))
    event = list(platform.webhooks._waiting)[0]
    signature = platform._sign("", event)["event-sign"]
    with platform.serve() as server:
        credentials = [platform.credentials[name] for name in ("app_key", "app_secret")]
        command = [PYTHON, "-P", "-W", "ignore", str(SCRIPT), server.url, *credentials, event.body.decode(), signature]
        china = os.environ | {"TZ": "Asia/Shanghai", "PYTHONIOENCODING": "utf-8"}
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False, env=china)

    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout.splitlines()[-1]) == {
        "orders": ["2", "1"],
        "title": "T恤",
        "renewed": True,
        "refused": [40003, "isv.signature-invalid"],
        "pushed": "101",
        "tampered": None,
    }
