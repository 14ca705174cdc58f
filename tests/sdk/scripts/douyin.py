"""Drives a simulated Douyin with the PyPI library doudian; prints what it saw as one line of JSON."""

import json
import sys
import time

from doudian import AppType, DouDian

url, key, secret, body, signature = sys.argv[1:6]
shop = DouDian(app_key=key, app_secret=secret, app_type=AppType.TOOL)
shop._gate_way = url
assert shop.init_token("code-1")
listed = shop.request("/order/searchList", {"page": 0, "size": 10, "product": "上海", "order_by": "create_time"})
number = listed["data"]["shop_order_list"][0]["order_id"]
detail = shop.request("/order/orderDetail", {"shop_order_id": number})
shop._token["expires_in"] = int(time.time())  # so near its end that the library renews it by itself
before = shop._token["access_token"]
renewed = shop.request("/order/logisticsCompanyList", {})
shop._app_secret = "wrong"
refused = shop.request("/order/searchList", {"page": 0, "size": 10})
shop._app_secret = secret
headers = {"app-id": key, "event-sign": signature}
seen = {
    "orders": [row["order_id"] for row in listed["data"]["shop_order_list"]],
    "title": detail["data"]["shop_order_detail"]["sku_order_list"][0]["product_name"],
    "renewed": renewed["err_no"] == 0 and shop._token["access_token"] != before,
    "refused": [refused["err_no"], refused["sub_code"]],
    "pushed": shop.callback(headers, body.encode())[0]["tag"],
    "tampered": shop.callback(headers, body.encode() + b" "),
}
sys.stdout.write(json.dumps(seen, ensure_ascii=False) + "\n")
