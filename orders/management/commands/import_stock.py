"""`manage.py import_stock FILE`: stock out of a CSV or XLSX file, all rows or none."""

import sys
import time
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from audit.models.sentences import render
from audit.rules import tables
from audit.rules.actors import Actor
from audit.rules.tables import UnreadableFile
from inventory.models import StockImport
from inventory.rules.stock_file import UnreadableStockFile
from inventory.services import stock_import, stock_results
from inventory.services.refusals import RowsRefused
from inventory.statuses import ImportStatus

JOB = Actor("job", "import_stock")


class Command(BaseCommand):
    """Import a file, or take an import back."""

    help = "Set stock on hand from a CSV or XLSX file (columns sku, node and on_hand or change); --undo takes it back."

    def add_arguments(self, parser: CommandParser) -> None:
        """Take the file and the ways to be careful."""
        parser.add_argument("file", type=Path, nargs="?", help="CSV or XLSX with the columns sku, node, on_hand")
        parser.add_argument("--dry-run", action="store_true", help="only tell what would happen")
        parser.add_argument("--results", type=Path, help="where the result of each row goes; default FILE.results.csv")
        parser.add_argument("--undo", type=int, metavar="NUMBER", help="take the import of this number back")

    def handle(self, *args: Any, **options: Any) -> None:
        """Print `name: value` lines and the first refused rows; exit 1 when rows were refused."""
        if (options["file"] is None) == (options["undo"] is None):
            raise CommandError("Name a file, or an import with --undo.")
        if options["undo"] is not None:
            self._undo(options["undo"])
        else:
            self._import(options["file"], options["results"], is_dry_run=options["dry_run"])

    def _import(self, path: Path, results: Path | None, *, is_dry_run: bool) -> None:
        started = time.monotonic()
        target = results or path.with_name(f"{path.name}.results.csv")
        if target.absolute() == path.absolute():
            raise CommandError("--results names the imported file itself. Choose another name.")
        try:
            outcome = stock_import.take_in(
                tables.rows(path), file_name=path.name, is_dry_run=is_dry_run, actor=JOB, at=timezone.now()
            )
            target.write_bytes(b"".join(stock_results.as_csv(outcome.document)))
        except (UnreadableFile, UnreadableStockFile) as error:
            raise CommandError(render(error.reason.stored())) from error
        except OSError as error:
            raise CommandError(f"{error.filename}: {error.strerror}. Check the path.") from error
        for row in outcome.refused:
            self.stdout.write(f"row {row.row_number}: {render(row.reason.stored())}")
        self._tell(outcome.document, target, seconds=time.monotonic() - started)
        if outcome.document.status == ImportStatus.REFUSED:
            self.stderr.write("Nothing was imported: correct the refused rows and import the file again.")
            sys.exit(1)

    def _tell(self, document: StockImport, target: Path, *, seconds: float) -> None:
        self.stdout.write(f"import: {document.pk}")
        self.stdout.write(f"status: {document.status}")
        for name in ("rows_read", "rows_refused", "rows_changed", "units_added", "units_removed"):
            self.stdout.write(f"{name}: {getattr(document, name)}")
        self.stdout.write(f"results: {target}")
        self.stdout.write(f"seconds: {seconds:.1f}")

    def _undo(self, number: int) -> None:
        try:
            document = stock_import.undo(number, actor=JOB, at=timezone.now())
        except StockImport.DoesNotExist as error:
            raise CommandError(f"There is no import {number}.") from error
        except RowsRefused as error:
            raise CommandError(render(error.rows[0].reason.stored())) from error
        self.stdout.write(f"status: {document.status}")
        self.stdout.write(f"rows_changed: {document.rows_changed}")
