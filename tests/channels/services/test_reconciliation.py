"""Looking again: windows overlap, the cursor moves last, and what was lost is found and counted."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from audit.rules.sentences import say
from channels.adapters import registry
from channels.adapters.protocol import Capabilities, Connection, RetryLater, TokenExpired
from channels.messages import RawMessage
from channels.models import Channel, InboundMessage, PullCursor
from channels.services import inbox, pull, reconciliation
from channels.services.reconciliation import Found
from tests.channels.services.conftest import make_channel

AT = datetime(2026, 11, 23, 1, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
pytestmark = pytest.mark.django_db


class Platform:
    """An outside platform with orders by the moment of their change."""

    capabilities = Capabilities(pull_orders=True)

    def __init__(self) -> None:
        self.orders: dict[str, datetime] = {}
        self.windows: list[tuple[datetime, datetime]] = []
        self.fails_after: int | None = None
        self.token = "old"

    def pull(self, connection: Connection, *, since: datetime, until: datetime) -> Iterator[list[RawMessage]]:
        self.windows.append((since, until))
        shown = sorted(number for number, at in self.orders.items() if since <= at <= until)
        for place, number in enumerate(shown):
            if place == self.fails_after:
                raise RetryLater(say("Busy."))
            if place == 1 and connection.credentials.get("token") != self.token:
                raise TokenExpired(say("The token has expired."))
            yield [RawMessage("order", number, 1, b"{}")]

    def renew(self, connection: Connection) -> dict[str, str]:
        return {**connection.credentials, "token": self.token}


@pytest.fixture
def platform(monkeypatch: pytest.MonkeyPatch) -> Platform:
    fake = Platform()
    monkeypatch.setitem(registry.BY_NAME, "fake", fake)
    return fake


@pytest.fixture
def shop(platform: Platform) -> Channel:
    return make_channel("SHOP", adapter="fake")


def sources() -> dict[str, str]:
    return dict(InboundMessage.objects.order_by("external_id").values_list("external_id", "source"))


def test_what_was_lost_is_found_and_what_was_known_stays_as_it_came(shop: Channel, platform: Platform) -> None:
    platform.orders = {"A": AT - 40 * MINUTE, "B": AT - 39 * MINUTE, "C": AT - 38 * MINUTE, "LATE": AT - 5 * MINUTE}
    inbox.store(shop, [RawMessage("order", "A", 1, b"{}")], at=AT)
    assert reconciliation.reconcile(shop, at=AT) == 2
    assert sources() == {"A": "push", "B": "reconcile", "C": "reconcile"}
    assert pull.pull(shop, at=AT + 9 * MINUTE) == 1
    assert sources()["LATE"] == "pull"
    assert reconciliation.reconcile(shop, at=AT + 10 * MINUTE) == 0


def test_windows_begin_an_hour_before_the_last_ended_and_end_a_quarter_before_now(
    shop: Channel, platform: Platform
) -> None:
    for minutes in (0, 10, 10, 40):
        reconciliation.reconcile(shop, at=AT + minutes * MINUTE)
    ends = [AT - 15 * MINUTE, AT - 5 * MINUTE, AT + 25 * MINUTE]
    begins = [AT - 75 * MINUTE - timedelta(seconds=1), AT - 75 * MINUTE, AT - 65 * MINUTE]
    assert platform.windows == list(zip(begins, ends, strict=True))
    cursor = PullCursor.objects.get()
    assert (cursor.reconciled_until, cursor.last_reconciled_at) == (ends[-1], AT + 40 * MINUTE)


def test_after_a_long_break_the_past_is_walked_a_day_at_a_time(shop: Channel, platform: Platform) -> None:
    reconciliation.reconcile(shop, at=AT)
    platform.orders = {"LOST": AT + timedelta(hours=60)}
    later = AT + timedelta(days=3)
    found = [reconciliation.reconcile(shop, at=later) for _ in range(4)]
    assert found == [0, 0, 1, 0]
    assert [until - AT for _since, until in platform.windows[1:]] == [
        timedelta(days=1) - 15 * MINUTE, timedelta(days=2) - 15 * MINUTE, timedelta(days=3) - 15 * MINUTE,
    ]  # fmt: skip


def test_the_cursor_stays_when_a_page_fails_and_what_came_is_kept(shop: Channel, platform: Platform) -> None:
    reconciliation.reconcile(shop, at=AT)
    before = PullCursor.objects.get().reconciled_until
    platform.orders = dict.fromkeys(("A", "B", "C"), AT)
    platform.fails_after = 2
    platform.token = "new"
    assert reconciliation.reconcile(shop, at=AT + 30 * MINUTE) == 2
    cursor = PullCursor.objects.get()
    assert (cursor.reconciled_until, cursor.last_error) == (before, "Busy.")
    platform.fails_after = None
    assert reconciliation.reconcile(shop, at=AT + 40 * MINUTE) == 1
    assert PullCursor.objects.get().reconciled_until == AT + 25 * MINUTE


def test_a_token_that_expires_in_mid_page_loses_and_doubles_nothing(shop: Channel, platform: Platform) -> None:
    platform.orders = dict.fromkeys(("A", "B", "C"), AT - 30 * MINUTE)
    platform.token = "new"
    assert pull.pull(shop, at=AT) == 3
    assert sources() == {"A": "pull", "B": "pull", "C": "pull"}
    assert len(platform.windows) == 2
    assert PullCursor.objects.get().pulled_until == AT


def test_only_active_channels_that_can_be_pulled_are_reconciled(shop: Channel, platform: Platform) -> None:
    make_channel("HOUSE")
    make_channel("GONE", adapter="fake")
    Channel.objects.filter(code="GONE").update(is_active=False)
    assert reconciliation.reconcile_all(AT) == 0
    assert len(platform.windows) == 1
    assert PullCursor.objects.get().channel == shop


def test_our_own_fault_stays_on_its_channel(shop: Channel, platform: Platform, caplog: Any) -> None:
    broken = make_channel("BROKEN", adapter="fax")
    assert reconciliation.reconcile(broken, at=AT) == 0
    assert PullCursor.objects.get(channel=broken).last_error == "KeyError('fax')"
    assert PullCursor.objects.get(channel=broken).reconciled_until is None


def test_what_was_found_is_counted_by_day_and_week_in_one_query(
    shop: Channel, platform: Platform, django_assert_num_queries: Any
) -> None:
    other, quiet = make_channel("OTHER", adapter="fake"), make_channel("QUIET", adapter="fake")
    for channel, hours in ((shop, (1, 23, 25, 100, 169)), (other, (30,))):
        for place, ago in enumerate(hours):
            raw = RawMessage("order", str(place), 1, b"{}")
            inbox.store(channel, [raw], at=AT - timedelta(hours=ago), source="reconcile")
    inbox.store(shop, [RawMessage("order", "PUSHED", 1, b"{}")], at=AT)
    with django_assert_num_queries(1):
        found = reconciliation.found([shop.pk, other.pk, quiet.pk], at=AT)
    assert found == {shop.pk: Found(2, 4), other.pk: Found(0, 1)}
