"""Stock files at the desk: up, watched, told row by row, taken back; and the whole stock down again."""

import csv
import io

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from django.utils import timezone
from python_calamine import CalamineWorkbook

from inventory.models import StockImport, StockLevel, StockUpload
from inventory.services import uploads
from inventory.tasks import import_stock

pytestmark = pytest.mark.django_db
LIST = "/admin/inventory/stockimport/"
ADD = f"{LIST}add/"
MAY_SEE, MAY_ACT, MAY_ADD = (f"inventory.{deed}_stockimport" for deed in ("view", "change", "add"))
GOOD = b"sku,node,on_hand\nCUP,SH,4\nLID,SH,10\n"
BAD = b"sku,node,on_hand\nCUP,SH,4\n=GHOST,SH,1\nLID,SH,-2\n"


def send(browser, content=GOOD, name="stock.csv", mode="import", key="k1"):
    return browser.post(ADD, {"key": key, "mode": mode, "file": SimpleUploadedFile(name, content)})


def page(name, pk):
    return reverse(f"admin:inventory_stockimport_{name}", args=[pk])


def on_hand():
    return StockLevel.objects.get(sku__code="CUP", node__code="SH").on_hand


def table(answer):
    text = b"".join(answer.streaming_content).decode("utf-8-sig")
    return list(csv.reader(io.StringIO(text)))


def test_a_file_is_taken_watched_and_worked_on_in_the_background(desk, shop):
    answer = send(desk)
    upload = StockUpload.objects.get()
    assert answer.url == page("upload", upload.pk)
    assert (upload.status, bytes(upload.content), upload.uploaded_by, upload.language, on_hand()) == (
        "waiting", GOOD, "person:boss", "en", 10,
    )  # fmt: skip
    watched = desk.get(page("upload", upload.pk)).content.decode()
    assert page("progress", upload.pk) in watched
    assert desk.get(page("progress", upload.pk)).json() == {
        "state": "waiting", "read": 0, "rows": 0, "words": "Waits for a worker …",
    }  # fmt: skip
    import_stock()
    assert desk.get(page("progress", upload.pk)).json()["state"] == "done"
    document = StockImport.objects.get()
    assert desk.get(page("upload", upload.pk)).url == page("change", document.pk)
    assert (document.file_name, document.status, document.imported_by, on_hand()) == (
        "stock.csv", "applied", "person:boss", 4,
    )  # fmt: skip


def test_the_bar_moves(desk, shop):
    send(desk)
    upload = StockUpload.objects.get()
    for told, words in (
        (uploads.Progress(2001, 9000), "2,001 of 9,000 rows are read."),
        (uploads.Progress(9000, 9000), "All 9,000 rows are read; they are compared with stock."),
    ):
        uploads._tell(upload.pk, told)
        answer = desk.get(page("progress", upload.pk)).json()
        assert answer == {"state": "waiting", "read": told.read, "rows": told.rows, "words": words}


def test_checking_a_file_changes_nothing(desk, shop):
    send(desk, mode="check")
    import_stock()
    assert (StockImport.objects.get().status, on_hand()) == ("checked", 10)


def test_a_file_with_wrong_rows_is_refused_whole_and_says_why_row_by_row(desk, shop):
    send(desk, BAD)
    import_stock()
    document = StockImport.objects.get()
    assert (document.status, on_hand()) == ("refused", 10)
    [shown] = desk.get(page("change", document.pk)).context["tables"]
    assert [[str(cell) for cell in row[1:]] for row in shown.rows] == [
        ["'=GHOST", "SH", "There is no such SKU."], ["LID", "SH", "Stock on hand cannot be negative."],
    ]  # fmt: skip
    answer = desk.get(page("results", document.pk))
    assert answer["Content-Disposition"] == 'attachment; filename="stock.results.csv"'
    assert table(answer) == [
        ["row", "sku", "node", "was", "now", "change", "refused_because"],
        ["2", "CUP", "SH", "10", "4", "-6", ""],
        ["3", "'=GHOST", "SH", "", "", "", "There is no such SKU."],
        ["4", "LID", "SH", "", "", "", "Stock on hand cannot be negative."],
    ]


def test_an_import_is_taken_back_from_its_page_while_nothing_used_it(desk, shop):
    send(desk)
    import_stock()
    document = StockImport.objects.get()
    [button] = desk.get(page("change", document.pk)).context["verb_buttons"]
    desk.post(button["url"], {"go": "1"})
    document.refresh_from_db()
    assert (document.status, on_hand()) == ("undone", 10)
    assert desk.get(page("change", document.pk)).context["verb_buttons"] == []


@pytest.mark.parametrize(
    ("told", "words"),
    [
        ({"name": "stock.pdf"}, "stock.pdf is neither CSV nor XLSX."),
        ({"content": b""}, "The file is empty."),
        ({"name": "stock.xlsx"}, "The file says that it is a workbook, but it cannot be opened as one."),
        ({"mode": "destroy"}, "Select a valid choice."),
        ({"key": ""}, "This field is required."),
    ],
    ids=["pdf", "empty", "no workbook", "mode", "no key"],
)
def test_what_cannot_be_taken_is_said_and_not_kept(desk, shop, told, words):
    answer = send(desk, **told)
    assert answer.status_code == 200
    said = [str(error) for errors in answer.context["form"].errors.values() for error in errors]
    assert [words in error for error in said] == [True]
    assert StockUpload.objects.count() == 0


def test_a_file_that_is_too_large_is_refused_before_it_is_read(desk, shop, monkeypatch):
    monkeypatch.setattr(uploads, "MOST_BYTES", len(GOOD) - 1)
    assert "The file is larger than 0 MB. Split it." in send(desk).content.decode()
    assert StockUpload.objects.count() == 0


def test_no_file_is_said_beside_the_field(desk, shop):
    answer = desk.post(ADD, {"key": "k1", "mode": "import"})
    assert answer.context["form"].errors["file"] == ["This field is required."]


def test_a_broken_file_says_why_on_its_page_and_in_the_list(desk, shop):
    send(desk, b"a,b\n1,2\n")
    import_stock()
    upload = StockUpload.objects.get()
    shown = desk.get(page("upload", upload.pk)).content.decode()
    assert "The file needs the columns sku, node and either on_hand or change. Its columns are: a, b." in shown
    assert desk.get(page("progress", upload.pk)).json()["state"] == "failed"
    StockUpload.objects.update(uploaded_at=timezone.now())
    assert page("upload", upload.pk) in desk.get(LIST).content.decode()


def test_the_same_form_sent_twice_is_one_upload(desk, shop):
    assert send(desk).url == send(desk).url
    assert StockUpload.objects.count() == 1


def test_all_stock_comes_down_as_csv(desk, shop):
    answer = desk.get(page("export", "csv"))
    assert answer.streaming
    assert table(answer) == [
        ["sku", "node", "on_hand", "reserved", "quality_hold", "safety_stock", "available", "lot", "expires"],
        ["CUP", "SH", "10", "0", "0", "0", "10", "", ""],
        ["CUP", "WH", "10", "0", "0", "0", "10", "", ""],
        ["LID", "SH", "10", "0", "0", "0", "10", "", ""],
    ]


def test_all_stock_comes_down_as_a_workbook(desk, shop):
    content = b"".join(desk.get(page("export", "xlsx")).streaming_content)
    rows = CalamineWorkbook.from_filelike(io.BytesIO(content)).get_sheet_by_index(0).to_python()
    assert (len(rows), rows[1][:3]) == (4, ["CUP", "SH", 10.0])
    assert desk.get(page("export", "pdf")).status_code == 404


def test_who_may_only_look_uploads_nothing(clerk, desk, shop):
    send(desk)
    import_stock()
    upload, document = StockUpload.objects.get(), StockImport.objects.get()
    reader, stranger = clerk(MAY_SEE), clerk("inventory.view_node")
    assert reader.get(ADD).status_code == 403
    assert send(reader, key="k2").status_code == 403
    assert reader.get(page("progress", upload.pk)).status_code == 200
    assert reader.get(page("results", document.pk)).status_code == 200
    assert reader.get(page("export", "csv")).status_code == 403
    assert b"All stock as CSV" not in reader.get(LIST).content
    for name, pk in (("progress", upload.pk), ("upload", upload.pk), ("results", document.pk), ("export", "csv")):
        assert stranger.get(page(name, pk)).status_code == 403, name
    assert StockUpload.objects.count() == 1


def test_uploading_does_not_mean_taking_back(clerk, shop):
    writer = clerk(MAY_SEE, MAY_ADD)
    assert send(writer).status_code == 302
    import_stock()
    document = StockImport.objects.get()
    url = f"{reverse('admin:inventory_stockimport_verb', args=['undo'])}?ids={document.pk}"
    assert writer.post(url, {"go": "1"}).status_code == 403
    assert (StockImport.objects.get().status, on_hand()) == ("applied", 4)
