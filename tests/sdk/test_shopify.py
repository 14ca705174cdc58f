"""Shopify's own Python library against the simulated shop: HUB_SDK_PYTHON_SHOPIFY has ``ShopifyAPI==12.7.0``."""

import json
import os
import subprocess
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from channels.simulators.shopify import Platform, make_order

PYTHON = os.environ.get("HUB_SDK_PYTHON_SHOPIFY", "")
SCRIPT = Path(__file__).parent / "scripts/shopify.py"
NOON = datetime(2026, 11, 20, 4, 0, tzinfo=UTC)
pytestmark = [
    pytest.mark.sdk,
    pytest.mark.skipif(not PYTHON, reason="HUB_SDK_PYTHON_SHOPIFY does not name a Python with ShopifyAPI"),
]


def test_the_official_library_understands_the_simulated_shop() -> None:
    platform = Platform(calls_at_once=40)
    for number in range(1, 6):
        at = NOON + timedelta(minutes=number)
        platform.add_order(make_order(number, [("TEE", "Tee", 2, Decimal("109.00"))], placed_at=at, paid_at=at))
    with platform.serve() as server:
        token = platform.credentials["access_token"]
        command = [PYTHON, "-P", "-W", "ignore", str(SCRIPT), server.url, token]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)

    assert done.returncode == 0, done.stderr
    seen = json.loads(done.stdout.splitlines()[-1])
    assert seen.pop("used") in range(1, 6)
    assert seen == {
        "orders": [5, 4, 3, 2, 1],
        "lines": [["TEE", 2, "109.00"]],
        "nodes": [{"id": "gid://shopify/Order/5", "displayFulfillmentStatus": "UNFULFILLED"}],
        "hmac": "700e2dadb827fcc8609e9d5ce208b2e9cdaab9df07390d2cbca10d7c328fc4bf",
        "refused": "UnauthorizedAccess",
    }
