"""An uploaded stock file is worked on once, whoever takes it, and a file that cannot be used says why."""

import contextlib
import gzip
import io
import zipfile
from functools import partial
from threading import Barrier, BrokenBarrierError, RLock

import pytest
import xlsxwriter
from django.core.cache import cache
from django.db import IntegrityError, connection, transaction
from django.utils import translation

from audit.models.sentences import render
from inventory.models import StockImport, StockLevel, StockUpload
from inventory.services import stock_import, stock_results, uploads
from inventory.services.refusals import RowsRefused
from tests import small_company as company
from tests.races import PATIENCE, race
from tests.small_company import NOON, TESTER

pytestmark = pytest.mark.django_db
GOOD = b"sku,node,change\nCUP,SH,5\n"
WORKERS = 4


@pytest.fixture
def cup(db):
    sku = company.sku("CUP")
    company.stock(sku, company.node("SH"), 10)
    return sku


def keep(content=GOOD, name="stock.csv", key="k1", language="en", is_dry_run=False):
    upload = StockUpload(key=key, file_name=name, is_dry_run=is_dry_run, language=language)
    return uploads.keep(upload, content=content, actor=TESTER, at=NOON)


def run():
    return uploads.run_waiting(at=lambda: NOON)


def on_hand():
    return StockLevel.objects.get(sku__code="CUP").on_hand


def standing(upload):
    upload.refresh_from_db()
    return upload.status, upload.attempts, upload.content, render(upload.why)


def workbook(*rows):
    packed = io.BytesIO()
    with xlsxwriter.Workbook(packed) as book:
        sheet = book.add_worksheet()
        for number, row in enumerate(rows):
            sheet.write_row(number, 0, row)
    return packed.getvalue()


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("stock.csv", GOOD),
        ("库存.CSV", "﻿商家编码,仓库,变动\r\nCUP,SH,5\r\n".encode()),
        ("stock.txt", "sku\tnode\tchange\nCUP\tSH\t5\n".encode("utf-16")),
        ("stock.xlsx", workbook(("sku", "node", "change"), ("CUP", "SH", 5))),
    ],
    ids=["csv", "chinese", "utf-16", "xlsx"],
)
def test_a_file_is_imported_once_and_its_bytes_are_gone(cup, name, content):
    upload = keep(content, name)
    assert (bytes(StockUpload.objects.get().content), run(), run()) == (content, 1, 0)
    assert standing(upload) == ("done", 1, None, "")
    document = upload.result
    assert (document.file_name, document.status, document.imported_by, document.units_added) == (
        name, "applied", "person:tester", 5,
    )  # fmt: skip
    assert on_hand() == 15


def test_a_dry_run_changes_nothing(cup):
    upload = keep(is_dry_run=True)
    run()
    assert (standing(upload)[0], upload.result.status, on_hand()) == ("done", "checked", 10)


@pytest.mark.parametrize(
    ("reader", "because"), [("en", "The quantity is not a whole number."), ("zh-hans", "数量不是整数。")]
)
def test_the_results_are_told_in_the_language_of_who_reads_them(cup, reader, because):
    upload = keep(b"sku,node,change\nCUP,SH,x\n", language="zh-hans")
    run()
    upload.refresh_from_db()
    with translation.override(reader):
        [row] = stock_results.refused_rows(upload.result)
        lines = b"".join(stock_results.as_csv(upload.result)).decode("utf-8-sig").splitlines()
    assert (row.row_number, row.sku, row.node, row.because) == (2, "CUP", "SH", because)
    assert lines == ["row,sku,node,was,now,change,refused_because", f"2,CUP,SH,,,,{because}"]
    assert (upload.result.status, on_hand()) == ("refused", 10)


def test_results_that_were_kept_in_words_are_told_as_they_are(cup):
    keep(b"sku,node,change\nCUP,SH,x\n")
    run()
    document = StockImport.objects.get()
    document.results = gzip.compress(b"row,sku,node,was,now,change,refused_because\n2,CUP,SH,,,,Because.\n")
    assert [row.because for row in stock_results.refused_rows(document)] == ["Because."]


def test_files_are_worked_on_in_the_order_in_which_they_came(cup):
    keep(b"sku,node,on_hand\nCUP,SH,7\n", key="a")
    keep(b"sku,node,on_hand\nCUP,SH,3\n", key="b")
    assert (run(), on_hand()) == (2, 3)


def test_the_same_key_is_the_same_upload(cup):
    assert keep().pk == keep().pk
    assert (run(), on_hand(), StockUpload.objects.count()) == (1, 15, 1)


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("stock.pdf", b"x", "stock.pdf is neither CSV nor XLSX. Save it as one of them."),
        ("stock", b"x", "stock is neither CSV nor XLSX. Save it as one of them."),
        ("stock.csv", b"", "The file is empty."),
        ("stock.csv", b"x" * (uploads.MOST_BYTES + 1), "The file is larger than 20 MB. Split it."),
        ("stock.xlsx", b"no zip", "The file says that it is a workbook, but it cannot be opened as one. "
                                  "Save it again as XLSX."),
    ],
    ids=["pdf", "no ending", "empty", "too large", "no workbook"],
)  # fmt: skip
def test_what_cannot_be_a_stock_file_is_refused_at_once(cup, name, content, words):
    with pytest.raises(RowsRefused) as refused:
        keep(content, name)
    assert [(row.row_number, str(row.reason)) for row in refused.value.rows] == [(0, words)]
    assert StockUpload.objects.count() == 0


def test_a_workbook_that_would_fill_the_memory_is_refused(cup, monkeypatch):
    monkeypatch.setattr(uploads, "MOST_BYTES_UNPACKED", 1000)
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as parts:
        parts.writestr("xl/worksheets/sheet1.xml", b"0" * 1001)
    with pytest.raises(RowsRefused, match="too large when unpacked"):
        keep(packed.getvalue(), "stock.xlsx")


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("stock.csv", b"a,b\n1,2\n", "The file needs the columns sku, node and either on_hand or change. "
                                     "Its columns are: a, b."),
        ("stock.csv", b"\x80\xff\xff", "stock.csv is neither UTF-8 nor GB18030 text. "
                                       "Save it as CSV UTF-8 or as XLSX."),
        ("stock.csv", b"sku,node,change,change\n", "Two columns of the file mean the same. Remove one."),
    ],
    ids=["wrong columns", "no text", "column twice"],
)  # fmt: skip
def test_a_file_that_cannot_be_read_fails_with_its_reason(cup, name, content, words):
    upload = keep(content, name)
    assert run() == 1
    assert standing(upload) == ("failed", 1, None, words)
    assert (StockImport.objects.count(), on_hand()) == (0, 10)


def test_a_workbook_without_sheets_fails_with_the_name_that_people_know(cup):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as parts:
        parts.writestr("a.txt", b"x")
    upload = keep(packed.getvalue(), "stock.xlsx")
    run()
    status, _attempts, _content, words = standing(upload)
    assert status == "failed"
    assert words.startswith("stock.xlsx is not a workbook that can be read:")


def test_a_file_that_breaks_the_worker_is_tried_three_times(cup, monkeypatch):
    def break_down(path):
        raise MemoryError

    upload = keep()
    monkeypatch.setattr(uploads.tables, "rows", break_down)
    for _time in range(3):
        with pytest.raises(MemoryError):
            run()
    assert run() == 0
    assert standing(upload) == ("failed", 3, None, "The file could not be worked on in 3 attempts.")
    assert on_hand() == 10


def test_the_progress_is_told_while_rows_are_read(cup, monkeypatch):
    told = []
    monkeypatch.setattr(uploads, "_TOLD_EVERY", 2)
    monkeypatch.setattr(cache, "set", lambda key, value, *_rest: told.append((key, value)))
    upload = keep(b"sku,node,on_hand\n" + b"CUP,SH,1\n" * 4)
    run()
    key = f"stock-upload:{upload.pk}"
    assert told == [(key, (1, 4)), (key, (3, 4)), (key, (4, 4))]


def test_the_progress_can_be_asked(cup):
    upload = keep()
    assert uploads.progress(upload) == (0, 0)
    run()
    assert uploads.progress(upload) == (1, 1)


def test_a_worked_file_is_never_kept(cup):
    upload = keep()
    run()
    with pytest.raises(IntegrityError, match="a_file_is_kept_only_while_it_waits"), transaction.atomic():
        StockUpload.objects.filter(pk=upload.pk).update(content=b"x")


@pytest.mark.django_db(transaction=True)
def test_many_workers_import_a_file_once(cup):
    keep()
    results = race([run] * WORKERS)
    assert sorted(results) == [0] * (WORKERS - 1) + [1]
    assert (on_hand(), StockImport.objects.count(), StockUpload.objects.get().attempts) == (15, 1, 1)


@pytest.fixture
def slow_claims(monkeypatch):
    """Make every claim wait for all the others: nobody begins to work before the last worker has looked."""
    everybody_is_here, turn, claim = Barrier(WORKERS), RLock(), uploads._claim

    def slowly(at):
        with turn:  # one transaction after the other: nobody skips a row that is locked
            found = claim(at)
        with contextlib.suppress(BrokenBarrierError):
            everybody_is_here.wait(3)
        return found

    monkeypatch.setattr(uploads, "_claim", slowly)


@pytest.mark.django_db(transaction=True)
def test_workers_that_find_a_file_taken_do_not_count_as_its_attempts(cup, slow_claims):
    upload = keep()
    assert sorted(race([run] * WORKERS)) == [0] * (WORKERS - 1) + [1]
    assert (standing(upload)[:2], on_hand()) == (("done", 1), 15)


@pytest.mark.django_db(transaction=True)
def test_waiting_workers_would_use_the_attempts_up_without_the_lock(cup, slow_claims, monkeypatch):
    """The control: four claims before the first one's work begins, and the fourth says that the file has failed."""
    monkeypatch.setattr(uploads, "_alone", partial(contextlib.nullcontext, True))
    upload = keep()
    assert race([run] * WORKERS) == [0] * WORKERS
    assert (standing(upload)[:2], on_hand()) == (("failed", 3), 10)


@pytest.mark.django_db(transaction=True)
def test_the_race_exists_without_the_lock(cup):
    """The control: each worker looks whether the file waits, imports it and says that it is done."""
    upload = keep()
    everybody_has_looked = Barrier(WORKERS)

    def work_naively(number):
        found = StockUpload.objects.get(pk=upload.pk, status="waiting")
        everybody_has_looked.wait(PATIENCE)
        rows = iter([("sku", "node", "change"), ("CUP", "SH", "5")])
        stock_import.take_in(rows, file_name=found.file_name, actor=TESTER, at=NOON)
        StockUpload.objects.filter(pk=found.pk).update(status="done", content=None)

    race([partial(work_naively, number) for number in range(WORKERS)])
    assert (on_hand(), StockImport.objects.count()) == (10 + 5 * WORKERS, WORKERS)
    assert connection.vendor == "postgresql"
