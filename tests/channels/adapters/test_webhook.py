"""Partners' webhooks by Standard Webhooks 1.0, verified with the library of the standard itself."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from typing import Any

import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from channels.adapters.protocol import Connection, Gone, NotOffered, Rejected, RetryLater, Throttled
from channels.adapters.webhook import addresses, client, sign
from channels.adapters.webhook.adapter import ADAPTER, encode
from channels.messages import PartnerEvent, StockFigure
from channels.simulators.server import LoopbackServer, Request, Response
from channels.simulators.webhook import Receiver

AT = datetime(2026, 11, 23, 1, 0, tzinfo=UTC)
SECRET = sign.secret_of(b"a" * 32)
OLD = sign.secret_of(b"b" * 24)
EVENT = PartnerEvent("order.created", "JD-1", AT, {"number": "JD-1", "channel": "京东"})


@pytest.fixture(autouse=True)
def in_development(settings: Any) -> None:
    settings.WEBHOOKS_MAY_BE_LOCAL = True


@pytest.fixture
def receiver() -> Receiver:
    return Receiver(SECRET)


@pytest.fixture
def url(receiver: Receiver) -> Iterator[str]:
    with LoopbackServer(receiver.answer) as server:
        yield f"{server.url}/hooks"
        receiver.let_go.set()


def connection(url: str, **more: str) -> Connection:
    return Connection("PARTNER", url, {"secret": SECRET, **more}, {"events": ["order.created"]})


def test_the_standards_own_library_accepts_what_is_posted() -> None:
    came: list[Request] = []

    def answer(request: Request) -> Response:
        came.append(request)
        return Response(b"")

    with LoopbackServer(answer) as server:
        assert ADAPTER.deliver(EVENT, connection(server.url), key="evt_1") == "HTTP 200"
    told = Webhook(SECRET).verify(came[0].body, came[0].headers)
    assert told == {
        "type": "order.created",
        "timestamp": "2026-11-23T01:00:00+00:00",
        "data": {"number": "JD-1", "channel": "京东"},
    }
    assert came[0].headers["webhook-id"] == "evt_1"
    with pytest.raises(WebhookVerificationError):
        Webhook(OLD).verify(came[0].body, came[0].headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(SECRET).verify(came[0].body + b" ", came[0].headers)


def test_both_secrets_sign_until_the_old_ones_time_is_over() -> None:
    until = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
    both = {"secret": SECRET, "previous_secret": OLD, "previous_until": until}
    now = datetime.now(UTC)
    assert sign.secrets_in_use(both, at=now) == [SECRET, OLD]
    assert sign.secrets_in_use(both, at=now + timedelta(hours=2)) == [SECRET]
    body = encode(EVENT)
    headers = sign.headers("evt_1", body, [SECRET, OLD], at=now)
    assert len(headers["webhook-signature"].split(" ")) == 2
    for secret in (SECRET, OLD):
        Webhook(secret).verify(body, headers)


@pytest.mark.parametrize(
    ("status", "headers", "kind", "seconds"),
    [
        pytest.param(410, {}, Gone, None, id="gone"),
        pytest.param(429, {"Retry_After": "7"}, Throttled, 7, id="throttled for seven seconds"),
        pytest.param(429, {}, Throttled, 30, id="throttled"),
        pytest.param(502, {}, Throttled, 30, id="bad gateway"),
        pytest.param(504, {}, Throttled, 30, id="gateway timeout"),
        pytest.param(503, {"Retry_After": "9"}, Throttled, 9, id="says when"),
        pytest.param(500, {}, RetryLater, 0, id="server error"),
        pytest.param(400, {}, RetryLater, 0, id="refusal"),
        pytest.param(302, {"Location": "http://127.0.0.1:9/"}, RetryLater, 0, id="redirect is not followed"),
    ],
)
def test_what_an_answer_means(
    receiver: Receiver, url: str, status: int, headers: dict[str, str], kind: type[Exception], seconds: int | None
) -> None:
    receiver.plan(status, **headers)
    with pytest.raises((RetryLater, Rejected)) as caught:
        ADAPTER.deliver(EVENT, connection(url), key="evt_1")
    assert type(caught.value) is kind
    assert getattr(caught.value, "seconds", None) == seconds
    assert receiver.events() == []


def test_a_silent_endpoint_is_given_up_in_time(receiver: Receiver, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "SECONDS_FOR_ALL", 0.3)
    receiver.plan(0)
    began = datetime.now(UTC)
    with pytest.raises(RetryLater) as caught:
        ADAPTER.deliver(EVENT, connection(url), key="evt_1")
    assert caught.value.reason.values == {"code": "PARTNER", "error": "ReadTimeout"}
    assert datetime.now(UTC) - began < timedelta(seconds=3)


def test_an_endless_answer_is_cut() -> None:
    with LoopbackServer(lambda request: Response(b"x" * (client.LARGEST_ANSWER * 4))) as server:
        assert len(ADAPTER.deliver(EVENT, connection(server.url), key="evt_1")) == 2000


@pytest.mark.parametrize(
    "url",
    [
        "http://example.com/hooks",
        "ftp://example.com/",
        "https://user:word@example.com/",
        "//example.com",
        "https://",
        "https://[::1/",
        "https://127.0.0.1.:99999/",
    ],
)
def test_only_https_is_called(url: str) -> None:
    with pytest.raises(Rejected):
        ADAPTER.deliver(EVENT, connection(url), key="evt_1")


def test_this_machine_is_not_called_outside_of_development(receiver: Receiver, url: str, settings: Any) -> None:
    settings.WEBHOOKS_MAY_BE_LOCAL = False
    for address in (url, url.replace("http://", "https://")):
        with pytest.raises(Rejected):
            ADAPTER.deliver(EVENT, connection(address), key="evt_1")
    assert receiver.events() == []


@pytest.mark.parametrize(
    "text",
    [
        "127.0.0.1", "10.0.0.1", "172.16.5.4", "192.168.1.1", "169.254.169.254", "100.100.100.200", "0.0.0.0",
        "168.63.129.16", "224.0.0.1", "240.0.0.1", "255.255.255.255", "192.0.0.192", "::1", "::", "fe80::1",
        "fd00:ec2::254", "::ffff:10.0.0.1", "::ffff:127.0.0.1", "::10.0.0.1", "64:ff9b::a00:1", "2002:a00:1::",
        "ff02::1",
    ],
)  # fmt: skip
def test_an_inner_address_is_not_public_however_it_is_written(text: str) -> None:
    assert not addresses.is_public(ip_address(text))


@pytest.mark.parametrize("text", ["1.1.1.1", "223.5.5.5", "2606:4700::1111", "::ffff:8.8.8.8"])
def test_the_open_internet_is_public(text: str) -> None:
    assert addresses.is_public(ip_address(text))


def test_a_host_with_one_inner_address_among_others_is_not_called(monkeypatch: pytest.MonkeyPatch) -> None:
    def answer(*_args: Any, **_kwargs: Any) -> list[Any]:
        return [(2, 1, 6, "", ("1.1.1.1", 443)), (2, 1, 6, "", ("10.0.0.8", 443))]

    monkeypatch.setattr("socket.getaddrinfo", answer)
    with pytest.raises(Rejected) as caught:
        ADAPTER.deliver(EVENT, connection("https://rebinding.example/hooks"), key="evt_1")
    assert caught.value.reason.text == "The address %(address)s may not be called: it is not public."


@pytest.mark.parametrize("secret", ["", "plain", "whsec_!!", "whsec_" + "YQ=="])
def test_a_secret_that_cannot_sign_is_said(secret: str) -> None:
    with pytest.raises(Rejected):
        ADAPTER.deliver(EVENT, Connection("PARTNER", "https://example.com/", {"secret": secret}), key="evt_1")


def test_a_webhook_takes_events_only() -> None:
    with pytest.raises(NotOffered):
        ADAPTER.deliver(StockFigure("i", "s", 1), connection("https://example.com/"), key="evt_1")
