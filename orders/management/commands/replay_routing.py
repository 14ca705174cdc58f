"""Decide a day's orders again on what was known then, and print how many come out the same."""

from argparse import ArgumentParser
from datetime import date, datetime, time, timedelta
from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from orders.models import RoutingRun
from orders.services import routing_records


class Command(BaseCommand):
    """Print the parity figure of a day; ends with an error when it is below 100 per cent."""

    help = __doc__

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take the day."""
        parser.add_argument("--day", type=date.fromisoformat, help="local day (YYYY-MM-DD), yesterday when left out")

    def handle(self, *_args: Any, **options: Any) -> None:
        """Replay the day's runs one by one."""
        day = options["day"] or timezone.localdate() - timedelta(days=1)
        begins = timezone.make_aware(datetime.combine(day, time.min))
        runs = RoutingRun.objects.filter(
            decided_at__gte=begins, decided_at__lt=begins + timedelta(days=1), situation__isnull=False, kind="online"
        )
        figure = routing_records.parity(runs.select_related("situation").order_by("pk").iterator(chunk_size=50))
        self.stdout.write(
            f"{day}: {figure.same} of {figure.decisions} decisions the same, {figure.percent:.2f} per cent"
        )
        for number in figure.different:
            self.stdout.write(f"different: {number}")
        if figure.different:
            raise SystemExit(1)
