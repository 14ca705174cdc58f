"""Drives a simulated WeChat Shop with wechatpy and mcp-cn-commerce; prints what they saw as one line of JSON."""

import asyncio
import json
import sys
import time

import requests
from servers.weixin_store.client import WeixinStoreMCP
from shared.cn_commerce_base import CommerceAPIError
from wechatpy import WeChatClient
from wechatpy.crypto import WeChatCrypto
from wechatpy.exceptions import InvalidSignatureException, WeChatClientException
from wechatpy.utils import check_signature

url, appid, secret, token, aes_key, push, door = sys.argv[1:8]


class Shop(WeChatClient):
    """wechatpy's client, which knows the platform's address by heart, with another one."""

    API_BASE_URL = url

    def fetch_access_token(self):
        """Get a token where the simulator is."""
        asked = {"grant_type": "client_credential", "appid": self.appid, "secret": self.secret}
        return self._fetch_access_token(url=f"{url}/cgi-bin/token", params=asked)


def refused(shop):
    """Return the code with which a wrong order number is refused."""
    try:
        shop.post("/channels/ec/order/get", data={"order_id": "77"})
    except WeChatClientException as error:
        return error.errcode
    return 0


def pushed():
    """Return what wechatpy reads in the simulator's push, and whether it notices a changed one."""
    told = json.loads(push)
    crypto, query = WeChatCrypto(token, aes_key, appid), told["query"]
    sealed = json.loads(told["body"])["Encrypt"]
    body = f"<xml><Encrypt><![CDATA[{sealed}]]></Encrypt></xml>"
    stamp = (query["timestamp"], query["nonce"])
    event = json.loads(crypto.decrypt_message(body, query["msg_signature"], *stamp))
    try:
        crypto.decrypt_message(body, "0" * 40, *stamp)
    except InvalidSignatureException:
        return [event["Event"], event["order_info"]["order_id"], "refused"]
    return [event["Event"], event["order_info"]["order_id"], "taken"]


def sealed_by_library():
    """Post a push that wechatpy sealed to the hub's side, and return how it was answered."""
    at, nonce = str(int(time.time())), "n1"
    message = '{"Event":"channels_ec_order_pay","order_info":{"order_id":3705115058471208928}}'
    body = WeChatCrypto(token, aes_key, appid).encrypt_message(message, nonce, at)
    signed = body.split("<MsgSignature><![CDATA[")[1].split("]]")[0]
    query = {"timestamp": at, "nonce": nonce, "msg_signature": signed, "encrypt_type": "aes"}
    return requests.post(door, params=query, data=body.encode(), timeout=10).json()


async def store(start, end):
    """Return what the store client of mcp-cn-commerce sees."""
    WeixinStoreMCP.BASE_URL = url
    client = WeixinStoreMCP(app_key=appid, app_secret=secret)
    window = {"update_time_range": {"start_time": start, "end_time": end}, "page_size": 1, "next_key": ""}
    pages, ids = 0, []
    while True:
        page = await client._request("POST", "/channels/ec/order/list/get", data=window)
        pages, ids = pages + 1, ids + page["order_id_list"]
        if not page["has_more"]:
            break
        window["next_key"] = page["next_key"]
    asked = {"begin_update_time": start, "end_update_time": end, "next_key": ""}
    refunds = await client._request("POST", "/channels/ec/aftersale/getaftersalelist", data=asked)
    number = {"after_sale_order_id": refunds["after_sale_order_id_list"][0]}
    refund = await client._request("POST", "/channels/ec/aftersale/getaftersaleorder", data=number)
    try:
        await client._request("POST", "/channels/ec/order/get", data={"order_id": "77"})
        code = 0
    except CommerceAPIError as error:
        code = error.code
    await client.close()
    return [pages, ids, refund["after_sale_order"]["status"], code]


shop = Shop(appid, secret, access_token="stolen")  # no good: the library renews it by itself
now = int(time.time())
order = shop.post("/channels/ec/order/get", data={"order_id": "1"})["order"]
check_signature(token, json.loads(push)["plain"], "1795399200", "nonce1")
seen = {
    "title": order["order_detail"]["product_infos"][0]["title"],
    "refused": refused(shop),
    "pushed": pushed(),
    "taken": sealed_by_library(),
    "store": asyncio.run(store(now - 7200, now)),
}
sys.stdout.write(json.dumps(seen, ensure_ascii=False) + "\n")
