"""A small company to route for: five nodes in five capitals, and words to say what they hold and send."""

from datetime import UTC, datetime

from inventory.rules.geography import MAINLAND, REGIONS
from orders.rules.routing.facts import CarrierOption, Demand, Item, NodeFacts, Situation
from orders.rules.routing.planner import Planner
from orders.rules.routing.policy import BUILT_IN, Group, Policy, PublishedPolicy, Weights

A, B, C = 1, 2, 3
AT = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)  # ten in the morning in China
CAPITALS = {"SH": "31", "WH": "42", "GZ": "44", "BJ": "11", "CD": "51"}
IDS = {code: number for number, code in enumerate(CAPITALS, start=101)}


def node(code, **facts):
    place = REGIONS[CAPITALS[code]]
    defaults = {
        "node_id": IDS[code], "code": code, "region": place.code, "latitude": place.latitude,
        "longitude": place.longitude, "serves": MAINLAND, "is_active": True, "parcels_left": 1000,
    }  # fmt: skip
    return NodeFacts(**defaults | facts)


def stock(**levels):
    """stock(SH={A: 2}) as routing wants it: SKU → node → units."""
    held = {}
    for code, skus in levels.items():
        for sku, units in skus.items():
            held.setdefault(sku, {})[IDS[code]] = units
    return held


def demand(*items, region="31", city="上海", reference="O1", **facts):
    wanted = tuple(Item(number, sku, units) for number, (sku, units) in enumerate(items, start=1))
    return Demand(reference, region, city, wanted, **facts)


def situation(*nodes, **facts):
    return Situation(**{"at": AT, "nodes": nodes} | facts)


def policy(*groups, **weights):
    return PublishedPolicy("test", 1, Policy(groups=groups or (Group(name="all", weights=Weights(**weights)),)))


def plan(wanted, nodes, held, published=BUILT_IN, **facts):
    return Planner(situation(*nodes, **facts), held).plan(wanted, published)


def sent(plan):
    """What goes from where: node code → {(line, SKU): units}."""
    return {p.node_code: {(i.line_number, i.sku_id): i.quantity for i in p.items} for p in plan.parcels}


def missing(plan):
    return {(item.line_number, item.sku_id): item.quantity for item in plan.missing}


def verdicts(plan):
    return {candidate.node_code: candidate.verdict for candidate in plan.candidates}


def detail(plan, code):
    return next(dict(candidate.detail) for candidate in plan.candidates if candidate.node_code == code)


def carrier(code="SF", price=8.0, *, hours=(20.0, 40.0), **facts):
    return CarrierOption(code, 1000, price, 1000, 2.0, *hours, **facts)


def everywhere(*carriers):
    return {("", ""): carriers}
