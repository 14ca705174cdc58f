"""`manage.py verify`: do all figures of stock say what their rows say? Exit status 1 when one does not."""

import sys
import time
from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from inventory.models import StockMovement
from orders.services import verification

SHOWN = 20


class Command(BaseCommand):
    """Compare balances, reserved units, parcels and node days with the rows behind them."""

    help = "Compare every stored figure of stock with the rows behind it; a difference opens a case. Exits 1 on any."

    def handle(self, *args: Any, **options: Any) -> None:
        """Print one `name: value` line per check, the first differences, and the time it took."""
        started = time.monotonic()
        report = verification.verify(at=timezone.now())
        for check, found in report.found.items():
            self.stdout.write(f"{check.value}_differences: {len(found)}")
            for one in found[:SHOWN]:
                self.stdout.write(f"  {one.subject}: stored {one.stored}, derived {one.derived}")
        self.stdout.write(f"movements: {StockMovement.objects.count()}")
        self.stdout.write(f"cases_opened: {report.opened}")
        self.stdout.write(f"cases_closed: {report.gone}")
        self.stdout.write(f"seconds: {time.monotonic() - started:.1f}")
        if report.differences:
            sys.exit(1)
