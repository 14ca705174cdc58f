"""What every test gets. The database and the broker come from the plugin tests/servers.py (see addopts)."""

from django.conf import settings


def pytest_configure() -> None:
    """Make the folder that collectstatic fills: whitenoise warns where it is missing, and warnings are errors."""
    settings.STATIC_ROOT.mkdir(exist_ok=True)
