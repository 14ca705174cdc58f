"""Square's library against the simulated merchant: HUB_SDK_PYTHON_SQUARE has ``squareup==46.0.0.20260916``."""

import json
import os
import subprocess
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from channels.simulators.square import Platform, make_order

PYTHON = os.environ.get("HUB_SDK_PYTHON_SQUARE", "")
SCRIPT = Path(__file__).parent / "scripts/square.py"
NOON = datetime(2026, 11, 20, 4, 0, tzinfo=UTC)
pytestmark = [
    pytest.mark.sdk,
    pytest.mark.skipif(not PYTHON, reason="HUB_SDK_PYTHON_SQUARE does not name a Python with squareup"),
]


def test_the_official_library_understands_the_simulated_merchant() -> None:
    platform = Platform()
    for number in range(1, 6):
        at = NOON + timedelta(minutes=number)
        platform.add_order(make_order(number, [("VAR-1", "Tee", 2, Decimal("109.00"))], placed_at=at, paid_at=at))
    with platform.serve() as server:
        command = [PYTHON, "-P", "-W", "ignore", str(SCRIPT), server.url, platform.credentials["access_token"]]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)

    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout.splitlines()[-1]) == {
        "orders": [f"ORDER0000000{number}" for number in range(1, 6)],
        "line": ["2", 10900],
        "shipped": ["COMPLETED", 2, "SF1"],
        "counts": [["VAR-1", "7"]],
        "location": "Store L1",
        "refused": "401 UNAUTHORIZED",
        "signature": True,
    }
