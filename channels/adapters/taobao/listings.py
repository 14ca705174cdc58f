"""What the shop lists, and who the shop is.

Not verified against the live platform (documented calls, long stable): the names ``ITEMS``, ``DETAILS``, ``SHOP`` and
the fields asked of them. Items move towards the front of the list when they are listed again, so pages are read from
the last to the first: what moves is met again and never missed.
"""

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Any, Final

from channels.adapters import fetching
from channels.adapters.protocol import Connection
from channels.adapters.taobao import client
from channels.adapters.taobao.client import PLATFORM, Answer
from channels.messages import ListedItem

ITEMS: Final = "taobao.items.onsale.get"
DETAILS: Final = "taobao.items.seller.list.get"
SHOP: Final = "taobao.user.seller.get"
DETAIL_FIELDS: Final = "num_iid,title,num,price,outer_id,barcode,approve_status,sku"
PAGE_SIZE: Final = 20  # as many as one call for details takes


def listings(connection: Connection) -> Iterator[list[ListedItem]]:
    """Yield what is on sale, page by page; raises ``RetryLater`` or ``Rejected``."""
    first = _page(connection, 1)
    total: int = fetching.read(PLATFORM, first.body, lambda: int(first.inner["total_results"]))
    for number in range(-(-total // PAGE_SIZE), 0, -1):
        page = _page(connection, number)
        numbers = fetching.read(PLATFORM, page.body, partial(_numbers, page))
        if numbers:
            answer = client.call(connection, DETAILS, {"fields": DETAIL_FIELDS, "num_iids": ",".join(numbers)})
            yield fetching.read(PLATFORM, answer.body, partial(_listed, answer))


def shop_name(connection: Connection) -> str:
    """Return the seller's nick; raises ``RetryLater`` or ``Rejected``."""
    user = client.call(connection, SHOP, {"fields": "nick"}).inner.get("user")
    return str(user.get("nick") or "") if isinstance(user, dict) else ""


def _page(connection: Connection, number: int) -> Answer:
    asked = {"fields": "num_iid", "page_no": str(number), "page_size": str(PAGE_SIZE)}
    return client.call(connection, ITEMS, asked)


def _numbers(page: Answer) -> list[str]:
    return [str(int(item["num_iid"])) for item in _rows(page.inner, "items", "item")]


def _listed(answer: Answer) -> list[ListedItem]:
    """Return the items' SKUs, an item itself when it has none; the code is the one that its orders will name."""
    items = _rows(answer.inner, "items", "item")
    return [_one(item, sku) for item in items for sku in _rows(item, "skus", "sku") or [{}]]


def _one(item: Mapping[str, Any], sku: Mapping[str, Any]) -> ListedItem:
    kind = " ".join(part.split(":")[-1] for part in str(sku.get("properties_name") or "").split(";") if part)
    sku_id = str(sku.get("sku_id") or "")
    return ListedItem(
        external_item_id=str(int(item["num_iid"])),
        external_sku_id=sku_id,
        external_code=str(sku.get("outer_id") or item.get("outer_id") or sku_id),
        title=f"{item.get('title') or ''} {kind}".strip(),
        barcode=str(sku.get("barcode") or item.get("barcode") or ""),
        quantity=fetching.units(sku.get("quantity", item.get("num"))),
        price=fetching.price(sku.get("price", item.get("price"))),
        is_on_sale=item.get("approve_status", "onsale") == "onsale",
    )


def _rows(told: Mapping[str, Any], outer: str, inner: str) -> Sequence[Mapping[str, Any]]:
    return (told.get(outer) or {}).get(inner) or []
