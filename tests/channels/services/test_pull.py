"""Pulling: every page is stored, the cursor moves last, one channel's trouble stays its own."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from audit.models import Case
from audit.rules.sentences import say
from channels.adapters import registry
from channels.adapters.protocol import Capabilities, Connection, NotOffered, Rejected, RetryLater
from channels.messages import RawMessage
from channels.models import Channel, InboundMessage, PullCursor
from channels.services import pull
from tests.channels.services.conftest import make_channel

AT = datetime(2026, 11, 23, 1, 0, tzinfo=UTC)
pytestmark = pytest.mark.django_db


def raw(number: str) -> RawMessage:
    return RawMessage("order", number, 1, b"{}")


class FakePlatform:
    """An outside platform that can be pulled: gives its pages, then fails when told to."""

    capabilities = Capabilities(pull_orders=True)

    def __init__(self) -> None:
        self.pages: dict[str, list[list[RawMessage]]] = {}
        self.trouble: dict[str, Exception] = {}
        self.windows: list[tuple[str, datetime, datetime]] = []

    def pull(self, connection: Connection, *, since: datetime, until: datetime) -> Iterator[list[RawMessage]]:
        self.windows.append((connection.code, since, until))
        yield from self.pages.get(connection.code, [])
        if connection.code in self.trouble:
            raise self.trouble[connection.code]


@pytest.fixture
def platform(monkeypatch: pytest.MonkeyPatch) -> FakePlatform:
    fake = FakePlatform()
    monkeypatch.setitem(registry.BY_NAME, "fake", fake)
    return fake


def test_the_first_pull_looks_back_a_day_and_the_next_overlaps_ten_minutes(platform: FakePlatform) -> None:
    shop = make_channel("SHOP", adapter="fake")
    platform.pages["SHOP"] = [[raw("A"), raw("B")], [raw("C")]]
    later = AT + timedelta(hours=1)
    assert (pull.pull(shop, at=AT), pull.pull(shop, at=later)) == (3, 0)
    assert platform.windows == [
        ("SHOP", AT - timedelta(days=1, minutes=10), AT),
        ("SHOP", AT - timedelta(minutes=10), later),
    ]
    cursor = PullCursor.objects.get()
    assert (cursor.pulled_until, cursor.last_pulled_at, cursor.last_error) == (later, later, "")


@pytest.mark.parametrize(
    ("trouble", "words", "cases"),
    [
        pytest.param(RetryLater(say("%(code)s is busy.", code="SHOP")), "SHOP is busy.", 0, id="busy"),
        pytest.param(Rejected(say("The session has ended.")), "The session has ended.", 1, id="refused"),
        pytest.param(NotOffered(), "fake cannot be pulled.", 0, id="not offered"),
        pytest.param(ZeroDivisionError("x" * 400), "ZeroDivisionError('" + "x" * 280 + "…", 0, id="our own fault"),
    ],
)
def test_trouble_is_said_on_the_cursor_and_the_cursor_stays(
    platform: FakePlatform, trouble: Exception, words: str, cases: int
) -> None:
    shop = make_channel("SHOP", adapter="fake")
    platform.pages["SHOP"] = [[raw("A")]]
    platform.trouble["SHOP"] = trouble
    assert pull.pull(shop, at=AT) == 1
    cursor = PullCursor.objects.get()
    assert (cursor.pulled_until, cursor.last_pulled_at) == (AT - timedelta(days=1), AT)
    assert cursor.last_error == words
    assert InboundMessage.objects.count() == 1
    assert Case.objects.filter(kind="channel_not_pulled", subject="SHOP", status="open").count() == cases


def test_a_pull_that_works_again_closes_the_case(platform: FakePlatform) -> None:
    shop = make_channel("SHOP", adapter="fake")
    platform.trouble["SHOP"] = Rejected(say("The session has ended."))
    pull.pull(shop, at=AT)
    platform.trouble.clear()
    pull.pull(shop, at=AT + timedelta(minutes=1))
    assert Case.objects.get().status == "resolved"
    assert PullCursor.objects.get().last_error == ""


def test_pull_all_asks_active_channels_that_can_be_pulled(platform: FakePlatform) -> None:
    for code in ("A", "B", "C"):
        make_channel(code, adapter="fake")
    make_channel("HOUSE")
    make_channel("UNKNOWN", adapter="fax")
    Channel.objects.filter(code="C").update(is_active=False)
    platform.trouble["A"] = RetryLater(say("later"))
    platform.pages["B"] = [[raw("1"), raw("2")]]
    assert pull.pull_all(AT) == 2
    assert [code for code, _since, _until in platform.windows] == ["A", "B"]


def test_an_older_pull_does_not_move_the_cursor_back(platform: FakePlatform) -> None:
    shop = make_channel("SHOP", adapter="fake")
    pull.pull(shop, at=AT)
    pull.pull(shop, at=AT - timedelta(minutes=5))
    assert PullCursor.objects.get().pulled_until == AT


def test_a_channel_whose_adapter_is_gone_says_so(caplog: Any) -> None:
    assert pull.pull(make_channel("SHOP", adapter="fax"), at=AT) == 0
    assert PullCursor.objects.get().last_error == "KeyError('fax')"
    assert len(caplog.records) == 1
