"""Order files: which rows become which orders, and what is said of those that do not."""

import json
import tracemalloc
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import xlsxwriter

from channels.adapters import file
from channels.adapters.file import read
from channels.adapters.file.columns import ALIASES, UnreadableFile
from channels.adapters.file.read import OrderRows, RejectedRow
from channels.adapters.protocol import Connection, NotOffered, Pushed
from channels.messages import (
    Address,
    IncomingLine,
    IncomingOrder,
    RawMessage,
    RefundedLine,
    RefundState,
    StockFigure,
    Untranslatable,
)

HEADER = "order_number,placed_at,sku,quantity,unit_price,province"
POS = Connection(code="POS", currency="CNY")


def write(path: Path, *lines: str, encoding: str = "utf-8") -> Path:
    path.write_bytes("".join(f"{line}\r\n" for line in lines).encode(encoding))
    return path


def line(number: str, sku: str = "CAP", quantity: str = "1") -> str:
    return f"{number},2026-11-23 09:00:00,{sku},{quantity},12.50,浙江省"


def orders(path: Path) -> dict[str, list[str]]:
    """Return each order's row numbers, in the order in which they are read."""
    return {
        part.external_id: [row["row"] for row in part.rows] for part in read.read(path) if isinstance(part, OrderRows)
    }


def refused(path: Path) -> list[tuple[int, str]]:
    return [(part.row_number, part.code) for part in read.read(path) if isinstance(part, RejectedRow)]


def translated(path: Path, connection: Connection = POS) -> Any:
    (part,) = read.read(path)
    assert isinstance(part, OrderRows)
    return file.ADAPTER.translate(part, connection)


def refusal(path: Path, connection: Connection = POS) -> tuple[str, str]:
    with pytest.raises(Untranslatable) as caught:
        translated(path, connection)
    return caught.value.code, str(caught.value.reason)


def test_every_column_finds_its_place(tmp_path: Path) -> None:
    header = (
        "订单号,下单时间,付款时间,修改时间,取消时间,取消原因,订单状态,最晚发货时间,币种,子订单号,商家编码,商品名称,数量,单价,优惠,"
        "是否取消,运费,实付金额,国家,省,市,区,详细地址,收货人,手机,买家昵称,买家留言,卖家备注,别的"
    )
    first = (
        "T1,2026/11/23 9:00,2026-11-23 09:01:02,2026-11-23 10:00,,,已付款,2026-11-25,CNY,11,TEE,T恤,2.0,￥59.00,5.5,"
        '否,6,118.5,CN,浙江省,杭州市,西湖区,"文三路 1 号,2 楼",王**,138,b-1,快😀,vip,x'
    )
    second = 'T1,2026/11/23 9:00,,,,,,,,12,CAP,,1,"1,000.00",,是,,,,浙江省,,,,,,,,,'
    path = write(tmp_path / "a.csv", header, first, second)
    assert translated(path) == IncomingOrder(
        external_id="T1",
        revision=int(datetime(2026, 11, 23, 10, 0, tzinfo=UTC).timestamp() * 1000),
        placed_at=datetime(2026, 11, 23, 1, 0, tzinfo=UTC),
        currency="CNY",
        lines=(
            IncomingLine("11", "TEE", "T恤", 2, Decimal("59.00"), Decimal("5.5")),
            IncomingLine("12", "CAP", "", 1, Decimal("1000.00"), is_cancelled=True),
        ),
        address=Address("浙江省", "杭州市", "西湖区", "文三路 1 号,2 楼", "CN", "王**", "138"),
        paid_at=datetime(2026, 11, 23, 1, 1, 2, tzinfo=UTC),
        shipping_amount=Decimal(6),
        paid_amount=Decimal("118.5"),
        buyer_key="b-1",
        buyer_note="快😀",
        seller_note="vip",
        ship_by=datetime(2026, 11, 24, 16, 0, tzinfo=UTC),
    )


def test_lines_without_a_number_are_counted(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", HEADER, line("A", "TEE"), line("A", "CAP"))
    assert [(each.external_id, each.sku_code) for each in translated(path).lines] == [("1", "TEE"), ("2", "CAP")]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
def test_encodings_are_found_out(tmp_path: Path, encoding: str) -> None:
    path = write(tmp_path / "a.csv", HEADER.replace("province", "省份"), line("甲1"), encoding=encoding)
    assert (orders(path), translated(path).address.province) == ({"甲1": ["2"]}, "浙江省")


def test_a_character_cut_by_the_reading_block_does_not_fool_the_detection(tmp_path: Path) -> None:
    lines = [line(f"{'号' * 20}{number}") for number in range(20_000)]
    path = write(tmp_path / "a.csv", HEADER, *lines)
    assert path.stat().st_size > 2 * 1024 * 1024
    assert len(orders(path)) == 20_000


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_delimiters_are_found_out(tmp_path: Path, delimiter: str) -> None:
    path = write(tmp_path / "a.csv", HEADER.replace(",", delimiter), line("A").replace(",", delimiter))
    assert orders(path) == {"A": ["2"]}


def test_empty_rows_count_but_say_nothing(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", HEADER, line("A"), "", ",,,,,", line("B"))
    assert orders(path) == {"A": ["2"], "B": ["5"]}


def test_a_workbook_is_read_as_people_see_it(tmp_path: Path) -> None:
    path = tmp_path / "a.xlsx"
    with xlsxwriter.Workbook(path) as workbook:
        sheet = workbook.add_worksheet()
        time = workbook.add_format({"num_format": "yyyy-mm-dd hh:mm"})
        for column, name in enumerate([*HEADER.split(","), "line_cancelled"]):
            sheet.write(0, column, name)
        sheet.write(1, 0, 123456789012345)
        sheet.write_datetime(1, 1, datetime(2026, 11, 23, 9, 0), time)  # noqa: DTZ001  # a sheet knows no offset
        sheet.write_row(1, 2, ["CAP", 3, 0.1 + 0.2, "浙江省", True])
        sheet.write_row(2, 0, [1234567890123456789, "2026-11-23", "CAP", 1, 5, "浙江省", False])
    assert orders(path) == {"123456789012345": ["2"]}
    assert refused(path) == [(3, "damaged_number")]
    (part,) = [part for part in read.read(path) if isinstance(part, OrderRows)]
    order = file.ADAPTER.translate(part, POS)
    assert isinstance(order, IncomingOrder)
    assert order.placed_at == datetime(2026, 11, 23, 1, 0, tzinfo=UTC)
    assert order.lines == (IncomingLine("1", "CAP", "", 3, Decimal("0.3"), is_cancelled=True),)


@pytest.mark.parametrize(
    ("row", "code", "reason"),
    [
        pytest.param(",2026-11-23 09:00,CAP,1,1,浙江省", "missing_field", "order_number is missing.", id="no number"),
        pytest.param(
            "1.23457E+17,2026-11-23 09:00,CAP,1,1,浙江省",
            "damaged_number",
            "order_number 1.23457E+17 has lost digits in a spreadsheet. Format the column as text and export it again.",
            id="number damaged by a spreadsheet",
        ),
        pytest.param(
            line("x" * 81),
            "bad_value",
            f"order_number {'x' * 59}… is too long or has control characters.",
            id="number too long",
        ),
        pytest.param(
            line("A\x00B"), "bad_value", "order_number AB is too long or has control characters.", id="number with NUL"
        ),
        pytest.param(line("A") + ",more", "too_many_cells", "The row has 7 cells, the header has 6.", id="more cells"),
        pytest.param(
            line("A") + ',"' + "x" * 140_000 + '"',
            "unreadable_row",
            "The row cannot be read; look for a quotation mark that is not closed, or a very long cell.",
            id="a cell without end",
        ),
    ],
)
def test_a_row_without_an_order_is_refused_and_the_others_are_read(
    tmp_path: Path, row: str, code: str, reason: str
) -> None:
    path = write(tmp_path / "a.csv", HEADER, line("A1"), row, line("B1"))
    (bad,) = [part for part in read.read(path) if isinstance(part, RejectedRow)]
    assert (bad.row_number, bad.code, str(bad.reason)) == (3, code, reason)
    assert orders(path) == {"A1": ["2"], "B1": ["4"]}


def test_rows_of_an_order_may_stand_apart_but_not_too_far(tmp_path: Path) -> None:
    between = [line(f"N{number}") for number in range(read.WINDOW_ROWS)]
    near = write(tmp_path / "near.csv", HEADER, line("A"), *between[:-1], line("A"))
    far = write(tmp_path / "far.csv", HEADER, line("A"), *between, line("A"), line("Z"))
    assert orders(near)["A"] == ["2", "5002"]
    assert refused(near) == []
    assert refused(far) == [(2, "rows_apart"), (5003, "rows_apart")]
    assert list(orders(far))[-1] == "Z"
    assert "A" not in orders(far)


def test_orders_come_in_the_order_of_their_first_row(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", HEADER, line("B"), line("A"), line("B"), line("C"))
    assert orders(path) == {"B": ["2", "4"], "A": ["3"], "C": ["5"]}


def test_the_same_file_says_the_same_and_later_times_a_higher_revision(tmp_path: Path) -> None:
    header = HEADER + ",paid_at,cancelled_at,updated_at"
    rows = [
        line("A") + ",,,",
        line("B") + ",2026-11-23 09:05,,",
        line("C") + ",2026-11-23 09:05,2026-11-24 09:00:00,",
        line("D") + ",2026-11-23 09:05,,2026-11-23 09:00:01",
        line("E").replace("2026-11-23 09:00:00", "soon") + ",,,",
    ]
    path = write(tmp_path / "a.csv", header, *rows)
    found = [(part.external_id, part.revision) for part in read.read(path) if isinstance(part, OrderRows)]
    nine = 1795424400000
    assert found == [("A", nine), ("B", nine + 300_000), ("C", nine + 86_400_000), ("D", nine + 1000), ("E", 0)]
    assert list(read.read(path)) == list(read.read(path))


@pytest.mark.parametrize(
    ("more_header", "row", "code", "reason"),
    [
        pytest.param(
            "", line("A", quantity="-2"), "bad_quantity", "2:quantity is -2; a quantity is a whole", id="minus"
        ),
        pytest.param(
            "", line("A", quantity="1.5"), "bad_quantity", "2:quantity is 1.5; a quantity is a whole", id="half"
        ),
        pytest.param(
            "", line("A").replace("12.50", "12元"), "bad_price", "2:unit_price is 12元; an amount", id="price"
        ),
        pytest.param("", line("A").replace("CAP", ""), "missing_field", "2:sku is missing.", id="no SKU"),
        pytest.param("", line("A").replace("浙江省", ""), "missing_field", "2:province is missing.", id="no province"),
        pytest.param(
            "",
            line("A").replace("2026-11-23 09:00:00", "soon"),
            "bad_time",
            "2:placed_at is soon; a time",
            id="no time",
        ),
        pytest.param(",币种", line("A") + ",USD", "wrong_currency", "2:currency is USD, but this", id="dollars"),
        pytest.param(",运费", line("A") + ",free", "bad_price", "2:shipping is free; an amount", id="shipping"),
        pytest.param(",status", line("A") + ",paid", "missing_field", "2:paid_at is missing.", id="paid when"),
        pytest.param(
            ",状态", line("A") + ",已取消", "missing_field", "2:cancelled_at is missing.", id="cancelled when"
        ),
        pytest.param(",状态", line("A") + ",火星", "unknown_status", "2:status is 火星, a status that", id="status"),
        pytest.param(
            ",status,paid_at",
            line("A") + ",unpaid,2026-11-23 10:00",
            "bad_value",
            "2:status is unpaid, which is not",
            id="unpaid but paid",
        ),
        pytest.param(",是否取消", line("A") + ",perhaps", "bad_value", "2:line_cancelled is perhaps", id="flag"),
    ],
)
def test_bad_cells_are_refused_with_row_column_and_value(
    tmp_path: Path, more_header: str, row: str, code: str, reason: str
) -> None:
    found = refusal(write(tmp_path / "a.csv", HEADER + more_header, row))
    assert (found[0], found[1][: len(reason)]) == (code, reason)


def test_rows_that_disagree_are_no_order(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", HEADER, line("A"), line("A").replace("09:00", "09:30"))
    reason = "3:placed_at is 2026-11-23 09:30:00, but an earlier row of this order says 2026-11-23 09:00:00."
    assert refusal(path) == ("rows_disagree", reason)


def test_the_same_line_number_twice_names_the_second_row(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", HEADER + ",line_number", line("A") + ",7", line("A") + ",7")
    assert refusal(path) == ("duplicate_line", "3:line_number is 7, which another line has already.")


def test_times_are_read_in_the_channels_zone_unless_they_say_their_offset(tmp_path: Path) -> None:
    rows = [HEADER + ",paid_at", line("A") + ",2026-11-23T09:00:00Z"]
    tokyo = Connection(code="POS", options={"time_zone": "Asia/Tokyo"})
    order = translated(write(tmp_path / "a.csv", *rows), tokyo)
    assert (order.placed_at.hour, order.paid_at.hour) == (0, 9)


def test_control_characters_are_taken_out_with_a_remark(tmp_path: Path) -> None:
    order = translated(write(tmp_path / "a.csv", HEADER + ",note", line("A") + ",a\x07b مرحبا"))
    assert order.buyer_note == "ab مرحبا"
    assert [str(remark) for remark in order.remarks] == ["Control characters were taken out of 2:note."]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        pytest.param(b"", "The file has no column order_number", id="empty"),
        pytest.param(b"a,b\r\n1,2\r\n", "Its columns are: a, b.", id="other columns"),
        pytest.param(
            (HEADER + ",订单号\r\n").encode(), "Two columns of the file mean the same: order_number.", id="doubled"
        ),
        pytest.param(b"\x80\xff\xff\xff", "is neither UTF-8 nor GB18030 text.", id="no text"),
    ],
)
def test_a_file_that_is_no_order_file_says_what_to_do(tmp_path: Path, content: bytes, reason: str) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(content)
    with pytest.raises(UnreadableFile) as caught:
        list(read.read(path))
    assert reason in str(caught.value)


def test_a_broken_workbook_says_so(tmp_path: Path) -> None:
    path = tmp_path / "a.xlsx"
    path.write_bytes(b"PK\x03\x04 not really")
    with pytest.raises(UnreadableFile, match=r"a\.xlsx is not a workbook"):
        list(read.read(path))


def test_reading_holds_one_window_and_not_the_file(tmp_path: Path) -> None:
    note = "x" * 1600
    lines = (f"{line(f'N{number}')},{note}{number}" for number in range(20_000))
    path = write(tmp_path / "a.csv", HEADER + ",note", *lines)
    tracemalloc.start()
    count = sum(1 for _ in read.read(path))
    _now, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert count == 20_000
    assert peak < path.stat().st_size * 0.5  # of 33 MB a window of 5,000 rows, and eight bytes per order


def test_the_payload_is_the_rows(tmp_path: Path) -> None:
    (part,) = read.read(write(tmp_path / "a.csv", HEADER + ",note,what", line("A") + ",,x"))
    assert json.loads(part.payload) == {
        "rows": [
            {
                "row": "2",
                "order_number": "A",
                "placed_at": "2026-11-23 09:00:00",
                "sku": "CAP",
                "quantity": "1",
                "unit_price": "12.50",
                "province": "浙江省",
            }
        ]
    }


def test_the_guide_names_every_column_and_every_word_for_it() -> None:
    guide = (Path(__file__).parents[3] / "docs/file-import.md").read_text(encoding="utf-8")
    words = {word for column, aliases in ALIASES.items() for word in (column, *aliases)}
    assert {word for word in words if word not in guide} == set()


def test_files_neither_push_nor_pull_nor_listen() -> None:
    with pytest.raises(NotOffered):
        file.ADAPTER.receive(Pushed(b""), POS, at=datetime.now(UTC))
    with pytest.raises(NotOffered):
        file.ADAPTER.pull(POS, since=datetime.now(UTC), until=datetime.now(UTC))
    with pytest.raises(NotOffered):
        file.ADAPTER.deliver(StockFigure("a", "b", 1), POS, key="k")


def test_a_payload_that_is_no_rows_is_refused() -> None:
    for payload in (b"{", b"{}", b'{"rows":[]}', b'{"rows":7}', b'{"rows":[1]}'):
        with pytest.raises(Untranslatable):
            file.ADAPTER.translate(RawMessage("order", "A", 1, payload), POS)


# -- a till's day -----------------------------------------------------------------------------------

TILL = (
    "store_code,receipt_no,line_no,biz_time,sku,qty,unit_price,line_amount,discount,pay_method,pay_amount,type,"
    "orig_receipt_no"
)
STORES = {"SH01": {"province": "上海市", "city": "上海市"}}
SHANGHAI = Connection(code="POS", currency="CNY", options={"stores": STORES})


def said(path: Path, connection: Connection = SHANGHAI) -> list[Any]:
    parts = list(read.read(path))
    assert all(isinstance(part, OrderRows) for part in parts), parts
    return [file.ADAPTER.translate(part, connection) for part in parts if isinstance(part, OrderRows)]


def test_a_tills_day_is_sales_and_what_came_back(tmp_path: Path) -> None:
    path = write(
        tmp_path / "day.csv",
        TILL,
        "SH01,SH01-0001,1,2026-11-23 10:01:05,CUP,2,109.00,218.00,0,WX,227.90,SALE,",
        "SH01,SH01-0001,2,2026-11-23 10:01:05,LID,1,12.90,9.90,3.00,WX,227.90,SALE,",
        "SH01,SH01-0002,1,2026-11-23 15:20:00,CUP,-1,109.00,-109.00,0,WX,-109.00,RETURN,SH01-0001",
        "SH01,SH01-0003,1,2026-11-23 16:00:00,LID,-1,12.90,-9.90,-3.00,CASH,99.10,RETURN,",
        "SH01,SH01-0003,2,2026-11-23 16:00:00,CUP,1,109.00,109.00,0,CASH,99.10,SALE,",
        "SH01,SH01-0003,3,2026-11-23 16:00:00,LID,1,12.90,12.90,0,CASH,99.10,SALE,",
    )

    sale, back, exchange, returned = said(path)

    at = datetime(2026, 11, 23, 2, 1, 5, tzinfo=UTC)
    assert (sale.external_id, sale.placed_at, sale.paid_at, sale.paid_amount) == (
        "SH01-0001",
        at,
        at,
        Decimal("227.90"),
    )
    assert sale.address == Address("上海市", "上海市")
    assert sale.lines == (
        IncomingLine("1", "CUP", "", 2, Decimal("109.00"), Decimal(0)),
        IncomingLine("2", "LID", "", 1, Decimal("12.90"), Decimal("3.00")),
    )
    assert (back.external_id, back.refund_id, back.state, back.amount) == (
        "SH01-0001", "SH01-0002", RefundState.REFUNDED, Decimal("109.00"),
    )  # fmt: skip
    assert (back.lines, back.goods_come_back, [str(remark) for remark in back.remarks]) == (
        (), True, ["The file does not say which lines of the receipt came back."],
    )  # fmt: skip
    assert (exchange.external_id, exchange.paid_amount, [line.external_id for line in exchange.lines]) == (
        "SH01-0003", None, ["2", "3"],
    )  # fmt: skip
    assert (returned.external_id, returned.refund_id, returned.amount, returned.lines) == (
        "SH01-0003", "SH01-0003", Decimal("9.90"), (RefundedLine("3", 1),),
    )  # fmt: skip


def test_a_return_that_names_its_line_is_about_that_line(tmp_path: Path) -> None:
    path = write(
        tmp_path / "day.csv",
        "门店,小票号,交易时间,商家编码,数量,单价,交易类型,原小票号,原行号",
        "SH01,R-2,2026/11/23 15:20,CUP,1,109.00,退货,R-1,2",
        "SH01,R-2,2026/11/23 15:20,CUP,2,109.00,退货,R-1,2",
    )

    (refund,) = said(path)

    assert (refund.external_id, refund.refund_id, refund.amount) == ("R-1", "R-2", Decimal("327.00"))
    assert (refund.lines, refund.remarks) == ((RefundedLine("2", 3),), ())


def test_two_returns_of_one_sale_in_one_second_are_two(tmp_path: Path) -> None:
    rows = [f"SH01,R-{n},1,2026-11-23 15:20:00,CUP,-1,9.00,,,,,RETURN,R-1" for n in (2, 3)]
    parts = [part for part in read.read(write(tmp_path / "day.csv", TILL, *rows)) if isinstance(part, OrderRows)]

    assert [(part.kind, part.external_id) for part in parts] == [("refund", "R-1")] * 2
    assert len({part.revision for part in parts}) == 2


@pytest.mark.parametrize(
    ("row", "code", "words"),
    [
        ("SH09,R-1,1,2026-11-23 10:00,CUP,1,9.00,,,,,SALE,", "unknown_store", "2:store is SH09, a store that"),
        (
            "SH01,R-1,1,2026-11-23 10:00,CUP,-1,9.00,,,,,RETURN,",
            "missing_field",
            "original_number is missing: a return",
        ),
        ("SH01,R-1,1,2026-11-23 10:00,CUP,0,9.00,,,,,RETURN,R-0", "bad_quantity", "2:quantity is 0"),
        ("SH01,R-1,1,2026-11-23 10:00,CUP,-1,9.00,,-10,,,RETURN,R-0", "bad_price", "2:discount is 10"),
        (",R-1,1,2026-11-23 10:00,CUP,1,9.00,,,,,SALE,", "missing_field", "2:province is missing."),
    ],
)
def test_a_tills_mistake_is_refused(tmp_path: Path, row: str, code: str, words: str) -> None:
    found = refusal(write(tmp_path / "day.csv", TILL, row), SHANGHAI)

    assert (found[0], words in found[1]) == (code, True)


def test_a_type_that_is_neither_belongs_to_nothing(tmp_path: Path) -> None:
    path = write(tmp_path / "day.csv", TILL, "SH01,R-1,1,2026-11-23 10:00,CUP,1,9.00,,,,,VOID,")

    assert refused(path) == [(2, "unknown_type")]
    assert orders(path) == {}
