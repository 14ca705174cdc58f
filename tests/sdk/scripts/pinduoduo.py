"""Drives a simulated Pinduoduo with the PyPI library pdd_sdk; prints what it saw as one line of JSON."""

import json
import sys
import time
import urllib.parse  # the library uses it without importing it

import pdd_sdk
from pdd_sdk.api.base import DdkException, RestApi

assert urllib.parse
port, client_id, secret, token = sys.argv[1:5]


def call(method, *, access_token=token, **arguments):
    """Call a method that the library has no class for; it knows the token only as an argument like others."""
    kind = type("Call", (RestApi,), {"getapiname": lambda self: method})
    request = kind("127.0.0.1", int(port))
    request.set_app_info(pdd_sdk.appinfo(client_id, secret))
    for name, value in {**arguments, "access_token": access_token}.items():
        setattr(request, name, value)
    return request.getResponse()


def refused():
    try:
        call("pdd.order.information.get", order_sn="1", access_token="other")
    except DdkException as error:
        return error.submsg
    return None


now = int(time.time())
window = {"start_updated_at": now - 1800, "end_updated_at": now}
asked = {"is_lucky_flag": 1, "order_status": 5, "refund_status": 5, "page": 1, "page_size": 100, **window}
listed = call("pdd.order.number.list.increment.get", **asked)["order_sn_increment_get_response"]
order = call("pdd.order.information.get", order_sn="1")["order_info_get_response"]["order_info"]
stock = call("pdd.goods.quantity.update", goods_id=1, sku_id=7, quantity=12)
seen = {
    "orders": [row["order_sn"] for row in listed["order_sn_list"]],
    "line": [order["item_list"][0]["goods_name"], order["item_list"][0]["goods_count"]],
    "stock": stock["goods_quantity_update_response"]["is_success"],
    "refused": refused(),
}
sys.stdout.write(json.dumps(seen, ensure_ascii=False) + "\n")
