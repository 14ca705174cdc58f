"""What the simulated shop holds: trades, parcels and stock figures, and the rules by which they change."""

from collections import Counter
from collections.abc import Callable, Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any

from channels.simulators.taobao_gate import TopError, invalid, read_date

CARRIERS = {"SF", "ZTO", "YTO", "YUNDA", "STO", "EMS", "JD"}
CLOSED = {"TRADE_CLOSED", "TRADE_CLOSED_BY_TAOBAO"}
TO_SHIP = {"WAIT_SELLER_SEND_GOODS", "SELLER_CONSIGNED_PART"}
SHIPPED = "WAIT_BUYER_CONFIRM_GOODS"
FULL, DELTA = 1, 2
MOST_SKUS = 20
REFUSED_SHIPMENT = "isv.logistics-offline-service-error:B04"
REFUSED_CARRIER = "isv.logistics-offline-service-error:B60"
REFUSED_ITEM = "isv.item-not-exist"


@dataclass
class Shop:
    """The rows behind one seller's session. Not locked: the platform does that."""

    trades: dict[int, dict[str, Any]] = field(default_factory=dict)
    parcels: list[dict[str, Any]] = field(default_factory=list)
    stock: dict[tuple[int, int], int] = field(default_factory=dict)  # (num_iid, sku_id or 0 for the item itself)
    outer_ids: dict[tuple[int, str], int] = field(default_factory=dict)
    listed: set[tuple[int, int]] = field(default_factory=set)
    shown: dict[tuple[int, int], dict[str, str]] = field(default_factory=dict)  # title, price, kind, outer_id, barcode

    def put(self, trade: Mapping[str, Any]) -> int:
        """Take a trade; raises ``ValueError`` for one that the platform could not have."""
        for name in ("tid", "status", "modified", "orders"):
            if name not in trade:
                raise ValueError(f"a trade needs {name}")
        read_date(trade["modified"])
        tid = int(trade["tid"])
        self.trades[tid] = deepcopy(dict(trade)) | {"tid": tid, "tid_str": str(tid)}
        return tid

    def close(self, tid: int, *, at: str) -> None:
        """Close a trade and its orders; raises ``KeyError``."""
        trade = self.trades[tid]
        status = "TRADE_CLOSED" if trade.get("pay_time") else "TRADE_CLOSED_BY_TAOBAO"
        trade.update(status=status, end_time=at, modified=at)
        for order in trade["orders"]["order"]:
            order.update(status=status, end_time=at)

    def ship(self, trade: dict[str, Any], asked: Mapping[str, Any], *, at: str) -> None:
        """Put orders of a trade into a parcel and move its status; raises ``TopError``."""
        orders = _orders_to_ship(trade, asked)
        for order in orders:
            order.update(
                status=SHIPPED, logistics_company=asked["company_code"], invoice_no=asked["out_sid"], consign_time=at
            )
        left = any(order["status"] in TO_SHIP for order in trade["orders"]["order"])
        trade.update(status="SELLER_CONSIGNED_PART" if left else SHIPPED, modified=at)
        trade.setdefault("consign_time", at)
        self.parcels.append(
            {
                "tid": trade["tid"],
                "company_code": asked["company_code"],
                "out_sid": asked["out_sid"],
                "oids": [order["oid"] for order in orders],
                "consign_time": at,
            }
        )

    def set_stock(self, item: int, figures: Mapping[int, int], *, kind: int) -> None:
        """Set (1) or change (2) figures; a change below zero ends at zero; raises ``TopError``."""
        if kind not in {FULL, DELTA}:
            raise invalid("type", "1 or 2")
        for sku_id, quantity in figures.items():
            if self.listed and (item, sku_id) not in self.listed:
                raise TopError(15, REFUSED_ITEM, f"{item}/{sku_id}")
            if kind == FULL and quantity < 0:
                raise invalid("quantity", "0 or more")
        for sku_id, quantity in figures.items():
            before = self.stock.get((item, sku_id), 0) if kind == DELTA else 0
            self.stock[item, sku_id] = max(before + quantity, 0)

    def sku_of(self, item: int, outer_id: str) -> int:
        """Find a SKU by the seller's code; raises ``TopError``."""
        if (item, outer_id) not in self.outer_ids:
            raise TopError(15, REFUSED_ITEM, f"{item}/{outer_id}")
        return self.outer_ids[item, outer_id]

    def item(self, item: int, sku_ids: list[int], *, at: str) -> dict[str, Any]:
        """Return the item as the platform shows it after a change."""
        skus = [{"sku_id": sku_id, "quantity": self.stock[item, sku_id], "modified": at} for sku_id in sku_ids]
        total = sum(quantity for (of_item, _), quantity in self.stock.items() if of_item == item)
        shown: dict[str, Any] = {"iid": str(item), "num_iid": item, "num": total, "modified": at}
        return {"item": shown | ({"skus": {"sku": skus}} if skus else {})}

    def state(self) -> dict[str, Any]:
        """Return counts, parcels and stock figures as plain values."""
        return {
            "trades": len(self.trades),
            "by_status": dict(Counter(trade["status"] for trade in self.trades.values())),
            "parcels": deepcopy(self.parcels),
            "stock": [
                {"num_iid": item, "sku_id": sku_id, "quantity": quantity}
                for (item, sku_id), quantity in sorted(self.stock.items())
            ],
        }


def _orders_to_ship(trade: dict[str, Any], asked: Mapping[str, Any]) -> list[dict[str, Any]]:
    if asked["company_code"] not in CARRIERS:
        raise TopError(15, REFUSED_CARRIER, f"物流公司不存在: {asked['company_code']}")
    if trade["status"] not in TO_SHIP:
        raise TopError(15, REFUSED_SHIPMENT, f"订单状态不允许发货: {trade['status']}")
    open_orders = [order for order in trade["orders"]["order"] if order["status"] in TO_SHIP]
    if not asked.get("is_split"):
        return open_orders
    if not asked.get("sub_tid"):
        raise TopError(40, "isv.missing-parameter", "sub_tid", about="sub_tid")
    wanted = [order for order in open_orders if order["oid"] in asked["sub_tid"]]
    if len(wanted) != len(set(asked["sub_tid"])):
        raise TopError(15, REFUSED_SHIPMENT, "子订单不存在或已发货")
    return wanted


def read_figures(asked: Mapping[str, Any], *, sku_of: Callable[[str], int]) -> dict[int, int]:
    """Read ``1001:20;1002:0`` by SKU id or by the seller's code; raises ``TopError``."""
    name = "skuid_quantities" if "skuid_quantities" in asked else "outerid_quantities"
    text = asked.get(name, "")
    if not text:
        raise TopError(40, "isv.missing-parameter", "skuid_quantities", about="skuid_quantities")
    figures: dict[int, int] = {}
    for part in text.strip(";").split(";"):
        code, _, quantity = part.rpartition(":")
        try:
            figures[int(code) if name == "skuid_quantities" else sku_of(code)] = int(quantity)
        except ValueError as error:
            raise invalid(name, part) from error
    if len(figures) > MOST_SKUS:
        raise invalid(name, f"at most {MOST_SKUS} SKUs")
    return figures
