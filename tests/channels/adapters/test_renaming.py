"""A platform's ways to write a value become the house's, or something that the house's readers refuse."""

from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from channels.adapters import renaming
from channels.adapters.fields import Fields
from channels.adapters.renaming import Column
from channels.messages import RawMessage, Untranslatable


@pytest.mark.parametrize(
    ("read", "value", "expected"),
    [
        (renaming.code, 12, "12"),
        (renaming.code, "A1", "A1"),
        (renaming.code, True, True),
        (renaming.count, "12", 12),
        (renaming.count, "-1", -1),
        (renaming.count, "1.5", "1.5"),
        (renaming.count, None, None),
        (renaming.fen, 10900, Decimal("109.00")),
        (renaming.fen, "1", Decimal("0.01")),
        (renaming.fen, 0, Decimal("0.00")),
        (renaming.fen, "", None),
        (renaming.fen, Decimal("1.5"), "1.5 fen"),
        (renaming.fen, True, "True fen"),
        (renaming.seconds, 1795399200, "2026-11-23T02:00:00+00:00"),
        (renaming.seconds, "1795399200", "2026-11-23T02:00:00+00:00"),
        (renaming.seconds, 0, None),
        (renaming.seconds, 10**18, str(10**18)),
        (renaming.seconds, "soon", "soon"),
        (renaming.gmt8, "2026-11-23 10:00:00", "2026-11-23 10:00:00+08:00"),
        (renaming.gmt8, "2026-11-23T10:00:00Z", "2026-11-23T10:00:00Z "),
        (renaming.gmt8, "", ""),
        (renaming.gmt8, 7, 7),
        (renaming.buyer_key, "x" * 80, "x" * 80),
    ],
)
def test_each_way_to_write_a_value(read: Callable[[Any], Any], value: object, expected: object) -> None:
    assert read(value) == expected
    assert type(read(value)) is type(expected)


@pytest.mark.parametrize("value", [renaming.gmt8("2026-11-23T10:00:00Z"), renaming.seconds("soon"), str(10**18)])
def test_a_time_that_is_not_written_so_is_refused(value: str) -> None:
    with pytest.raises(Untranslatable) as caught:
        Fields({"at": value}, []).time("at")

    assert caught.value.code == "bad_time"


def test_an_amount_that_is_not_written_so_is_refused() -> None:
    with pytest.raises(Untranslatable, match="amount is 1.5 fen") as caught:
        Fields({"amount": renaming.fen("1.5")}, []).money("amount")

    assert caught.value.code == "bad_price"


def test_the_first_name_that_says_something_is_read_and_named() -> None:
    columns = {"sku_code": Column("code|outer|sku_id", renaming.code)}

    readers = [
        renaming.renamed(row, columns, []) for row in ({"code": "", "outer": 0, "sku_id": 7}, {"outer": "B"}, {})
    ]

    assert [reader.values["sku_code"] for reader in readers] == ["7", "B", None]
    with pytest.raises(Untranslatable, match="code is missing"):
        readers[2].code("sku_code")


@pytest.mark.parametrize(
    ("total", "weights", "parts"),
    [
        ("10", ["218", "50"], ["8.13", "1.87"]),
        ("0.02", ["0.01", "0.01", "0.01"], ["0.01", "0.00", "0.01"]),
        ("0", ["1", "2"], ["0.00", "0"]),
        ("5", ["0", "0"], ["5", "0"]),
        ("3", ["3"], ["3"]),
        ("1", [], []),
    ],
)
def test_shares_add_up_and_never_exceed_their_weights(total: str, weights: list[str], parts: list[str]) -> None:
    shared = renaming.shared(Decimal(total), [Decimal(weight) for weight in weights])

    assert shared == [Decimal(part) for part in parts]
    assert sum(shared) == (Decimal(total) if weights else 0)


def test_revisions_grow_with_time_and_then_with_rank() -> None:
    at = datetime(2026, 11, 23, 2, 0, 0, 999_999, tzinfo=UTC)

    assert [renaming.revision(at, rank) for rank in (0, 999)] == [1_795_399_200_000, 1_795_399_200_999]


def test_lines_of_one_number_are_told_apart() -> None:
    lines = [Fields({"external_id": number}, []) for number in ("7", "8", "7", "7")]

    renaming.tell_apart(lines)

    assert [line.values["external_id"] for line in lines] == ["7", "8", "7-2", "7-3"]


def test_a_message_about_something_else_is_refused() -> None:
    raw = RawMessage("order", "1", 0, b"")

    renaming.check_same("1", raw, field="order_id")
    with pytest.raises(Untranslatable, match="order_id is 2, but the message is about 1"):
        renaming.check_same("2", raw, field="order_id")
