"""Stock files that people upload: kept as rows, worked on by whichever worker is free, once."""

import contextlib
import io
import logging
import tempfile
import zipfile
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Final, NamedTuple

from django.core.cache import cache
from django.db import connection, transaction
from django.utils import translation
from redis.exceptions import RedisError

from audit.rules import tables
from audit.rules.actors import Actor
from audit.rules.sentences import Sentence, say
from inventory.models import StockUpload
from inventory.rules.stock_file import UnreadableStockFile
from inventory.services import refusals, stock_import
from inventory.statuses import UploadStatus

MOST_BYTES: Final = 20_000_000
MOST_BYTES_UNPACKED: Final = 500_000_000  # a small workbook may unpack to more than a worker has memory for
MOST_ATTEMPTS: Final = 3
SHEETS: Final = (".xlsx", ".xlsm")
ENDINGS: Final = (".csv", ".txt", *SHEETS)
_TOLD_EVERY: Final = 2_000  # rows
_KEPT_FOR: Final = 3_600  # seconds
_UNREADABLE: Final = (tables.UnreadableFile, UnreadableStockFile)
logger = logging.getLogger(__name__)


class Progress(NamedTuple):
    """How many rows of a file were read so far, and how many it has; both zero before a worker begins."""

    read: int = 0
    rows: int = 0


@transaction.atomic
def keep(upload: StockUpload, *, content: bytes, actor: Actor, at: datetime) -> StockUpload:
    """Keep a file until a worker takes it; the same key is the same upload.

    Raises ``RowsRefused`` for a file that is empty, too large, or neither text nor a workbook.
    """
    known = StockUpload.objects.filter(key=upload.key).first()
    if known:
        return known
    why_not = _why_not(upload.file_name, content)
    if why_not:
        raise refusals.refuse(why_not)
    upload.file_name = upload.file_name[-200:]
    upload.content, upload.status = content, UploadStatus.WAITING
    upload.uploaded_at, upload.uploaded_by = at, actor.label[:80]
    upload.save()
    return upload


def run_waiting(*, at: Callable[[], datetime]) -> int:
    """Work on the files that wait, the oldest first; returns how many were finished, as an import or as a failure.

    One worker at a time: an attempt is counted before its work begins, and another worker's attempt must not count as
    one that died. A file's changes and its end are one transaction: a worker that dies leaves it waiting, after three
    times it has failed. An error that nobody foresaw is raised; the next run tries again.
    """
    with _alone() as is_alone:
        if not is_alone:
            return 0  # who has the lock looks for further files before letting go
        finished = 0
        while (upload_id := _claim(at())) is not None:
            finished += _work(upload_id, at())
    return finished


def progress(upload: StockUpload) -> Progress:
    """Return how far a worker has read an upload. Only a courtesy: nothing is known when the cache is away."""
    with contextlib.suppress(RedisError):
        return Progress(*cache.get(_cache_key(upload.pk), (0, 0)))
    return Progress()


@contextlib.contextmanager
def _alone() -> Iterator[bool]:
    """Say whether this worker is the only one; the database lets the next one in when this one ends or dies."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(hashtext('inventory.uploads'))")
        [is_alone] = cursor.fetchone()
        try:
            yield is_alone
        finally:
            if is_alone and connection.is_usable():
                cursor.execute("SELECT pg_advisory_unlock(hashtext('inventory.uploads'))")


def _why_not(file_name: str, content: bytes) -> Sentence | None:
    ending = Path(file_name).suffix.lower()
    if ending not in ENDINGS:
        return say("%(file)s is neither CSV nor XLSX. Save it as one of them.", file=file_name[-80:])
    if not content:
        return say("The file is empty.")
    if len(content) > MOST_BYTES:
        return say("The file is larger than %(most)s MB. Split it.", most=MOST_BYTES // 1_000_000)
    return _why_no_workbook(content) if ending in SHEETS else None


def _why_no_workbook(content: bytes) -> Sentence | None:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as parts:
            size = sum(part.file_size for part in parts.infolist())
    except (zipfile.BadZipFile, ValueError, NotImplementedError):
        return say("The file says that it is a workbook, but it cannot be opened as one. Save it again as XLSX.")
    return say("The workbook is too large when unpacked. Split it.") if size > MOST_BYTES_UNPACKED else None


@transaction.atomic
def _claim(at: datetime) -> int | None:
    """Count one more attempt at the oldest file that nobody works on, before anything can go wrong with it."""
    waiting = StockUpload.objects.select_for_update(no_key=True, skip_locked=True).filter(status=UploadStatus.WAITING)
    upload = waiting.defer("content").order_by("pk").first()
    if upload is None:
        return None
    if upload.attempts >= MOST_ATTEMPTS:
        _fail(upload, say("The file could not be worked on in %(count)s attempts.", count=MOST_ATTEMPTS), at)
        return _claim(at)
    upload.attempts += 1
    upload.save(update_fields=["attempts"])
    return upload.pk


@transaction.atomic
def _work(upload_id: int, at: datetime) -> bool:
    """Import or check one file and finish it in the same transaction; not done when another worker has it."""
    waiting = StockUpload.objects.select_for_update(no_key=True, skip_locked=True).filter(status=UploadStatus.WAITING)
    upload = waiting.filter(pk=upload_id).first()
    if upload is None:
        return False
    try:
        with translation.override(upload.language), _file(upload) as path:
            outcome = _take_in(upload, path, at)
    except _UNREADABLE as error:
        _fail(upload, _with_its_own_name(error.reason, upload), at)
    else:
        upload.result = outcome.document
        _finish(upload, UploadStatus.DONE, at)
    return True


def _take_in(upload: StockUpload, path: Path, at: datetime) -> stock_import.Outcome:
    kind, _colon, name = upload.uploaded_by.partition(":")
    whole = max(0, sum(1 for _row in tables.rows(path)) - 1)  # the header is none
    return stock_import.take_in(
        _told(tables.rows(path), upload.pk, whole),
        file_name=upload.file_name,
        is_dry_run=upload.is_dry_run,
        actor=Actor(kind, name),
        at=at,
    )


@contextlib.contextmanager
def _file(upload: StockUpload) -> Iterator[Path]:
    """Lay the bytes into a file for the readers; a name's ending says how it is read, the rest of it is not used."""
    with tempfile.NamedTemporaryFile(suffix=Path(upload.file_name).suffix.lower()) as file:
        file.write(bytes(upload.content or b""))
        file.flush()
        yield Path(file.name)


def _with_its_own_name(reason: Sentence, upload: StockUpload) -> Sentence:
    """Return a reader's sentence with the name that people know instead of the one the file had for the reader."""
    if "file" not in reason.values:
        return reason
    return Sentence(reason.text, reason.values | {"file": upload.file_name[-80:]})


def _told(rows: Iterator[Sequence[str] | None], upload_id: int, whole: int) -> Iterator[Sequence[str] | None]:
    """Pass the rows on and say from time to time how many they were."""
    for number, row in enumerate(rows):
        if number % _TOLD_EVERY == 1:
            _tell(upload_id, Progress(number, whole))
        yield row
    _tell(upload_id, Progress(whole, whole))


def _tell(upload_id: int, told: Progress) -> None:
    try:
        cache.set(_cache_key(upload_id), tuple(told), _KEPT_FOR)
    except RedisError as error:  # a bar that stands still is no reason to refuse a file
        logger.warning("the progress of upload %s is not shown: %s", upload_id, error)


def _cache_key(upload_id: int) -> str:
    return f"stock-upload:{upload_id}"


def _fail(upload: StockUpload, why: Sentence, at: datetime) -> None:
    upload.why = why.stored()
    _finish(upload, UploadStatus.FAILED, at)


def _finish(upload: StockUpload, status: UploadStatus, at: datetime) -> None:
    upload.status, upload.finished_at, upload.content = status, at, None
    upload.save(update_fields=["status", "finished_at", "content", "why", "result"])
