"""Stock's tests work with the reason codes that every installation starts with."""

from typing import Any

import pytest


@pytest.fixture(autouse=True)
def with_standard_reasons(request: pytest.FixtureRequest) -> Any:
    """Give every test that may use the database the standard reasons."""
    marker = request.node.get_closest_marker("django_db")
    return request.getfixturevalue("standard_reasons") if marker and not marker.kwargs.get("transaction") else None
