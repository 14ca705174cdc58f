"""AfterShip's library against the simulator: HUB_SDK_PYTHON_AFTERSHIP has ``aftership_tracking_sdk==10.0.1``."""

import json
import os
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest

from channels.simulators.aftership import Platform

PYTHON = os.environ.get("HUB_SDK_PYTHON_AFTERSHIP", "")
SCRIPT = Path(__file__).parent / "scripts/aftership.py"
pytestmark = [
    pytest.mark.sdk,
    pytest.mark.skipif(not PYTHON, reason="HUB_SDK_PYTHON_AFTERSHIP does not name a Python with AfterShip's library"),
]


def test_the_official_library_understands_the_simulator() -> None:
    platform = Platform()
    platform.followed["dhl", "D2"] = {"slug": "dhl", "tracking_number": "D2", "tag": "Pending", "checkpoints": []}
    platform.scan("dhl", "D2", "Delivered", "Signed", at=datetime(2026, 11, 23, 10, 0, tzinfo=UTC))
    with platform.serve() as server:
        command = [PYTHON, "-P", "-W", "ignore", str(SCRIPT), server.url]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)

    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout.splitlines()[-1]) == {
        "created": ["dhl", "Pending"],
        "again": [400, 4003],
        "listed": [["D2", "Delivered"], ["D1", "Pending"]],
        "stranger": [401, 401],
    }
