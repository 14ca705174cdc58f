"""Tokens that expire: renewed once by one worker, stored sealed, and the call made again once."""

import threading
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection as database
from django.db import connections as databases

from audit.models import Case
from audit.rules.sentences import say
from channels.adapters import registry
from channels.adapters.protocol import Connection, NotOffered, Rejected, RetryLater, TokenExpired
from channels.models import Channel
from channels.services import connections, credentials, tokens

AT = datetime(2026, 11, 23, 1, 0, tzinfo=UTC)
EXPIRED = say("The token has expired.")


class Shop:
    """An outside platform that knows one token at a time."""

    def __init__(self) -> None:
        self.token = "token-1"
        self.calls: list[str] = []
        self.renewals: list[str] = []
        self.trouble: Exception | None = None
        self.tells: dict[str, str] = {}
        self.before_answer: Callable[[], Any] = lambda: None
        self.lock = threading.Lock()

    def ask(self, connection: Connection) -> str:
        with self.lock:
            self.calls.append(connection.credentials["token"])
            if connection.credentials["token"] != self.token:
                raise TokenExpired(EXPIRED)
            return "welcome"

    def renew(self, connection: Connection) -> Mapping[str, str]:
        with self.lock:
            self.renewals.append(connection.credentials["token"])
            number = len(self.renewals)
        self.before_answer()
        if self.trouble:
            raise self.trouble
        with self.lock:
            self.token = f"token-{number + 1}"
            return {**connection.credentials, "token": self.token, **self.tells}


@pytest.fixture
def shop(monkeypatch: pytest.MonkeyPatch) -> Shop:
    fake = Shop()
    monkeypatch.setitem(registry.BY_NAME, "fake", fake)
    return fake


def make(token: str = "token-0", **options: Any) -> Channel:
    values = {"app_key": "k", "token": token}
    return Channel.objects.create(
        code="SHOP", name="S", platform="own", adapter="fake", credentials=values, options=options
    )


def kept() -> dict[str, str]:
    return credentials.opened(Channel.objects.get())


def no_turn_is_held() -> bool:
    with database.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND classid = %s", [tokens.TURN])
        return cursor.fetchone()[0] == 0


@pytest.mark.django_db
def test_a_good_token_is_used_as_it_is(shop: Shop) -> None:
    assert tokens.calling(make("token-1"), shop.ask, at=AT) == "welcome"
    assert (shop.calls, shop.renewals) == (["token-1"], [])


@pytest.mark.django_db
def test_an_expired_token_is_renewed_stored_and_the_call_made_again(shop: Shop) -> None:
    channel = make()
    shop.trouble = None
    shop.token = "other"
    assert tokens.calling(channel, shop.ask, at=AT) == "welcome"
    assert (shop.calls, shop.renewals) == (["token-0", "token-2"], ["token-0"])
    assert kept() == {"app_key": "k", "token": "token-2"}
    assert credentials.opened(channel) == kept()
    assert channel.credentials.startswith("v1:")
    assert no_turn_is_held()


@pytest.mark.django_db
def test_the_call_is_made_again_only_once(shop: Shop) -> None:
    calls = []

    def never(connection: Connection) -> None:
        calls.append(connection.credentials["token"])
        raise TokenExpired(EXPIRED)

    with pytest.raises(TokenExpired):
        tokens.calling(make(), never, at=AT)
    assert (calls, shop.renewals) == (["token-0", "token-2"], ["token-0"])


@pytest.mark.django_db
def test_a_token_that_another_worker_has_renewed_is_taken(shop: Shop) -> None:
    channel = make()
    credentials.keep(Channel.objects.get(), {"app_key": "k", "token": "token-1"})
    assert tokens.calling(channel, shop.ask, at=AT) == "welcome"
    assert (shop.calls, shop.renewals) == (["token-0", "token-1"], [])


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("trouble", "words"),
    [
        pytest.param(
            Rejected(say("The shop has withdrawn its consent.")), "The shop has withdrawn its consent.", id="no"
        ),
        pytest.param(TokenExpired(say("The refresh token is dead.")), "The refresh token is dead.", id="dead"),
        pytest.param(NotOffered(), "The token has expired.", id="a token that cannot be renewed"),
    ],
)
def test_a_platform_that_gives_no_token_opens_a_case_until_it_gives_one(
    shop: Shop, trouble: Exception, words: str
) -> None:
    channel = make()
    shop.trouble, shop.token = trouble, "other"
    before = channel.credentials
    with pytest.raises(Rejected) as refusal:
        tokens.calling(channel, shop.ask, at=AT)
    assert str(refusal.value.reason) == words
    case = Case.objects.get()
    assert (case.kind, case.subject, case.why["text"], case.status) == ("token_not_renewed", "SHOP", words, "open")
    assert Channel.objects.get().credentials == before
    assert no_turn_is_held()

    shop.trouble = None
    assert tokens.calling(channel, shop.ask, at=AT) == "welcome"
    case.refresh_from_db()
    assert case.status == "resolved"


@pytest.mark.django_db
def test_a_platform_that_cannot_renew_now_is_asked_later_without_a_case(shop: Shop) -> None:
    shop.trouble = RetryLater(say("Busy."))
    with pytest.raises(RetryLater, match="Busy"):
        tokens.calling(make(), shop.ask, at=AT)
    assert (Case.objects.count(), kept()["token"]) == (0, "token-0")


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("ends", "renewals"),
    [
        pytest.param("2026-11-23T01:04:59+00:00", 1, id="in five minutes"),
        pytest.param("2026-11-23T09:04:00+08:00", 1, id="in another zone"),
        pytest.param("2026-11-23T01:04:00", 1, id="no zone is UTC"),
        pytest.param("2026-11-22T00:00:00Z", 1, id="over"),
        pytest.param("2026-11-23T01:05:00+00:00", 0, id="not yet"),
        pytest.param("soon", 0, id="no moment"),
        pytest.param(17, 0, id="a number"),
    ],
)
def test_a_token_near_its_end_is_renewed_before_the_call(shop: Shop, ends: Any, renewals: int) -> None:
    channel = make("token-1", token_expires_at=ends, other="stays")
    assert tokens.calling(channel, shop.ask, at=AT) == "welcome"
    assert len(shop.renewals) == renewals
    assert len(shop.calls) == 1
    options = Channel.objects.get().options
    assert options == ({"other": "stays"} if renewals else {"token_expires_at": ends, "other": "stays"})


@pytest.mark.django_db
def test_the_new_end_that_a_platform_tells_is_kept_as_an_option(shop: Shop) -> None:
    shop.tells = {"token_expires_at": "2026-11-24T01:00:00+00:00"}
    channel = make("token-1", token_expires_at="2026-11-23T01:00:00+00:00")
    tokens.calling(channel, shop.ask, at=AT)
    assert Channel.objects.get().options == {"token_expires_at": "2026-11-24T01:00:00+00:00"}
    assert kept() == {"app_key": "k", "token": "token-2"}


@pytest.mark.django_db
def test_while_an_early_renewal_fails_the_old_token_serves(shop: Shop) -> None:
    shop.trouble = RetryLater(say("Busy."))
    channel = make("token-1", token_expires_at=(AT + timedelta(minutes=1)).isoformat())
    assert tokens.calling(channel, shop.ask, at=AT) == "welcome"
    assert (shop.calls, shop.renewals, kept()["token"]) == (["token-1"], ["token-1"], "token-1")


def race(count: int, call: Callable[[], Any]) -> list[Any]:
    """Let ``count`` workers call at the same moment, each with a connection of its own."""
    start, results = threading.Barrier(count), []

    def work() -> None:
        try:
            start.wait(10)
            results.append(call())
        except Exception as error:
            results.append(error)
        finally:
            databases.close_all()

    threads = [threading.Thread(target=work) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    return results


@pytest.mark.django_db(transaction=True)
def test_of_many_workers_one_renews_and_the_others_take_its_token(shop: Shop) -> None:
    make()
    shop.token = "other"
    shop.before_answer = lambda: threading.Event().wait(0.3)
    answers = race(6, lambda: tokens.calling(Channel.objects.get(), shop.ask, at=AT))
    assert answers == ["welcome"] * 6
    assert shop.renewals == ["token-0"]
    assert kept()["token"] == "token-2"
    assert no_turn_is_held()


@pytest.mark.django_db(transaction=True)
def test_without_taking_turns_workers_would_kill_each_others_tokens(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    make()
    shop.token = "other"
    shop.before_answer = lambda: threading.Event().wait(0.3)
    monkeypatch.setattr(tokens, "_take_turn", lambda channel: True)
    monkeypatch.setattr(tokens, "_end_turn", lambda channel: None)
    race(6, lambda: tokens.calling(Channel.objects.get(), shop.ask, at=AT))
    assert len(shop.renewals) > 1


@pytest.mark.django_db(transaction=True)
def test_no_transaction_is_open_while_the_platform_is_asked(shop: Shop) -> None:
    seen = []
    shop.before_answer = lambda: seen.append(database.in_atomic_block)
    tokens.calling(make(), shop.ask, at=AT)
    assert seen == [False]


@pytest.mark.django_db(transaction=True)
def test_a_worker_that_waits_too_long_for_its_turn_comes_again_later(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    channel = make()
    monkeypatch.setattr(tokens, "LONGEST_WAIT", 0.2)
    go, held = threading.Event(), threading.Event()

    def hold() -> None:
        with tokens._turn(channel):
            held.set()
            go.wait(10)
        databases.close_all()

    other = threading.Thread(target=hold)
    other.start()
    held.wait(10)
    with pytest.raises(RetryLater, match="is being renewed"):
        tokens.renew(channel, connections.of(channel), why=EXPIRED, at=AT)
    go.set()
    other.join(10)
    assert shop.renewals == []
