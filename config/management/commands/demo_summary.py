"""Print what the hub holds and whether its promises are kept, one figure a line."""

from typing import Any

from django.core.management.base import BaseCommand

from config.demo import summary


class Command(BaseCommand):
    """Figures with "received", "priced", "reserved" and "released" count live orders; the others count all."""

    help = __doc__

    def handle(self, *args: Any, **options: Any) -> None:
        """Ask and print."""
        for name, value in summary.figures().items():
            self.stdout.write(f"{name}: {value}")
