"""Load the demo company: channels, nodes, SKUs, stock, and its past orders up to now."""

import os
import time
from argparse import ArgumentParser
from contextlib import ExitStack
from datetime import datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from config.demo import load
from config.demo.history import SIZES

PLAIN_STEPS = 10


class Command(BaseCommand):
    """Make a fictional retailer out of a seed: the same seed, size and end give the same rows."""

    help = __doc__

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Add size, seed and end of the past."""
        parser.add_argument("--size", choices=SIZES, help="default: the environment's SIZE, else 'default'")
        parser.add_argument("--seed", type=int, default=7)
        parser.add_argument("--until", help="end of the past, ISO 8601 with an offset; default: now")
        parser.add_argument("--if-empty", action="store_true", help="do nothing when the company is there")

    def handle(self, *args: Any, **options: Any) -> None:
        """Load, show progress, and print what was written."""
        known = load.find()
        if known and options["if_empty"]:
            self.stdout.write(f"The demo company is loaded already: {known.size}, until {known.until:%Y-%m-%d %H:%M}Z.")
            return
        size = SIZES.get(options["size"] or os.environ.get("SIZE", "default"))
        if size is None:
            raise CommandError(f"SIZE must be one of {', '.join(SIZES)}.")
        began = time.monotonic()
        with ExitStack() as stack:
            report = self._reporter(stack)
            try:
                loaded = load.load(size, seed=options["seed"], until=_until(options["until"]), report=report)
            except load.NotEmpty as trouble:
                raise CommandError(f"{trouble} `demo_reset --yes` empties the business tables.") from trouble
        self.stdout.write(f"orders: {loaded.last_order_id}")
        self.stdout.write(f"seconds: {time.monotonic() - began:.1f}")

    def _reporter(self, stack: ExitStack) -> load.Report:
        """Return what is called after each day: a bar for a terminal, a line every tenth otherwise."""
        console = Console(stderr=True)
        if console.is_terminal:
            columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
            bar = stack.enter_context(Progress(*columns, console=console))
            task = bar.add_task("Demo company, days", total=None)
            return lambda _orders, days: bar.update(task, advance=1, total=days)
        told = {"days": 0, "orders": 0}

        def line(orders: int, days: int) -> None:
            told["days"] += 1
            told["orders"] += orders
            step = days // PLAIN_STEPS
            if told["days"] % step == 0 or told["days"] == days:
                self.stderr.write(f"Demo company: day {told['days']} of {days}, {told['orders']} orders")

        return line


def _until(text: str | None) -> datetime:
    if text is None:
        return timezone.now()
    until = parse_datetime(text)
    if until is None or until.tzinfo is None:
        raise CommandError("--until needs a date and time with an offset, like 2026-11-23T09:00:00+08:00.")
    return until
