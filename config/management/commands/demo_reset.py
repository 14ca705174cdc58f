"""Empty the business tables: orders, stock, channels, promotions, cases. Users stay."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from config.demo import load


class Command(BaseCommand):
    """Remove every row of the business apps, whether the demo made it or not."""

    help = __doc__

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Add the word without which nothing is removed."""
        parser.add_argument("--yes", action="store_true", help="really remove everything")

    def handle(self, *args: Any, **options: Any) -> None:
        """Truncate, after a clear yes."""
        if not options["yes"]:
            raise CommandError("This removes all orders, stock and channels. Say --yes to go on.")
        self.stdout.write(f"tables_emptied: {load.empty()}")
