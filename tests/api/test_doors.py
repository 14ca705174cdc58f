"""Who may ask, in which language errors come, the schema, and the docs page."""

import re
import warnings
from io import StringIO

import pytest
from django.core.management import call_command
from rest_framework.test import APIClient

from tests import small_company as company

PATHS = {
    "/api/v1/orders/": "orders.view_order",
    "/api/v1/orders/JD-1/": "orders.view_order",
    "/api/v1/fulfillments/": "orders.view_fulfillment",
    "/api/v1/fulfillments/JD-1-1/": "orders.view_fulfillment",
    "/api/v1/availability/?sku=CUP": "inventory.view_stocklevel",
    "/api/v1/stock/": "inventory.view_stocklevel",
    "/api/v1/stock/CUP/why/": "inventory.view_stocklevel",
    "/api/v1/stock/CUP/channels/": "inventory.view_stocklevel",
    "/api/v1/stock/CUP/SH/why/": "inventory.view_stocklevel",
}


@pytest.mark.parametrize("path", PATHS)
def test_each_path_needs_its_own_permission(hub, client_with, path):
    hub.take(company.order_message("1", {"CUP": 1}))
    needed = PATHS[path]
    others = set(PATHS.values()) - {needed}

    stranger = APIClient().get(path)
    assert (stranger.status_code, stranger.json()["code"]) == (403, "not_authenticated")
    refused = client_with(*others).get(path)
    assert (refused.status_code, refused.json()["code"]) == (403, "permission_denied")
    assert client_with(needed).get(path).status_code == 200


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("method", ["post", "put", "patch", "delete"])
def test_nothing_is_written_through_the_api(hub, reader, path, method):
    response = getattr(reader, method)(path, {}, format="json")
    assert response.status_code in (403, 405)
    assert response["Content-Type"] == "application/problem+json"


def test_problems_are_told_in_the_language_of_the_request(client_with):
    chinese = client_with().get("/api/v1/orders/", headers={"accept-language": "zh-CN,zh;q=0.9"})
    english = client_with().get("/api/v1/orders/", headers={"accept-language": "en"})
    assert chinese.json()["code"] == english.json()["code"] == "permission_denied"
    assert english.json()["detail"] == "You do not have permission to perform this action."
    assert re.search("[\u4e00-\u9fff]", chinese.json()["detail"])
    assert "Accept-Language" in chinese["Vary"]


def test_the_schema_is_made_without_warnings_and_is_valid():
    out, errors = StringIO(), StringIO()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        call_command("spectacular", validate=True, fail_on_warn=True, stdout=out, stderr=errors)
    text = out.getvalue()
    assert errors.getvalue() == ""
    for path in ("/api/v1/orders/", "/api/v1/orders/{number}/", "/api/v1/fulfillments/", "/api/v1/availability/"):
        assert f"  {path}:" in text


def test_the_schema_and_its_page_are_served(client):
    assert client.get("/api/schema/").status_code == 200
    assert client.get("/api/docs/").status_code == 200


def test_the_docs_page_asks_nobody_outside(client):
    page = client.get("/api/docs/").content.decode()
    addresses = re.findall(r"""(?:src|href)=["']([^"']+)|url\(([^)]+)""", page)
    assert addresses
    assert [one for pair in addresses for one in pair if one.startswith(("http:", "https:", "//"))] == []
    assert "drf_spectacular_sidecar/swagger-ui-dist/swagger-ui-bundle.js" in page
