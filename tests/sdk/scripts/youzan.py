"""Drives a simulated Youzan cloud with mcp-cn-commerce; prints what it saw as one line of JSON."""

import asyncio
import json
import sys
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from servers.youzan.client import YouzanClient
from servers.youzan.schema import ORDER_DETAIL, ORDER_LIST, REFUND_DETAIL, REFUND_LIST
from shared.cn_commerce_base import CommerceAPIError
from shared.normalizer import Normalizer

url, token = sys.argv[1:3]


async def seen():
    """Return what the library reads, and how it is refused."""
    YouzanClient.BASE_URL = f"{url}/api/"
    client = YouzanClient(app_key="yzclient", app_secret="yzsecret", access_token=token)
    now = datetime.now(ZoneInfo("Asia/Shanghai"))
    start, end = [(now - timedelta(hours=hours)).strftime("%Y-%m-%d %H:%M:%S") for hours in (2, 0)]
    listed = await client._call(ORDER_LIST, {"start_update": start, "end_update": end, "page_no": 1, "page_size": 100})
    tids = [row["full_order_info"]["order_info"]["tid"] for row in listed["data"]["full_order_info_list"]]
    detail = await client._call(ORDER_DETAIL, {"tid": tids[0]})
    at = int(now.timestamp())
    span = {"update_time_start": at - 7200, "update_time_end": at}
    found = await client._call(REFUND_LIST, {**span, "page_no": 1, "page_size": 100})
    refund = await client._call(REFUND_DETAIL, {"refund_id": found["data"]["refunds"][0]["refund_id"]})
    try:
        await client._call(ORDER_DETAIL, {"tid": "E77"})
        code = 0
    except CommerceAPIError as error:
        code = error.code
    await client.close()
    order = Normalizer().normalize_order(detail, "youzan")
    told = Normalizer().normalize_refund(refund, "youzan")
    return {
        "tids": tids,
        "order": [order.order_id, order.status, bool(order.created_at), [item.quantity for item in order.items]],
        "refund": [told.order_id, told.status, bool(told.updated_at)],
        "refused": code,
    }


sys.stdout.write(json.dumps(asyncio.run(seen()), ensure_ascii=False) + "\n")
