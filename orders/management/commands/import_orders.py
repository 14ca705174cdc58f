"""``manage.py import_orders --channel CODE FILE``: orders of a CSV or XLSX file become orders of a channel."""

import csv
import sys
import time
from argparse import ArgumentParser
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self, TextIO

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from channels.adapters.file import read
from channels.adapters.file.columns import ALIASES, UnreadableFile
from channels.models import Channel
from orders.services import file_import
from orders.services.file_import import Refused, Totals

SHOWN_ON_SCREEN: Final = 20


class Command(BaseCommand):
    """Read a file, show how far it is, and write what was refused beside it."""

    help = "Import orders from a CSV or XLSX file; docs/file-import.md says which columns."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare what may be said."""
        parser.add_argument("file", type=Path)
        parser.add_argument("--channel", required=True, help="Code of a channel whose adapter is 'file'.")
        parser.add_argument("--batch", type=int, default=500, help="Orders per batch.")
        parser.add_argument("--rejects", type=Path, help="Where refused rows go; FILE.rejects.csv when left out.")

    def handle(self, *args: Any, **options: Any) -> None:
        """Import the file; raises ``CommandError`` saying what to do when it cannot begin."""
        started, path = time.monotonic(), options["file"]
        channel, batch_size = _channel(options["channel"]), _batch_size(options["batch"])
        try:
            totals, rejects = self._import(channel, path, batch_size, _rejects_path(path, options["rejects"]))
        except UnreadableFile as error:
            raise CommandError(str(error)) from error
        except OSError as error:
            raise CommandError(f"{error.filename}: {error.strerror}. Check the path.") from error
        for row in rejects.first:
            number = row.values.get("order_number", "")
            self.stdout.write(f"row {row.row_number} {number}: {row.code}: {row.reason}")
        if totals.rejected_rows > len(rejects.first):
            self.stdout.write(f"… and {totals.rejected_rows - len(rejects.first)} more")
        if totals.rejected_rows:
            self.stdout.write(f"rejects: {rejects.path}")
        self._tell_totals(totals, seconds=time.monotonic() - started)

    def _import(self, channel: Channel, path: Path, batch_size: int, to: Path) -> tuple[Totals, "_Rejects"]:
        seen, totals = read.scan(path), Totals()
        with _Rejects(to) as rejects, _progress(seen.rows, self.stderr.write) as show:
            steps = file_import.take_in(channel, path, seen=seen, batch_size=batch_size, at=timezone.now)
            for totals, refused in steps:
                rejects.add(refused)
                show(totals.rows)
        return totals, rejects

    def _tell_totals(self, totals: Totals, *, seconds: float) -> None:
        for name, value in asdict(totals).items():
            self.stdout.write(f"{name}: {value}")
        self.stdout.write(f"seconds: {seconds:.1f}")


def _channel(code: str) -> Channel:
    channel = Channel.objects.filter(code=code).first()
    if channel is None:
        known = ", ".join(Channel.objects.filter(adapter="file").order_by("code").values_list("code", flat=True))
        raise CommandError(
            f"There is no channel {code}. Channels that take files: {known or 'none, add one in admin'}."
        )
    if channel.adapter != "file":
        raise CommandError(
            f"Channel {code} speaks {channel.adapter}, not files. Choose or add a channel whose adapter is 'file'."
        )
    return channel


def _batch_size(size: int) -> int:
    if not 1 <= size <= 5000:
        raise CommandError(f"--batch {size}: choose from 1 to 5000.")
    return size


def _rejects_path(file: Path, chosen: Path | None) -> Path:
    path = chosen or file.with_name(f"{file.name}.rejects.csv")
    if path.absolute() == file.absolute():
        raise CommandError("--rejects names the imported file itself. Choose another name.")
    return path


class _Rejects:
    """Writes refused rows under their columns, so that the file can be mended and imported; keeps the first."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.first: list[Refused] = []
        self._file: TextIO | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self._file:
            self._file.close()

    def add(self, rows: Sequence[Refused]) -> None:
        """Write rows down; the file is made with the first."""
        if not rows:
            return
        if self._file is None:
            self._file = self.path.open("w", encoding="utf-8-sig", newline="")
            csv.writer(self._file).writerow(["row_number", "code", "reason", *ALIASES])
        self.first.extend(rows[: SHOWN_ON_SCREEN - len(self.first)])
        writer = csv.writer(self._file)
        for row in rows:
            cells = [row.values.get(column, "") for column in ALIASES]
            writer.writerow([row.row_number, row.code, row.reason, *cells])


@contextmanager
def _progress(rows: int, write: Callable[[str], None]) -> Iterator[Callable[[int], None]]:
    """Show how many rows are done: a bar on a terminal, a line every tenth elsewhere."""
    if not sys.stderr.isatty():
        yield _Lines(rows, write).show
        return
    columns = TextColumn("rows"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()
    with Progress(*columns, console=Console(stderr=True)) as progress:
        bar = progress.add_task("rows", total=rows)
        yield lambda done: progress.update(bar, completed=done)


class _Lines:
    """Writes a line whenever another tenth is done."""

    def __init__(self, rows: int, write: Callable[[str], None]) -> None:
        self._rows = rows
        self._write = write
        self._tenths = 0

    def show(self, done: int) -> None:
        tenths = done * 10 // self._rows if self._rows else 10
        if tenths > self._tenths:
            self._tenths = tenths
            self._write(f"{tenths * 10} %: {done} of {self._rows} rows")
