"""What the adapters share: a table of refusals, what is fetched, a parcel told once, a line as it was paid."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from audit.rules.sentences import say
from channels.adapters import calls, facts, fetching, renaming, signing, telling
from channels.adapters.fields import Fields
from channels.adapters.protocol import Connection, Rejected, RetryLater, Throttled, TokenExpired
from channels.adapters.refusals import Refusals
from channels.adapters.signing import NotThis
from channels.adapters.walking import Page, Pages, Row
from channels.messages import RawMessage, RefundState, ShipmentNotice, ShippedLine, Untranslatable

NOW = datetime(2026, 11, 23, 1, 0, tzinfo=UTC)
NO = say("No.")


class Known(NotThis):
    """Told before."""


TABLE = Refusals(
    expired={19, "token-gone"},
    later={10: 5, 15: 40, 7: 60},
    limited={7, "too-often"},
    never={28},
    own_faults="isp.",
    special={"known": Known},
)


@pytest.mark.parametrize(
    ("codes", "kind", "seconds"),
    [
        pytest.param((19, ""), TokenExpired, 30, id="a token by its number"),
        pytest.param((15, "token-gone"), TokenExpired, 30, id="a token before anything else"),
        pytest.param((10, ""), RetryLater, 5, id="later"),
        pytest.param((10, 15), RetryLater, 40, id="the longest wait"),
        pytest.param((7, ""), Throttled, 60, id="called too often"),
        pytest.param((0, "too-often"), Throttled, 30, id="called too often, for nobody says how long"),
        pytest.param((99, "isp.down"), RetryLater, 30, id="the platform's own fault"),
        pytest.param((28, "isp.down"), RetryLater, 30, id="a fault comes before a refusal"),
        pytest.param((28, ""), Rejected, None, id="may not call"),
        pytest.param((0, "known"), Known, None, id="told apart by the adapter"),
        pytest.param((99, "isv.odd"), NotThis, None, id="about this one only"),
    ],
)
def test_a_refusal_is_what_the_table_says(codes: tuple[Any, ...], kind: type[Exception], seconds: int | None) -> None:
    with pytest.raises(Exception) as caught:  # noqa: PT011 - which one is the question
        TABLE.refuse(*codes, reason=NO, body=b"{}")
    assert type(caught.value) is kind
    assert getattr(caught.value, "seconds", None) == seconds
    assert (caught.value.reason, caught.value.answer) == (NO, "{}")  # type: ignore[attr-defined]


def test_an_answer_may_say_itself_how_long_to_wait_and_what_is_unknown() -> None:
    with pytest.raises(RetryLater) as caught:
        TABLE.refuse(10, reason=NO, body=b"", seconds=7.2)
    assert caught.value.seconds == 8
    with pytest.raises(Rejected) as refused:
        TABLE.refuse(99, reason=NO, body=b"", unknown=Rejected)
    assert type(refused.value) is Rejected


def raising(error: Exception) -> Callable[[], Any]:
    def ask() -> Any:
        raise error

    return ask


def test_an_order_that_is_refused_becomes_its_message_and_other_trouble_does_not() -> None:
    raw = RawMessage("order", "1", 5, b"{}")
    assert fetching.one("order", "1", lambda: raw) is raw
    assert fetching.one("order", "1", raising(NotThis(NO, answer="gone"))) == RawMessage("order", "1", 0, b"gone")
    for error in (Rejected(NO), RetryLater(NO)):
        with pytest.raises(type(error)):
            fetching.one("order", "1", raising(error))


@pytest.mark.parametrize(
    ("rows", "total"),
    [([{"id": 1}], "x"), ([{"id": 1}], None), ([{}], 1), ("text", 1), (7, 1)],
    ids=["no number", "no total", "no id", "no rows", "no list"],
)
def test_a_page_in_another_shape_is_tried_later(rows: Any, total: Any) -> None:
    def row(told: dict[str, Any]) -> Row:
        return Row(str(told["id"]), "")

    assert fetching.page("X", b"", rows=lambda: [{"id": 1}], row=row, total="3") == Page([Row("1", "")], 3)
    assert fetching.page("X", b"", rows=lambda: None, row=row, total=0) == Page([], 0)
    with pytest.raises(RetryLater, match="X did not answer in its own format"):
        fetching.page("X", b"", rows=lambda: rows, row=row, total=total)


def test_numbers_are_taken_from_a_list_each_once() -> None:
    rows = [{"id": 7}, {"id": "7"}, {"id": "x"}, {}, None, {"id": "08"}]
    assert fetching.digits(rows, "id") == ["7", "08"]
    assert (fetching.digits(None, "id"), fetching.digits({"id": 1}, "id")) == ([], [])


@pytest.mark.parametrize(
    ("told", "units", "price"),
    [(3, 3, 3), ("3", None, 3), ("1.50", None, Decimal("1.5")), (True, None, None), ("1e5", None, None)],
)
def test_figures_of_a_listing_are_read_or_left_out(told: Any, units: int | None, price: Decimal | None) -> None:
    assert (fetching.units(told), fetching.price(told)) == (units, price)


def test_a_refused_parcel_that_the_platform_knows_was_told_before() -> None:
    refused = NotThis(NO, answer="known")
    assert telling.once(lambda: "ok", knows=raising(AssertionError())) == "ok"
    assert telling.once(raising(refused), knows=lambda: True) == "known"
    for knows in (lambda: False, raising(NotThis(NO)), raising(KeyError("trade"))):
        with pytest.raises(NotThis) as caught:
            telling.once(raising(refused), knows=knows)
        assert caught.value is refused
    with pytest.raises(RetryLater):  # nobody knows whether it is known
        telling.once(raising(refused), knows=raising(RetryLater(NO)))


def test_units_of_a_line_that_comes_twice_are_counted_together() -> None:
    lines = (ShippedLine("a", 1), ShippedLine("b", 2), ShippedLine("a", 3))
    assert telling.units(ShipmentNotice("1", "P", "SF", "SF1", NOW, lines)) == {"a": 4, "b": 2}


@pytest.mark.parametrize(
    ("net", "expected"),
    [
        (None, {}),
        ("20.00", {"unit_price": Decimal("10.00"), "discount": Decimal("0.00")}),
        ("0", {"unit_price": Decimal("10.00"), "discount": Decimal("20.00")}),
        ("20.01", {"unit_price": Decimal("10.01"), "discount": Decimal("0.01")}),
    ],
)
def test_a_line_comes_to_what_was_paid(net: str | None, expected: dict[str, Decimal]) -> None:
    line = Fields({"quantity": 2, "unit_price": "10.00"}, [], "lines[0].")
    assert renaming.as_paid(line, None if net is None else Decimal(net)) == expected
    assert len(line.remarks) == (net == "20.01")


def test_a_part_that_is_not_there_is_named_or_empty() -> None:
    assert renaming.part({"a": {"b": 1}}, "a") == {"b": 1}
    with pytest.raises(Untranslatable, match=r"a is missing\."):
        renaming.part({"a": []}, "a")
    assert renaming.part_or_none({"a": {"b": {"c": 1}}}, "a", "b") == {"c": 1}
    assert [renaming.part_or_none(told, "a", "b") for told in (None, [], {"a": 1}, {"a": {"b": []}})] == [{}] * 4


@pytest.mark.parametrize(("number", "tail"), [("12345", 345), ("7", 7), ("", 0), ("12a", 0), ("１２３", 0)])
def test_the_last_digits_of_a_number_are_its_tail(number: str, tail: int) -> None:
    assert renaming.tail(number) == tail


def test_a_refund_is_as_far_as_its_slowest_part() -> None:
    agreed, paid, closed = RefundState.AGREED, RefundState.REFUNDED, RefundState.CLOSED
    assert [facts.slowest(states) for states in ({closed, paid, agreed}, {paid, closed}, {closed}, set())] == [
        agreed, paid, closed, None,
    ]  # fmt: skip


def test_a_token_that_is_asked_for_is_kept_out_of_every_record() -> None:
    with pytest.raises(Rejected) as refused:
        calls.for_token(raising(TokenExpired(NO, answer="40001")))
    assert (type(refused.value), refused.value.answer) == (Rejected, "40001")
    with pytest.raises(Throttled) as later:
        calls.for_token(raising(Throttled(NO, seconds=9, answer="secret")))
    assert (later.value.seconds, later.value.answer) == (9, "")


@pytest.mark.parametrize("told", [None, [], {}, {"access_token": ""}, {"access_token": 5}])
def test_an_answer_without_the_token_is_tried_later(told: object) -> None:
    connection = Connection("C", credentials={"app_key": "k", "access_token": "old"})
    fresh = calls.renewed(connection, "X", {"access_token": "new", "other": "x"}, "access_token")
    assert fresh == {"app_key": "k", "access_token": "new"}
    with pytest.raises(RetryLater) as caught:
        calls.renewed(connection, "X", told, "access_token")
    assert caught.value.answer == "the answer does not hold access_token"


def test_a_channel_without_a_token_asks_for_one_and_one_without_an_option_says_which() -> None:
    with pytest.raises(TokenExpired, match="X has given no access token yet"):
        calls.token(Connection("C"), "X")
    with pytest.raises(Rejected, match=r"Channel C cannot call X: vid is not set\."):
        calls.option(Connection("C"), "X", "vid")
    assert calls.option(Connection("C", options={"vid": 6}), "X", "vid") == 6


def test_one_of_two_keys_may_have_signed() -> None:
    old, new = (signing.base64_hmac(secret, b"body") for secret in ("old", "new"))
    assert old == "NWI2p9vp02+W+NYrhj7quJEG5BwI2APQeHuuNFQLZ8g="
    assert signing.is_one_of(old, [new, old])
    assert not signing.is_one_of(old, [new])
    assert not signing.is_one_of("", [])
    assert not signing.is_one_of("\ud800", [new])


def test_settled_rows_are_walked_before_the_newest() -> None:
    asked: list[tuple[datetime, datetime]] = []

    def ask(start: datetime, end: datetime, number: int) -> Page:
        asked.append((start, end))
        return Page([Row(str(len(asked)), "")], 1)

    pages = Pages("X", ask, 10, timedelta(days=1))
    minute, hour = timedelta(minutes=1), timedelta(hours=1)
    assert [row.key for rows in pages.walk_settled_first(NOW - hour, NOW, minute) for row in rows] == ["1", "2"]
    assert asked == [(NOW - hour, NOW - minute), (NOW - minute, NOW)]
    asked.clear()
    assert len(list(pages.walk_settled_first(NOW - minute / 2, NOW, minute))) == 1
    assert asked == [(NOW - minute / 2, NOW)]
