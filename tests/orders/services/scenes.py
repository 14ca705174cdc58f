"""What the tests of order verbs share: a shop of two SKUs and two nodes, and ways to look at all of it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import F, Sum

from channels.models import Channel, InboundMessage, OutboundMessage
from inventory.models import Node, NodeDay, Reservation, Sku, StockLevel, StockMovement
from orders.models import Fulfillment, Hold, Order, OrderEvent, OrderLine
from orders.services import pipeline
from tests import small_company as company
from tests.small_company import NOON


@dataclass(frozen=True)
class Shop:
    """One channel, two SKUs, a near and a far node."""

    channel: Channel
    cup: Sku
    lid: Sku
    near: Node
    far: Node

    def take(self, *messages: dict[str, Any], at: datetime = NOON) -> None:
        """Receive messages of the channel and work them off."""
        company.receive(self.channel, *messages, at=at)
        drain(at)


def drain(at: datetime = NOON) -> pipeline.Totals:
    """Work off the inbox at a moment."""
    return pipeline.drain(at=lambda: at)


def change(revision: int, external_id: str = "1", **facts: Any) -> dict[str, Any]:
    """Return a house-language change of an order."""
    return {"type": "change", "external_id": external_id, "revision": revision} | facts


def address(province: str = "上海市", city: str = "上海市") -> dict[str, str]:
    """Return an address in the house language."""
    return {"province": province, "city": city, "line": "2 Other Road", "name": "李**", "phone": "139****0000"}


def order(external_id: str = "1") -> Order:
    """Return the order as it is stored now."""
    return Order.objects.get(external_id=external_id)


def parcels(external_id: str = "1") -> list[Fulfillment]:
    """Return the parcels of an order, oldest first."""
    return list(Fulfillment.objects.filter(order__external_id=external_id).order_by("pk"))


def kinds(external_id: str = "1") -> list[str]:
    """Return the order's timeline as words."""
    return list(OrderEvent.objects.filter(order__external_id=external_id).order_by("pk").values_list("kind", flat=True))


def outcome(external_id: str, revision: int = 1, kind: str = "order") -> tuple[str, str]:
    """Return what became of a message."""
    return InboundMessage.objects.values_list("status", "reason_code").get(
        external_id=external_id, revision=revision, kind=kind
    )


def books() -> dict[str, Any]:
    """Return stock and room: what a verb that is refused, or taken back, must leave as it was."""
    return {
        "levels": sorted(StockLevel.objects.values_list("sku__code", "node__code", "on_hand", "reserved")),
        "held": sorted(
            Reservation.objects.filter(status="active").values_list("sku__code", "node__code").annotate(Sum("quantity"))
        ),
        "room": sorted(NodeDay.objects.filter(used__gt=0).values_list("node__code", "day_date", "used")),
    }


def everything() -> dict[str, list[Any]]:
    """Return every row that a refused verb must leave untouched."""
    models = (Order, OrderLine, Fulfillment, Hold, OrderEvent, Reservation, StockLevel, StockMovement, NodeDay,
              OutboundMessage)  # fmt: skip
    return {model.__name__: list(model.objects.order_by("pk").values()) for model in models}


def assert_books_add_up() -> None:
    """Check that balances are what ledger and reservations say, and reservations what open parcels hold."""
    for level in StockLevel.objects.all():
        place = {"sku": level.sku_id, "node": level.node_id}
        moved = StockMovement.objects.filter(**place).aggregate(units=Sum("quantity"))["units"] or 0
        held = Reservation.objects.filter(status="active", **place).aggregate(units=Sum("quantity"))["units"] or 0
        assert (level.on_hand, level.reserved) == (moved, held)
    in_parcels = (
        Fulfillment.objects.filter(status__in=("planned", "released", "picking", "packed"))
        .values(parcel=F("number"), held=F("node"), what=F("lines__sku"))
        .annotate(units=Sum("lines__quantity"))
    )
    promised = Reservation.objects.filter(status="active").values("reference", "node", "sku").annotate(Sum("quantity"))
    assert {(row["parcel"], row["held"], row["what"]): row["units"] for row in in_parcels} == {
        (row["reference"], row["node"], row["sku"]): row["quantity__sum"] for row in promised
    }
