"""A desk with people of different powers."""

from collections.abc import Callable

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client

from orders.services import pipeline
from tests import small_company as company
from tests.small_company import NOON


@pytest.fixture
def boss(db) -> User:
    return User.objects.create_superuser("boss", "", "a-long-password")


@pytest.fixture
def desk(boss, client) -> Client:
    """A browser in which the superuser is logged in."""
    client.force_login(boss)
    return client


@pytest.fixture
def clerk(db) -> Callable[..., Client]:
    """Log somebody in who has just these permissions (``app.codename``)."""

    def log_in(*permissions: str) -> Client:
        user = User.objects.create_user(f"clerk{User.objects.count()}", "", "a-long-password", is_staff=True)
        for permission in permissions:
            app, codename = permission.split(".")
            user.user_permissions.add(Permission.objects.get(content_type__app_label=app, codename=codename))
        browser = Client()
        browser.force_login(user)
        return browser

    return log_in


@pytest.fixture
def shop(db):
    """One channel, two nodes, two SKUs with stock; ASCII names, so that every page can be read in both languages."""
    channel = company.channel()
    cup, lid = company.sku("CUP"), company.sku("LID")
    cup.category.name = cup.category.name_en = "Cups"
    cup.category.save()
    near, far = company.node("SH", city="Shanghai"), company.node("WH", "42", city="Wuhan")
    company.stock(cup, near, 10)
    company.stock(lid, near, 10)
    company.stock(cup, far, 10)
    return channel, cup, lid, near, far


@pytest.fixture
def sell(shop) -> Callable[..., None]:
    """Let orders come in and walk as far as they can: number → lines (SKU code → quantity)."""
    address = {
        "province": "Shanghai",
        "city": "Shanghai",
        "line": "1 Test Road",
        "name": "Wang",
        "phone": "13812345678",
    }

    def sell_(orders: dict[str, dict[str, int]], **facts) -> None:
        facts = {"address": address, "buyer_name": "Wang"} | facts
        company.receive(shop[0], *(company.order_message(number, lines, **facts) for number, lines in orders.items()))
        pipeline.drain(at=lambda: NOON)

    return sell_
