"""Kingdee's library against the simulated site: HUB_SDK_PYTHON_KINGDEE has ``kingdee.cdp.webapi.sdk==8.2.0``."""

import json
import os
import subprocess
from pathlib import Path

import pytest

from channels.simulators.kingdee import Platform

PYTHON = os.environ.get("HUB_SDK_PYTHON_KINGDEE", "")
SCRIPT = Path(__file__).parent / "scripts/kingdee.py"
pytestmark = [
    pytest.mark.sdk,
    pytest.mark.skipif(not PYTHON, reason="HUB_SDK_PYTHON_KINGDEE does not name a Python with Kingdee's library"),
]


def test_the_official_library_understands_the_simulated_site() -> None:
    platform = Platform()
    with platform.serve() as server:
        command = [PYTHON, "-P", "-W", "ignore", str(SCRIPT), f"{server.url}{platform.path}/"]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)

    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout.splitlines()[-1]) == {
        "saved": [True, 0],
        "again": [False, 11],
        "submitted": [True, 0],
        "audited": [True, 0],
        "found": [["杭州-1", "C"]],
    }
    assert platform.state()["bills"] == {"SAL_OUTSTOCK 杭州-1": "C"}
