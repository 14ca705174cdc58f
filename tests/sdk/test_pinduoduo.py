"""The PyPI library pdd_sdk against the simulated Pinduoduo: HUB_SDK_PYTHON_PINDUODUO has ``pdd_sdk==1.0.8``."""

import json
import os
import subprocess
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from channels.simulators.pinduoduo import Platform, make_order

PYTHON = os.environ.get("HUB_SDK_PYTHON_PINDUODUO", "")
SCRIPT = Path(__file__).parent / "scripts/pinduoduo.py"
pytestmark = [
    pytest.mark.sdk,
    pytest.mark.skipif(not PYTHON, reason="HUB_SDK_PYTHON_PINDUODUO does not name a Python with pdd_sdk"),
]


def test_the_library_understands_the_simulated_platform() -> None:
    platform = Platform()
    at = datetime.now(UTC) - timedelta(minutes=10)
    for number in (1, 2):
        platform.add_order(make_order(number, [("TEE", "T恤", 2, Decimal("109.00"))], placed_at=at, paid_at=at))
    with platform.serve() as server:
        credentials = [platform.credentials[name] for name in ("client_id", "client_secret", "access_token")]
        command = [PYTHON, "-P", "-W", "ignore", str(SCRIPT), server.url.rsplit(":", 1)[1], *credentials]
        utf8 = os.environ | {"PYTHONIOENCODING": "utf-8"}
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False, env=utf8)

    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout.splitlines()[-1]) == {
        "orders": ["2", "1"],
        "line": ["T恤", 2],
        "stock": True,
        "refused": "",
    }
    assert platform.stock == {"7": 12}
