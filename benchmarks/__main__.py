"""``python -m benchmarks [SUITE]``: measure on a PostgreSQL of its own and print the figures."""

import argparse
import importlib
import os
import sys
from collections.abc import Sequence

import django
from django.core.management import call_command

from benchmarks.figures import Figures
from benchmarks.machine import Database, own_database
from benchmarks.options import Options

# Suite → the modules of its parts, each with run(figures, options, database).
SUITES = {
    "intake": ("intake", "hot_sku", "real_data", "pages"),
    "stock": ("flash_sale", "hot_sku", "ledger", "replay"),
    "channels": ("channels_in", "channels_out", "stock_push"),
    "promotions": ("promotions", "redemptions", "backtest"),
    "routing": ("routing_online", "routing", "routing_real", "gap"),
    "joint": ("routing",),
    "routing_online": ("routing_online",),
    "routing_real": ("routing_real",),
    "engine": ("promotions",),
    "channels_in": ("channels_in",),
    "channels_out": ("channels_out",),
    "stock_push": ("stock_push",),
    "pipeline": ("intake",),
    "priced": ("priced",),
    "hot_sku": ("hot_sku",),
    "real_data": ("real_data",),
    "pages": ("pages",),
    "flash_sale": ("flash_sale",),
    "ledger": ("ledger",),
    "replay": ("replay",),
    "gap": ("gap",),
}
ALL = ("intake", "stock", "channels", "promotions", "routing")  # the suites that together measure everything once


def main(argv: Sequence[str]) -> int:
    """Run the suites that were asked for; a figure short of its bar is said, not an error."""
    usual = Options()
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Measure the hub and print the figures.")
    parser.add_argument("suite", nargs="?", choices=sorted(SUITES), help="which measurements (all when left out)")
    parser.add_argument("--orders", type=int, default=usual.orders, help="orders through the pipeline")
    parser.add_argument("--rounds", type=int, default=usual.rounds, help="rounds of which the medians are shown")
    parser.add_argument("--rows", type=int, default=usual.rows, help="orders in the table behind the list")
    parser.add_argument("--seconds", type=float, default=usual.seconds, help="length of each race for one SKU")
    asked = parser.parse_args(argv)
    options = Options(orders=asked.orders, rounds=asked.rounds, rows=asked.rows, seconds=asked.seconds)
    suites = [asked.suite] if asked.suite else ALL
    with own_database() as database:
        os.environ["DATABASE_URL"], os.environ["DJANGO_SETTINGS_MODULE"] = database.url, "config.settings"
        django.setup()
        call_command("migrate", verbosity=0)
        _run(list(dict.fromkeys(part for suite in suites for part in SUITES[suite])), options, database)
    return 0


def _run(parts: Sequence[str], options: Options, database: Database) -> None:
    """Import the parts only now: their models need settings, and settings the database's address."""
    figures = Figures()
    for part in parts:
        importlib.import_module(f"benchmarks.{part}").run(figures, options, database)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
