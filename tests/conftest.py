"""What every test gets. The database and the broker come from the plugin tests/servers.py (see addopts)."""

from collections.abc import Iterator
from importlib import import_module
from typing import Any

import pytest
from django.apps import apps
from django.conf import settings
from django.utils import translation


def pytest_configure() -> None:
    """Make the folder that collectstatic fills: whitenoise warns where it is missing, and warnings are errors."""
    settings.STATIC_ROOT.mkdir(exist_ok=True)


@pytest.fixture
def standard_reasons(db: Any) -> None:
    """Make sure that the reason codes of a new installation are there: tests that empty all tables take them away."""
    if not apps.get_model("inventory", "ReasonCode").objects.exists():
        import_module("inventory.migrations.0003_first_reasons").add(apps, None)
        import_module("inventory.migrations.0011_expired_goods").add(apps, None)


@pytest.fixture(autouse=True)
def in_english() -> Iterator[None]:
    """Begin every test in the installation's language: a page read in Chinese leaves its language in the thread."""
    translation.activate(settings.LANGUAGE_CODE)
    yield
    translation.activate(settings.LANGUAGE_CODE)
