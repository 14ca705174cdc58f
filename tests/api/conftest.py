"""People who ask the API, and a company to ask about."""

from collections.abc import Callable

import pytest
from django.contrib.auth.models import Permission, User
from rest_framework.test import APIClient

from tests.orders.services.conftest import hub

__all__ = ["client_with", "hub", "reader"]
READS = ("orders.view_order", "orders.view_fulfillment", "inventory.view_stocklevel")


@pytest.fixture
def client_with(db: None) -> Callable[..., APIClient]:
    """Return a maker of clients that are logged in as somebody with exactly these permissions."""

    def make(*permissions: str) -> APIClient:
        user = User.objects.create_user(f"user{User.objects.count()}")
        for label in permissions:
            app, name = label.split(".")
            user.user_permissions.add(Permission.objects.get(content_type__app_label=app, codename=name))
        client = APIClient()
        client.force_login(user)
        return client

    return make


@pytest.fixture
def reader(client_with: Callable[..., APIClient]) -> APIClient:
    """Somebody who may read everything but personal data."""
    return client_with(*READS)
