"""Let new orders of all channels come in, as their platforms send them, trouble included."""

import time
from argparse import ArgumentParser, BooleanOptionalAction
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from config.demo import promotions, traffic
from config.demo.drafts import Street


class Command(BaseCommand):
    """Only bring messages in; the workers, or else this command, take them up."""

    help = __doc__

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Add how many, which, and whether to wait."""
        parser.add_argument("--orders", type=int, default=240)
        parser.add_argument("--seed", type=int, help="default: the clock")
        parser.add_argument("--drain", action=BooleanOptionalAction, default=True, help="wait until all is taken up")
        parser.add_argument("--patience", type=float, default=traffic.PATIENCE, help="seconds to wait for workers")

    def handle(self, *args: Any, **options: Any) -> None:
        """Draw, send, wait, and say what went which way."""
        if options["orders"] < 1:
            raise CommandError("--orders must be at least 1.")
        at, began = timezone.now(), time.monotonic()
        seed = options["seed"] if options["seed"] is not None else int(at.timestamp())
        coupons = promotions.free_codes(options["orders"])
        mail = Street(seed=seed, at=at, coupons=coupons).mail(options["orders"])
        with ExitStack() as stack:
            sent = self._send(mail, at, self._reporter(stack, "Sent", mail.size))
        with ExitStack() as stack:
            if options["drain"]:
                report = self._reporter(stack, "Taken up", None)
                by_workers = traffic.drain(patience=options["patience"], report=report)
                self.stdout.write(f"taken_up_by: {'workers' if by_workers else 'this command'}")
        for name, value in (
            ("orders", options["orders"]),
            ("messages", mail.size),
            ("requests_by_door", sent.by_door),
            ("requests_by_inbox", sent.by_inbox),
            ("trades_pulled", sent.by_pull),
        ):
            self.stdout.write(f"{name}: {value}")
        self.stdout.write(f"seconds: {time.monotonic() - began:.1f}")

    def _send(self, mail: Any, at: Any, report: Callable[[int], None]) -> traffic.Sent:
        try:
            return traffic.Postman(report=report).deliver(mail, at=at)
        except traffic.NoCompany as trouble:
            raise CommandError(f"{trouble} Load the demo company first: demo_load.") from trouble

    def _reporter(self, stack: ExitStack, words: str, total: int | None) -> Callable[[int], None]:
        """Return what is told about progress: a bar for a terminal, nothing otherwise."""
        console = Console(stderr=True)
        if not console.is_terminal:
            return lambda _messages: None
        bar = stack.enter_context(
            Progress(TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), console=console)
        )
        task = bar.add_task(words, total=total)
        return lambda messages: bar.update(task, advance=messages)
