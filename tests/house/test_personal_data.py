"""Personal data lives in declared columns, and pages ask nobody outside."""

import re

from django.apps import apps

from tests.house.source import APPS, ROOT

SOUNDS_PERSONAL = re.compile("name|phone|mobile|address|email|recipient|receiver|buyer|customer|birth|token")
NOT_PERSONAL = {
    "channels.Channel.name": "a shop's name",
    "channels.Channel.name_en": "a shop's name",
    "channels.HistoricalChannel.name": "a shop's name",
    "channels.HistoricalChannel.name_en": "a shop's name",
    "orders.Order.address_revision": "counts how often a channel spoke of the address",
    "orders.Order.customer": "points at the buyer, whose columns are declared",
    "orders.OrderPricing.buyer_facts": "a tier, segments and a count, no person",
    **{
        f"orders.{model}.{column}": "what people call a rule, a storm or a trial"
        for model, columns in {
            "RoutingPolicy": ("name", "name_en"),
            "HistoricalRoutingPolicy": ("name", "name_en"),
            "Disruption": ("name",),
            "HistoricalDisruption": ("name",),
            "WhatIf": ("name",),
            "WhatIfVariant": ("name",),
        }.items()
        for column in columns
    },
}
HOST = re.compile(r"""(?:https?:)?//(?P<host>[a-z0-9.-]+\.[a-z]{2,}|\[[0-9a-f:]+\]|localhost|[0-9.]+)""", re.IGNORECASE)
LOCAL = {"localhost", "127.0.0.1", "[::1]"}
NAMESPACES = {"www.w3.org": "the name of an XML namespace, never fetched"}


def personal_looking():
    for model in apps.get_models():
        if model._meta.app_label in ("orders", "channels"):
            declared = getattr(model, "PERSONAL_DATA", ())
            for field in model._meta.concrete_fields:
                if SOUNDS_PERSONAL.search(field.name) and field.name not in declared:
                    yield f"{model._meta.app_label}.{model.__name__}.{field.name}"


def test_a_column_that_sounds_personal_is_declared_or_explained():
    assert set(personal_looking()) == set(NOT_PERSONAL)


def test_what_is_declared_exists():
    for model in apps.get_models():
        names = {field.name for field in model._meta.concrete_fields}
        assert set(getattr(model, "PERSONAL_DATA", ())) <= names, model


def outside_hosts(text):
    return {match["host"].lower() for match in HOST.finditer(text)} - LOCAL - set(NAMESPACES)


def test_no_page_asks_another_host():
    files = [
        path
        for folder in (ROOT / "templates", ROOT / "static", *(ROOT / app for app in APPS))
        for path in folder.rglob("*")
        if path.suffix in (".html", ".css", ".js", ".svg", ".txt") and path.is_file()
    ]
    assert {str(path.relative_to(ROOT)): hosts for path in files if (hosts := outside_hosts(path.read_text()))} == {}


def test_the_search_for_hosts_finds_them():
    assert outside_hosts('<script src="https://cdn.example.com/a.js">') == {"cdn.example.com"}
    assert outside_hosts("@import url(//fonts.example.org/x)") == {"fonts.example.org"}
    assert outside_hosts('xmlns="http://www.w3.org/2000/svg" href="http://127.0.0.1:8000/"') == set()
