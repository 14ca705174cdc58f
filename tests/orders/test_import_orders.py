"""``import_orders``: what is good goes through, the rest is written down with its reason, twice adds nothing."""

import csv
import re
from collections.abc import Callable
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from channels.adapters.file import read
from channels.models import Channel, InboundMessage
from orders.models import Order, Refund
from tests import small_company as company

pytestmark = pytest.mark.django_db
HEADER = "订单号,下单时间,付款时间,商家编码,数量,单价,省份,城市,收货人,买家"


@pytest.fixture
def tills() -> Channel:
    """A channel of files in a company with one stocked SKU."""
    channel = company.channel("POS")
    Channel.objects.filter(pk=channel.pk).update(adapter="file")
    company.stock(company.sku("CUP"), company.node("SH"), 1000)
    channel.refresh_from_db()
    return channel


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., Path]:
    """Write an order file."""

    def write_file(*rows: str, header: str = HEADER, encoding: str = "utf-8") -> Path:
        path = tmp_path / "orders.csv"
        path.write_bytes("".join(f"{row}\n" for row in (header, *rows)).encode(encoding))
        return path

    return write_file


def row(number: str, sku: str = "CUP", quantity: str = "1", price: str = "10.00") -> str:
    return f"{number},2026-11-02 11:50,2026-11-02 11:51,{sku},{quantity},{price},上海市,上海市,王**,b-{number}"


def run(path: Path, *options: str) -> tuple[list[str], list[str]]:
    """Return what the command said (without the seconds, which differ) and how it went on."""
    out, err = StringIO(), StringIO()
    call_command("import_orders", str(path), "--channel", "POS", *options, stdout=out, stderr=err)
    *said, seconds = out.getvalue().splitlines()
    assert re.fullmatch(r"seconds: \d+\.\d", seconds)
    return said, err.getvalue().splitlines()


def totals(**counts: int) -> list[str]:
    names = ("rows", "orders", "refunds", "new", "already_known", "rejected_rows", "held")
    return [f"{name}: {counts.get(name, 0)}" for name in names]


def rejects(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def test_orders_of_a_file_walk_the_pipeline(tills: Channel, write: Callable[..., Path]) -> None:
    path = write(row("T1", quantity="2"), row("T1", price="5"), row("T2"), encoding="gb18030")
    said, _progress = run(path)
    assert said == totals(rows=3, orders=2, new=2)
    assert list(Order.objects.order_by("number").values_list("number", "status", "total_amount")) == [
        ("POS-T1", "released", 25),
        ("POS-T2", "released", 10),
    ]
    assert not path.with_name("orders.csv.rejects.csv").exists()


def test_a_second_import_adds_nothing(tills: Channel, write: Callable[..., Path]) -> None:
    path = write(row("T1"), row("T2"))
    run(path)
    before = list(Order.objects.order_by("pk").values())
    assert run(path)[0] == totals(rows=2, orders=2, already_known=2)
    assert list(Order.objects.order_by("pk").values()) == before
    assert list(InboundMessage.objects.values_list("times_received", flat=True)) == [2, 2]


def test_what_is_bad_is_written_down_and_the_rest_goes_through(tills: Channel, write: Callable[..., Path]) -> None:
    path = write(row("T1"), row("T2", quantity="-5"), row("T2"), row(""), row("T3", price="free"), row("T4"))
    said, _progress = run(path)
    reasons = [
        "row 3 T2: bad_quantity: 3:quantity is -5; a quantity is a whole number from 1 to 100000.",
        "row 4 T2: bad_quantity: 3:quantity is -5; a quantity is a whole number from 1 to 100000.",
        "row 5 : missing_field: order_number is missing.",
        "row 6 T3: bad_price: 6:unit_price is free; an amount is from 0 to 10000000 with at most 4 decimals.",
    ]
    where = path.with_name("orders.csv.rejects.csv")
    assert said == [*reasons, f"rejects: {where}", *totals(rows=6, orders=4, new=4, rejected_rows=4)]
    assert sorted(Order.objects.values_list("number", flat=True)) == ["POS-T1", "POS-T4"]
    written = rejects(where)
    assert [(each["row_number"], each["code"], each["order_number"], each["quantity"]) for each in written] == [
        ("3", "bad_quantity", "T2", "-5"),
        ("4", "bad_quantity", "T2", "1"),
        ("5", "missing_field", "", "1"),
        ("6", "bad_price", "T3", "1"),
    ]


def test_the_rejects_file_can_be_mended_and_imported(tills: Channel, write: Callable[..., Path]) -> None:
    path = write(row("T1"), row("T2", quantity="-5"))
    run(path)
    mended = path.with_name("orders.csv.rejects.csv")
    mended.write_text(mended.read_text(encoding="utf-8-sig").replace(",-5,", ",5,"), encoding="utf-8")
    assert run(mended)[0] == totals(rows=1, orders=1, already_known=1)
    assert Order.objects.get(external_id="T2").lines.get().quantity == 5


def test_held_orders_are_counted(tills: Channel, write: Callable[..., Path]) -> None:
    assert run(write(row("T1"), row("T2", sku="UNKNOWN")))[0] == totals(rows=2, orders=2, new=2, held=1)
    assert Order.objects.get(external_id="T2").status == "on_hold"


def test_small_batches_come_to_the_same(tills: Channel, write: Callable[..., Path]) -> None:
    path = write(*[row(f"T{number}") for number in range(25)])
    said, progress = run(path, "--batch", "4")
    assert said == totals(rows=25, orders=25, new=25)
    assert Order.objects.filter(status="released").count() == 25
    assert progress == [
        f"{percent} %: {rows} of 25 rows"
        for percent, rows in [(10, 4), (30, 8), (40, 12), (60, 16), (80, 20), (90, 24), (100, 25)]
    ]


def test_twenty_refused_rows_are_shown_and_all_are_written(tills: Channel, write: Callable[..., Path]) -> None:
    path = write(*[row("") for _ in range(23)])
    said, _progress = run(path, "--rejects", str(path.with_name("mine.csv")))
    assert [line.split(":")[0] for line in said[:21]] == [*(f"row {n} " for n in range(2, 22)), "… and 3 more"]
    assert len(rejects(path.with_name("mine.csv"))) == 23


def test_an_order_scattered_over_the_file_is_refused_whole(tills: Channel, write: Callable[..., Path]) -> None:
    between = [row("") for _ in range(read.WINDOW_ROWS)]
    said, _progress = run(write(row("T1"), *between, row("T1"), row("T2")))
    assert said[-7:] == totals(rows=5003, orders=1, new=1, rejected_rows=5002)
    assert list(Order.objects.values_list("number", flat=True)) == ["POS-T2"]


def test_what_cannot_begin_says_what_to_do(tills: Channel, write: Callable[..., Path], tmp_path: Path) -> None:
    path = write(row("T1"))

    def trouble(*arguments: str) -> str:
        with pytest.raises(CommandError) as caught:
            call_command("import_orders", *arguments, stdout=StringIO(), stderr=StringIO())
        return str(caught.value)

    missing = tmp_path / "missing.csv"
    company.channel("SHOP")
    assert trouble(str(path), "--channel", "NO") == "There is no channel NO. Channels that take files: POS."
    assert trouble(str(path), "--channel", "SHOP") == (
        "Channel SHOP speaks house, not files. Choose or add a channel whose adapter is 'file'."
    )
    assert trouble(str(missing), "--channel", "POS") == f"{missing}: No such file or directory. Check the path."
    assert trouble(str(tmp_path), "--channel", "POS") == f"{tmp_path}: Is a directory. Check the path."
    assert trouble(str(path), "--channel", "POS", "--batch", "0") == "--batch 0: choose from 1 to 5000."
    assert trouble(str(path), "--channel", "POS", "--rejects", str(path)) == (
        "--rejects names the imported file itself. Choose another name."
    )
    wrong = trouble(str(write("1,2", header="a,b")), "--channel", "POS")
    assert wrong.startswith("The file has no column order_number (订单号), placed_at (下单时间), sku (商家编码),")
    assert wrong.endswith("Its columns are: a, b. Name the columns as in docs/file-import.md.")
    assert (Order.objects.count(), InboundMessage.objects.count()) == (0, 0)


def test_a_tills_day_with_returns_walks_the_pipeline_and_adds_nothing_twice(
    tills: Channel, write: Callable[..., Path]
) -> None:
    Channel.objects.filter(pk=tills.pk).update(options={"stores": {"S1": {"province": "上海市", "city": "上海市"}}})
    path = write(
        "S1,R-1,1,2026-11-02 10:00:00,CUP,2,10.00,SALE,,",
        "S1,R-2,1,2026-11-02 11:00:00,CUP,-2,10.00,RETURN,R-1,1",
        "S1,R-4,1,2026-11-02 11:30:00,CUP,-1,10.00,RETURN,,",
        "S1,R-3,1,2026-11-02 11:10:00,CUP,1,10.00,SALE,,",
        header="store_code,receipt_no,line_no,biz_time,sku,qty,unit_price,type,orig_receipt_no,orig_line_no",
    )

    said, _progress = run(path)

    assert said[0] == (
        "row 4 R-4: missing_field: 4:original_number is missing: a return needs the receipt it is about."
    )
    assert said[2:] == totals(rows=4, orders=2, refunds=2, new=4, rejected_rows=1)
    sold, kept = Order.objects.order_by("external_id")
    assert (kept.external_id, kept.status, kept.total_amount, kept.region) == ("R-3", "released", 10, "31")
    assert (sold.external_id, sold.status) == ("R-1", "cancelled")  # all of it came back
    (refund,) = Refund.objects.all()
    assert (refund.order, refund.external_id, refund.status, refund.amount) == (sold, "R-2", "refunded", 20)
    assert (refund.lines, refund.goods_come_back) == ([{"line": "1", "quantity": 2}], True)

    assert run(path)[0][2:] == totals(rows=4, orders=2, refunds=2, already_known=4, rejected_rows=1)
    assert (Order.objects.count(), Refund.objects.count()) == (2, 1)
