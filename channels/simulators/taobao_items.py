"""The listing calls of the simulated shop: what is on sale, the details of items, and the seller.

Their parameters are not among the recorded contract: ``ASSUMED`` holds the long-known ones, not verified against the
live platform.
"""

from collections.abc import Mapping
from typing import Any

from channels.simulators.taobao_gate import invalid
from channels.simulators.taobao_shop import Shop

ASSUMED: dict[str, Any] = {
    "taobao.items.onsale.get": {"request": {"fields*": "String", "page_no": "Number", "page_size": "Number"}},
    "taobao.items.seller.list.get": {"request": {"fields*": "String", "num_iids*": "Number[]"}},
    "taobao.user.seller.get": {"request": {"fields*": "String"}},
}
NICK = "演示旗舰店"
MOST_ON_A_PAGE, MOST_DETAILS = 200, 20


def on_sale(shop: Shop, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Return a page of the items that are listed; raises ``TopError``."""
    size, number = asked.get("page_size", 40), asked.get("page_no", 1)
    if not (1 <= size <= MOST_ON_A_PAGE and number >= 1):
        raise invalid("page_size")
    items = sorted({item for item, _sku in shop.listed}, reverse=True)
    page = items[(number - 1) * size : number * size]
    return {"total_results": len(items), "items": {"item": [{"num_iid": item} for item in page]}}


def details(shop: Shop, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Return items with their SKUs; those that are not there are left out; raises ``TopError``."""
    if len(asked["num_iids"]) > MOST_DETAILS:
        raise invalid("num_iids", f"at most {MOST_DETAILS}")
    known = {item for item, _sku in shop.listed}
    return {"items": {"item": [_item(shop, number) for number in asked["num_iids"] if number in known]}}


def seller(_shop: Shop, _asked: Mapping[str, Any]) -> dict[str, Any]:
    """Return who the session belongs to."""
    return {"user": {"nick": NICK}}


def _item(shop: Shop, number: int) -> dict[str, Any]:
    rows = sorted(sku for item, sku in shop.listed if item == number)
    first = shop.shown.get((number, rows[0]), {})
    skus = [_sku(shop, number, sku) for sku in rows if sku]
    item = {
        "num_iid": number,
        "title": first.get("title", f"item {number}"),
        "num": sum(shop.stock.get((number, sku), 0) for sku in rows),
        "price": first.get("price", "1.00"),
        "approve_status": "onsale",
    }
    if skus:
        return item | {"skus": {"sku": skus}}
    return item | {name: first[name] for name in ("outer_id", "barcode") if first.get(name)}


def _sku(shop: Shop, number: int, sku: int) -> dict[str, Any]:
    told = shop.shown.get((number, sku), {})
    row = {"sku_id": sku, "quantity": shop.stock.get((number, sku), 0), "price": told.get("price", "1.00")}
    if told.get("kind"):
        row["properties_name"] = f"1627207:28320:颜色分类:{told['kind']}"
    return row | {name: told[name] for name in ("outer_id", "barcode") if told.get(name)}
