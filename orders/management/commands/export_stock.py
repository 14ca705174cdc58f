"""`manage.py export_stock FILE`: every stock level into a CSV or XLSX file."""

import time
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction

from inventory.services import stock_export


class Command(BaseCommand):
    """Write a file that can be corrected and imported again."""

    help = "Write every stock level into a CSV or XLSX file; import_stock reads it back."

    def add_arguments(self, parser: CommandParser) -> None:
        """Take the file's name."""
        parser.add_argument("file", type=Path, help="name ending in .csv or .xlsx")

    def handle(self, *args: Any, **options: Any) -> None:
        """Print how many levels were written."""
        started = time.monotonic()
        try:
            with transaction.atomic():
                count = stock_export.write(options["file"])
        except OSError as error:
            raise CommandError(f"{error.filename}: {error.strerror}. Check the path.") from error
        self.stdout.write(f"rows: {count}")
        self.stdout.write(f"seconds: {time.monotonic() - started:.1f}")
