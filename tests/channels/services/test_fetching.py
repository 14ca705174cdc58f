"""Orders of which only the number was pushed: wanted once, fetched in batches, tried again, given up with a case."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from audit.models import Case
from audit.rules.sentences import say
from channels.adapters import registry
from channels.adapters.protocol import Connection, Rejected, RetryLater
from channels.messages import RawMessage
from channels.models import Channel, InboundMessage, WantedOrder
from channels.services import fetching
from channels.services.fetching import Fetched
from tests.channels.services.conftest import make_channel

AT = datetime(2026, 11, 23, 1, 0, tzinfo=UTC)
pytestmark = pytest.mark.django_db


class Platform:
    """An outside platform that shows the orders it knows."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, list[str]]] = []
        self.trouble: dict[str, Exception] = {}
        self.hidden: set[str] = set()
        self.meanwhile: Callable[[], Any] = lambda: None

    def fetch(self, connection: Connection, external_ids: Sequence[str]) -> list[RawMessage]:
        self.asked.append((connection.code, list(external_ids)))
        self.meanwhile()
        if connection.code in self.trouble:
            raise self.trouble[connection.code]
        return [RawMessage("order", number, 7, b"{}") for number in external_ids if number not in self.hidden]


@pytest.fixture
def platform(monkeypatch: pytest.MonkeyPatch) -> Platform:
    fake = Platform()
    monkeypatch.setitem(registry.BY_NAME, "fake", fake)
    return fake


@pytest.fixture
def shop(platform: Platform) -> Channel:
    return make_channel("SHOP", adapter="fake")


def wanted() -> dict[str, int]:
    return dict(WantedOrder.objects.order_by("external_id").values_list("external_id", "attempts"))


def test_numbers_are_kept_once_in_one_statement(shop: Channel, django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(1):
        assert fetching.want(shop, [str(number) for number in range(300)] + ["1", "1"], at=AT) == 300
    with django_assert_num_queries(1):
        fetching.want(shop, ["1", "300"], at=AT)
    assert len(wanted()) == 301


def test_a_number_that_no_order_can_have_is_kept_as_rejected(shop: Channel) -> None:
    assert fetching.want(shop, ["A", "x" * 81, "nul\0", ""], at=AT) == 1
    assert wanted() == {"A": 0}
    rows = InboundMessage.objects.values_list("status", "reason_code")
    assert list(rows) == [("rejected", "bad_number")] * 3


def test_wanted_orders_are_fetched_in_batches_and_forgotten(shop: Channel, platform: Platform) -> None:
    fetching.want(shop, [f"{number:02}" for number in range(45)], at=AT)
    assert fetching.fetch_wanted(at=AT) == Fetched(fresh=45)
    assert [len(numbers) for _code, numbers in platform.asked] == [20, 20, 5]
    assert wanted() == {}
    assert set(InboundMessage.objects.values_list("source", "revision")) == {("fetch", 7)}
    assert fetching.fetch_wanted(at=AT) == Fetched()


def test_the_limit_is_kept(shop: Channel, platform: Platform) -> None:
    fetching.want(shop, ["A", "B", "C"], at=AT)
    assert fetching.fetch_wanted(limit=2, at=AT) == Fetched(fresh=2)
    assert wanted() == {"C": 0}


def test_queries_do_not_grow_with_the_numbers(shop: Channel, django_assert_max_num_queries: Any) -> None:
    fetching.want(shop, [str(number) for number in range(20)], at=AT)
    with django_assert_max_num_queries(12):
        assert fetching.fetch_wanted(at=AT).fresh == 20


def test_a_channel_that_cannot_now_rests_and_the_others_go_on(shop: Channel, platform: Platform) -> None:
    other = make_channel("OTHER", adapter="fake")
    fetching.want(shop, [f"{number:02}" for number in range(25)], at=AT)
    fetching.want(other, ["X"], at=AT)
    platform.trouble["SHOP"] = RetryLater(say("Busy."), seconds=600)
    assert fetching.fetch_wanted(at=AT) == Fetched(fresh=1, retried=20)
    assert [code for code, _numbers in platform.asked] == ["SHOP", "OTHER"]
    assert sorted(wanted().values()) == [0] * 5 + [1] * 20
    assert {row.reason["text"] for row in WantedOrder.objects.filter(attempts=1)} == {"Busy."}
    waits = {moment - AT for moment in WantedOrder.objects.filter(attempts=1).values_list("not_before", flat=True)}
    assert len(waits) == 1
    assert timedelta(seconds=600) <= waits.pop() <= timedelta(seconds=660)
    platform.trouble.clear()
    assert fetching.fetch_wanted(at=AT + timedelta(seconds=59)) == Fetched()
    assert fetching.fetch_wanted(at=AT + timedelta(seconds=60)) == Fetched(fresh=5)
    assert fetching.fetch_wanted(at=AT + timedelta(seconds=660)) == Fetched(fresh=20)


def test_after_the_last_try_a_case_opens_and_fetching_again_closes_it(shop: Channel, platform: Platform) -> None:
    fetching.want(shop, ["A", "B"], at=AT)
    platform.trouble["SHOP"] = Rejected(say("The session has ended."))
    runs = [fetching.fetch_wanted(at=AT + timedelta(hours=2 * hour)) for hour in range(12)]
    assert runs == [Fetched(retried=2)] * 9 + [Fetched(given_up=2)] + [Fetched()] * 2
    assert wanted() == {"A": 10, "B": 10}
    case = Case.objects.get(subject="SHOP/A")
    assert (case.kind, case.status, case.why["text"]) == ("order_not_fetched", "open", "The session has ended.")
    row = WantedOrder.objects.get(external_id="A")
    assert case.subject_url == f"/admin/channels/wantedorder/{row.pk}/change/"

    platform.trouble.clear()
    assert fetching.again([row.pk], at=AT) == 1
    assert fetching.fetch_wanted(at=AT) == Fetched(fresh=1)
    assert dict(Case.objects.values_list("subject", "status")) == {"SHOP/A": "resolved", "SHOP/B": "open"}
    assert wanted() == {"B": 10}


def test_a_push_brings_a_number_back_that_was_given_up(shop: Channel, platform: Platform) -> None:
    fetching.want(shop, ["A"], at=AT)
    WantedOrder.objects.update(attempts=10)
    fetching.want(shop, ["A"], at=AT + timedelta(days=1))
    assert fetching.fetch_wanted(at=AT + timedelta(days=1)) == Fetched(fresh=1)


def test_a_push_does_not_shorten_the_wait_of_a_platform_that_fails(shop: Channel, platform: Platform) -> None:
    fetching.want(shop, ["A"], at=AT)
    platform.trouble["SHOP"] = RetryLater(say("Busy."), seconds=600)
    fetching.fetch_wanted(at=AT)
    fetching.want(shop, ["A"], at=AT + timedelta(seconds=5))
    assert fetching.fetch_wanted(at=AT + timedelta(seconds=5)) == Fetched()
    assert len(platform.asked) == 1


def test_an_order_that_changes_while_it_is_fetched_is_fetched_again(shop: Channel, platform: Platform) -> None:
    fetching.want(shop, ["A", "B"], at=AT)
    platform.meanwhile = lambda: fetching.want(shop, ["A"], at=AT)
    assert fetching.fetch_wanted(at=AT) == Fetched(fresh=2)
    assert wanted() == {"A": 0}
    platform.meanwhile = lambda: None
    fetching.fetch_wanted(at=AT)
    assert [numbers for _code, numbers in platform.asked] == [["A", "B"], ["A"]]
    assert wanted() == {}


def test_an_order_that_is_not_shown_waits_alone(shop: Channel, platform: Platform) -> None:
    fetching.want(shop, ["A", "B", "C"], at=AT)
    platform.hidden = {"B"}
    assert fetching.fetch_wanted(at=AT) == Fetched(fresh=2, retried=1)
    assert wanted() == {"B": 1}
    assert WantedOrder.objects.get().reason["text"] == "The platform does not show this order."


@pytest.mark.parametrize(
    ("adapter", "words"),
    [
        pytest.param("file", "file fetches no orders.", id="not offered"),
        pytest.param("fax", "Our own code failed: KeyError('fax').", id="no such adapter"),
    ],
)
def test_what_can_never_be_fetched_says_why(shop: Channel, adapter: str, words: str) -> None:
    fetching.want(shop, ["A"], at=AT)
    Channel.objects.update(adapter=adapter)
    assert fetching.fetch_wanted(at=AT) == Fetched(retried=1)
    reason = WantedOrder.objects.get().reason
    assert reason["text"] % reason["values"] == words


def test_a_claimed_number_comes_back_when_its_worker_dies(shop: Channel, platform: Platform) -> None:
    class Killed(BaseException):
        pass

    def die() -> None:
        raise Killed

    fetching.want(shop, ["A"], at=AT)
    platform.meanwhile = die
    with pytest.raises(Killed):
        fetching.fetch_wanted(at=AT)
    platform.meanwhile = lambda: None
    assert fetching.fetch_wanted(at=AT + timedelta(seconds=179)) == Fetched()
    assert fetching.fetch_wanted(at=AT + timedelta(seconds=180)) == Fetched(fresh=1)


def test_an_inactive_channels_orders_wait(shop: Channel, platform: Platform) -> None:
    fetching.want(shop, ["A"], at=AT)
    Channel.objects.update(is_active=False)
    assert (fetching.fetch_wanted(at=AT), wanted()) == (Fetched(), {"A": 0})
