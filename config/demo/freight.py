"""What the demo company's nodes can, and what its three carriers ask from province to province."""

from collections.abc import Iterator
from datetime import date, time
from decimal import Decimal
from typing import Any, Final

from config.demo.company import ABROAD, NODES, DemoNode
from inventory.rules.geography import MAINLAND, distance_km, locate
from orders.models import FreightTariff

# Carrier, method, first kilogram, each further one, yuan per 1,000 km, hours at best, hours at most per 1,000 km
CARRIERS: Final = (
    ("SF", "express", 12.0, 3.0, 4.0, 10, 14),
    ("YTO", "standard", 5.0, 1.2, 2.0, 24, 26),
    ("ZTO", "standard", 4.6, 1.4, 2.2, 26, 28),
)
OVERSEAS: Final = (("SF", "express", 60.0, 25.0, 48, 120), ("YTO", "standard", 38.0, 18.0, 96, 240))
BY_KIND: Final[dict[str, dict[str, Any]]] = {
    "central_dc": {
        "cut_off": time(18), "parcels_per_hour": 1_500, "pick_cost": Decimal("2.20"), "groups": ["dc", "core"],
        "capabilities": ["cold_chain", "oversize", "gift_wrap"],
    },
    "regional_dc": {
        "cut_off": time(17), "parcels_per_hour": 500, "pick_cost": Decimal("2.60"), "groups": ["dc"],
        "capabilities": ["cold_chain", "oversize"],
    },
    "store": {
        "cut_off": time(20), "parcels_per_hour": 10, "pick_cost": Decimal("4.50"), "groups": ["stores"],
        "capabilities": ["gift_wrap", "pickup"], "claim_minutes": 240,
    },
}  # fmt: skip


def node_facts(node: DemoNode) -> dict[str, Any]:
    """Return what routing must know of a node beside its place."""
    return BY_KIND[node.kind]


def needs(category: str, place: int) -> list[str]:
    """Return what sending a SKU needs: every fifth of the snacks is kept cold."""
    return ["cold_chain"] if category == "snacks" and place % 5 == 0 else []


def tariffs(valid_from: date) -> Iterator[FreightTariff]:
    """Return the carriers' prices from every province with a node to every province, and abroad from everywhere."""
    for start in sorted({node.region for node in NODES}):
        for end in sorted(MAINLAND):
            thousands = distance_km(locate(start), locate(end)) / 1000
            for code, method, first, step, more, best, slower in CARRIERS:
                yield FreightTariff(
                    carrier_code=code, method=method, from_region=start, to_region=end, valid_from=valid_from,
                    first_price=_yuan(first + more * thousands), step_price=_yuan(step + more * thousands / 2),
                    hours_min=round(best * (0.6 + 0.4 * thousands)), hours_max=round(best + slower * (0.5 + thousands)),
                )  # fmt: skip
    for end in sorted(ABROAD):
        for code, method, first, step, best, most in OVERSEAS:
            yield FreightTariff(
                carrier_code=code, method=method, to_region=end, first_price=_yuan(first), step_price=_yuan(step),
                hours_min=best, hours_max=most, valid_from=valid_from,
            )  # fmt: skip


def _yuan(amount: float) -> Decimal:
    return Decimal(f"{amount:.2f}")
