"""Routing on real places: a network of ten fulfilment centres in the USA, and a Brazilian marketplace's orders.

- The US network: 1,000 made orders of three lines to its 99 cities by their population; stock and room as in
  ``routing_instances``; the gap to the bound of the same run.
- The marketplace (Olist): nodes are the forty cities whose sellers sent most, a node has what its sellers sold (by
  category, without limit); orders go to the buyers' real places. Hours of the way by distance (median, p90),
  and of each city until the carrier has the parcel (median), are learned from orders before `SPLIT`. Later ones are
  routed by each preset and counted as late when, at these hours, one in ten such parcels would come after the date the
  buyer was promised. Beside it: how many came late in truth.
"""

import csv
import os
import random
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import inf
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas

from benchmarks.figures import Figures, at_most
from benchmarks.machine import Database
from benchmarks.options import Options
from inventory.rules.geography import distance_km
from orders.rules.routing import optimiser
from orders.rules.routing.columns import Joint, Wish, shape_of
from orders.rules.routing.costs import BY_DISTANCE, Lane, Rates, Way, farther
from orders.rules.routing.facts import CarrierOption, NodeFacts
from orders.rules.routing.policy import PRESETS, Weights

Place = tuple[float, float]
NETWORK: Final = "fulfillment_network_us"
NODES: Final = 40
SPLIT: Final = "2018-03-01"
BANDS: Final = (100.0, 300.0, 700.0, 1500.0, inf)  # kilometres


def run(figures: Figures, _options: Options, _database: Database) -> None:
    """Measure both, as far as the data is there."""
    _show_network(figures)
    _show_marketplace(figures)


def folder(name: str) -> Path:
    """Return where a data set is: under ``REAL_DATA_DIR``, or beside the project."""
    root = os.environ.get("REAL_DATA_DIR") or Path(__file__).resolve().parents[2] / "shared" / "data"
    return Path(root) / name


def _show_network(figures: Figures) -> None:
    figures.heading("joint routing: ten centres and 99 cities of the USA")
    if not folder(NETWORK).exists():
        figures.show("us_network_gap_percent", "not measured, the data set is not there (set REAL_DATA_DIR)")
        return
    joint = _network(random.Random(1), orders=1_000)
    answer = optimiser.solve(joint, np.full(len(joint.wishes), 1_000.0), seconds=10.0)
    figures.show("us_network_gap_percent", 100 * answer.gap, at_most(1.5))
    figures.show("us_network_orders_not_sent", sum(plan is None for plan in answer.plans), at_most(0))
    figures.show("us_network_parcels_per_order", sum(len(plan or ()) for plan in answer.plans) / len(answer.plans))
    km = _kilometres(joint, answer.plans)
    figures.show("us_network_km_per_parcel", km / sum(len(plan or ()) for plan in answer.plans))


def _network(chance: random.Random, orders: int) -> "Located":
    centres = [(float(row[2]), float(row[3])) for row in _rows("fulfillment_centers.csv")]
    cities = [((float(row[2]), float(row[3])), int(float(row[4]))) for row in _rows("cities.csv")]
    skus, wanted, wishes, ways = orders // 5, dict[int, int](), [], []
    for number in range(orders):
        lines = sorted({1 + int(skus * chance.random() ** 2) for _line in range(3)})
        (there, _people) = chance.choices(cities, [people for _place, people in cities])[0]
        km = [distance_km(here, there) for here in centres]
        shape = shape_of((1,) * len(lines), 5)
        assert shape is not None
        lanes = [_lane(place, way, farther(BY_DISTANCE, way), Weights(load=0.0)) for place, way in enumerate(km)]
        costs = np.array([[lane.price(700 * sum(one), 0.0).cost for lane in lanes] for one in shape.contents])
        wishes.append(Wish(str(number), tuple(lines), shape, costs, 6.0))
        ways.append(km)
        for sku in lines:
            wanted[sku] = wanted.get(sku, 0) + 1
    stock = dict[tuple[int, int], int]()
    for sku in sorted(wanted):
        holders = [place for place in range(len(centres)) if chance.random() < 0.5] or [0]
        for place in chance.choices(holders, k=3 * wanted[sku]):
            stock[sku, place] = stock.get((sku, place), 0) + 1
    room = [int(1.5 * orders / len(centres))] * len(centres)
    return Located(wishes, stock, room, ways)


@dataclass
class Located(Joint):
    """A joint problem that knows how far each order is from each node."""

    ways: Sequence[Sequence[float]] = ()


def _kilometres(joint: Located, plans: Iterable[Any]) -> float:
    return sum(joint.ways[order][node] for order, plan in enumerate(plans) for node, _content in plan or ())


def _rows(name: str) -> list[list[str]]:
    with (folder(NETWORK) / name).open(encoding="utf-8-sig", newline="") as lines:
        return [row for row in csv.reader(lines) if row]


def _lane(place: int, km: float, carrier: CarrierOption, weights: Weights) -> Lane:
    node = NodeFacts(place, f"N{place:02}", "", None, None, frozenset(), is_active=True, parcels_left=1)
    return Lane(node, Way(km), Rates(node, (carrier,), weights, km=km))


# -- the marketplace ------------------------------------------------------------------------------


def _show_marketplace(figures: Figures) -> None:
    figures.heading("routing by policy: a Brazilian marketplace's orders against the dates their buyers were promised")
    if not folder("olist").exists():
        figures.show("olist_orders", "not measured, the data set is not there (set REAL_DATA_DIR)")
        return
    sales = _sales()
    past, future = sales[sales.bought < SPLIT], sales[sales.bought >= SPLIT]
    nodes, has = _nodes(sales)
    hours, handing = _learned(past), _handing(past, nodes)
    orders = [rows for _order, rows in future.groupby("order_id", sort=True)]
    orders = [rows for rows in orders if all(any(kind in has[place] for place in has) for kind in rows.kind)]
    figures.show("olist_orders", len(orders))
    figures.show("olist_came_late_percent", 100 * _mean([bool((rows.came > rows.due).any()) for rows in orders]))
    for name in ("cheapest", "fastest", "balanced"):
        weights = PRESETS[name].groups[-1].weights
        late, km = zip(*(_routed(rows, nodes, has, (hours, handing, weights)) for rows in orders), strict=True)
        figures.show(f"olist_late_percent_{name}", 100 * _mean(late))
        figures.show(f"olist_km_per_order_{name}", _mean(km))


def _sales() -> pandas.DataFrame:
    """Return a row per delivered order line, with the places of both ends and the hours that both parts took."""

    def read(name: str) -> pandas.DataFrame:
        return pandas.read_parquet(folder("olist") / f"{name}.parquet")

    places = read("FULL_geolocation_dedup").set_index("geolocation_zip_code_prefix")
    places = places[["geolocation_lat", "geolocation_lng"]]
    rows = read("sample8k_order_items").merge(read("sample8k_orders"), on="order_id")
    rows = rows[rows.order_status == "delivered"].merge(read("sample8k_customers"), on="customer_id")
    rows = rows.merge(read("FULL_sellers"), on="seller_id").merge(read("FULL_products"), on="product_id")
    for end, prefix in (("from", rows.seller_zip_code_prefix), ("to", rows.customer_zip_code_prefix)):
        found = places.reindex(prefix.astype(int))
        rows[f"{end}_lat"], rows[f"{end}_lng"] = found.geolocation_lat.to_numpy(), found.geolocation_lng.to_numpy()
    for name, column in (
        ("bought", "order_purchase_timestamp"), ("handed", "order_delivered_carrier_date"),
        ("came", "order_delivered_customer_date"), ("due", "order_estimated_delivery_date"),
    ):  # fmt: skip
        rows[name] = pandas.to_datetime(rows[column])
    rows["due"] += pandas.Timedelta(days=1)  # promised for the whole day
    rows["handing"] = (rows.handed - rows.bought).dt.total_seconds() / 3600
    rows["hours"] = (rows.came - rows.handed).dt.total_seconds() / 3600
    rows = rows.rename(columns={"product_category_name": "kind", "product_weight_g": "grams"})
    rows = rows.dropna(subset=["from_lat", "to_lat", "hours", "handing", "kind", "grams"])
    rows["km"] = [
        distance_km((row.from_lat, row.from_lng), (row.to_lat, row.to_lng)) for row in rows.itertuples()
    ]  # fmt: skip
    return rows


def _learned(past: pandas.DataFrame) -> dict[float, tuple[float, float]]:
    """Return the median and the p90 of the hours of the way by band of distance."""
    band = [next(limit for limit in BANDS if km <= limit) for km in past.km]
    grouped = past.groupby(band).hours
    return {limit: (float(one.quantile(0.5)), float(one.quantile(0.9))) for limit, one in grouped}


def _handing(past: pandas.DataFrame, cities: Iterable[str]) -> dict[str, float]:
    """Return the median hours until a city's parcels are with the carrier; of cities with few of them, of all."""
    usual = float(past.handing.median())
    told = {str(city): one for city, one in past.groupby("seller_city").handing}
    return {city: float(told[city].median()) if city in told and len(told[city]) >= 10 else usual for city in cities}


def _nodes(sales: pandas.DataFrame) -> tuple[dict[str, Place], dict[str, set[str]]]:
    """Return the cities that sent most with where they lie, and which categories each has."""
    busiest = sales.seller_city.value_counts().sort_index().sort_values(ascending=False, kind="stable").index[:NODES]
    kept = sales[sales.seller_city.isin(busiest)].groupby("seller_city")
    places = {str(city): (float(rows.from_lat.mean()), float(rows.from_lng.mean())) for city, rows in kept}
    return places, {str(city): set(rows.kind) for city, rows in kept}


def _routed(
    rows: pandas.DataFrame, nodes: Mapping[str, Place], has: Mapping[str, set[str]],
    told: tuple[Mapping[float, tuple[float, float]], Mapping[str, float], Weights],
) -> tuple[bool, float]:  # fmt: skip
    """Return whether an order's parcels by this policy come late for one in ten, and their kilometres."""
    hours, handing, weights = told
    there = (float(rows.to_lat.iloc[0]), float(rows.to_lng.iloc[0]))
    due = float((rows.due.iloc[0] - rows.bought.iloc[0]).total_seconds() / 3600)
    grams = rows.groupby("kind").grams.sum()
    kinds = list(grams.index)
    shape = shape_of((1,) * len(kinds), 5)
    assert shape is not None
    cities = sorted(nodes)
    lanes, arrives = [], []
    for place, city in enumerate(cities):
        km = distance_km(nodes[city], there)
        p50, p90 = hours[next(limit for limit in BANDS if km <= limit)]
        usual = farther(BY_DISTANCE, km)
        carrier = CarrierOption("", 1000, usual.first_price, 1000, usual.step_price, hours_p50=p50, hours_p90=p90)
        lanes.append(_lane(place, km, carrier, weights))
        arrives.append(handing[city] + p90)
    costs = np.full((len(shape.contents), len(cities)), inf)
    for number, content in enumerate(shape.contents):
        weight = int(sum(units * grams[kind] for units, kind in zip(content, kinds, strict=True)))
        for place, city in enumerate(cities):
            if all(kind in has[city] for units, kind in zip(content, kinds, strict=True) if units):
                costs[number, place] = lanes[place].price(weight, handing[city], due).cost
    wish = Wish("", tuple(range(len(kinds))), shape, costs, weights.split)
    everywhere = {(sku, place): 1 for sku in range(len(kinds)) for place in range(len(cities))}
    joint = Joint([wish], everywhere, [9] * len(cities))
    ((_order, plan),) = joint.price(np.zeros(len(joint.limits)), np.zeros(len(cities))).near(0.0, 1)
    chosen = [place for place, _content in plan]
    return any(arrives[place] > due for place in chosen), sum(lanes[place].km for place in chosen)


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)
