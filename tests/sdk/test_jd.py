"""The PyPI library jd-sdk against the simulated JD: HUB_SDK_PYTHON_JD has ``jd-sdk==1.1.1``."""

import json
import os
import subprocess
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from channels.simulators.jd import Platform, make_order

PYTHON = os.environ.get("HUB_SDK_PYTHON_JD", "")
SCRIPT = Path(__file__).parent / "scripts/jd.py"
NOON = datetime(2026, 11, 23, 4, 0, tzinfo=UTC)
pytestmark = [
    pytest.mark.sdk,
    pytest.mark.skipif(not PYTHON, reason="HUB_SDK_PYTHON_JD does not name a Python with jd-sdk"),
]


def test_the_library_understands_the_simulated_platform() -> None:
    platform = Platform()
    for number in (1, 2):
        platform.add_order(make_order(number, [("TEE", "T恤", 2, Decimal("109.00"))], placed_at=NOON, paid_at=NOON))
    with platform.serve() as server:
        credentials = [platform.credentials[name] for name in ("app_key", "app_secret", "access_token")]
        command = [PYTHON, "-P", "-W", "ignore", str(SCRIPT), server.url.rsplit(":", 1)[1], *credentials]
        china = os.environ | {"TZ": "Asia/Shanghai", "PYTHONIOENCODING": "utf-8"}
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False, env=china)

    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout.splitlines()[-1]) == {
        "orders": ["2", "1"],
        "title": "T恤",
        "stock": {"code": "0", "success": True},
        "refused": "19",
    }
    assert platform.stock == {"7": 12}
