"""Drives a simulated JD with the PyPI library jd-sdk; prints what it saw as one line of JSON."""

import json
import sys

import jd
from jd.api.base import RestApi

port, key, secret, token = sys.argv[1:5]


class Search(RestApi):
    """The list of orders, which the library has no class for."""

    def getapiname(self):
        return "jingdong.pop.order.enSearch"


class SetStock(RestApi):
    def getapiname(self):
        return "jingdong.ware.stock.sku.set"


def call(kind, *, access_token=token, **arguments):
    request = kind("127.0.0.1", int(port))
    request.set_app_info(jd.appinfo(key, secret))
    for name, value in arguments.items():
        setattr(request, name, value)
    return request.getResponse(access_token)


window = {"start_date": "2026-11-23 00:00:00", "end_date": "2026-11-23 23:59:59"}
paging = {"page": "1", "page_size": "10", "sortType": "0", "dateType": "0"}
asked = {"source_id": "JOS", "order_state": "ALL", "optional_fields": "orderId,itemInfoList", **window, **paging}
listed = call(Search, **asked)["jingdong_pop_order_enSearch_responce"]["searchorderinfo_result"]
seen = {
    "orders": [row["orderId"] for row in listed["orderInfoList"]],
    "title": listed["orderInfoList"][0]["itemInfoList"][0]["skuName"],
    "stock": call(SetStock, skuId="7", stockNum="12")["jingdong_ware_stock_sku_set_responce"],
    "refused": call(Search, access_token="other", **asked)["error_response"]["code"],
}
sys.stdout.write(json.dumps(seen, ensure_ascii=False) + "\n")
