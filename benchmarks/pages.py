"""The operators' order list over a table of a million orders: the real page, logged in, under ten mixes of filters."""

import time
from collections.abc import Callable, Mapping
from datetime import timedelta
from statistics import quantiles
from urllib.parse import urlencode

from django.contrib.auth.models import User
from django.db.models import Max, Min
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from benchmarks.figures import Figures, at_most
from benchmarks.machine import Database, empty_tables, settle
from benchmarks.options import Options
from channels.models import Channel
from config.demo import load
from config.demo.history import Size
from inventory.models import Node
from orders.models import Order

REQUESTS = 20  # of each mix, every one with other values
DAYS = 365
SEED = 7
LIMIT_MS = 500
REGIONS = ("44", "32", "33", "37", "31", "41", "51", "11", "54", "63")  # the largest provinces and two of the smallest

Query = Mapping[str, object]
Mix = Callable[[int], Query]  # the number of a request → what is asked for


def run(figures: Figures, options: Options, _database: Database) -> None:
    """Load the demo company with a long past and open the list again and again."""
    figures.heading(f"pages: the order list over {options.rows} orders")
    empty_tables()
    began = time.perf_counter()
    load.load(Size("bench", options.rows, DAYS), seed=SEED, until=timezone.now(), report=lambda _orders, _days: None)
    figures.show("list_orders", Order.objects.count())
    figures.show("list_load_seconds", time.perf_counter() - began)
    settle()
    client = _client()
    worst = 0.0
    for name, mix in mixes().items():
        first, p95 = _measure(client, mix)
        figures.show(f"list_first_ms.{name}", first)
        figures.show(f"list_p95_ms.{name}", p95, at_most(LIMIT_MS))
        worst = max(worst, p95)
    figures.show("order_list_p95_ms", worst, at_most(LIMIT_MS))


def mixes() -> dict[str, Mix]:
    """Return the ten mixes; each request of a mix asks with other values, as people do."""
    channels = list(
        Channel.objects.filter(adapter="house").exclude(code="WMS").order_by("pk").values_list("pk", flat=True)
    )
    nodes = list(Node.objects.order_by("pk").values_list("pk", flat=True))
    keys = Order.objects.aggregate(first=Min("pk"), last=Max("pk"))

    def channel(i: int) -> int:
        return channels[i % len(channels)]

    def order(i: int) -> Order:
        at = keys["first"] + (keys["last"] - keys["first"]) * (i + 1) // (REQUESTS + 2)
        return Order.objects.filter(pk__gte=at).order_by("pk")[0]

    def day(i: int) -> str:
        return (timezone.localdate() - timedelta(days=7 + 15 * i)).isoformat()

    return {
        "newest": lambda i: {"p": i + 1},
        "on_hold": lambda i: {"status": "on_hold", "p": i % 2 + 1},
        "status_channel": lambda i: {"status": "delivered", "channel": channel(i), "p": i % 5 + 1},
        "channel_province": lambda i: {"channel": channel(i), "region": REGIONS[i % len(REGIONS)]},
        "node_status": lambda i: {"node": nodes[i * 7 % len(nodes)], "status": "shipped" if i % 2 else "delivered"},
        "late": lambda i: {"deadline": ("late", "today", "tomorrow")[i % 3]},
        "short_of_stock": lambda i: {"stock": "short", "channel": channel(i)} if i % 2 else {"stock": "short"},
        "days_amount": lambda i: {
            "placed_at_from": day(i), "placed_at_to": day(i), "total_amount_from": 200, "total_amount_to": 260,
        },
        "search_number": lambda i: {"q": order(i).number if i % 2 else order(i).external_id[:-2]},
        "unpaid_province_month": lambda i: {"money": "unpaid", "region": REGIONS[i % len(REGIONS)], "when": "30d"},
    }  # fmt: skip


def _measure(client: Client, mix: Mix) -> tuple[float, float]:
    """Return the milliseconds of the first request and the 95th percentile of all."""
    queries = [mix(i) for i in range(REQUESTS)]
    times = [_milliseconds(client, query) for query in queries]
    return times[0], quantiles(times, n=20, method="inclusive")[-1]


def _milliseconds(client: Client, query: Query) -> float:
    url = f"{reverse('admin:orders_order_changelist')}?{urlencode(query)}"
    began = time.perf_counter()
    response = client.get(url)
    seconds = time.perf_counter() - began
    if response.status_code != 200:
        raise RuntimeError(f"{url} answered {response.status_code}")
    return seconds * 1000


def _client() -> Client:
    """Log a superuser in; the page in the user's language, with sessions and permissions as they are."""
    client = Client(headers={"accept-language": "zh-hans"})
    client.force_login(User.objects.create_superuser("bench", password=None))
    return client
