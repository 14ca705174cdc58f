"""The inbound door: what is authentic is kept and answered at once; anything else is refused with a problem."""

import hashlib
import hmac
import json
import socket
import threading
from datetime import datetime
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from audit.services import waking
from channels.adapters import registry
from channels.adapters.house import adapter as house
from channels.adapters.protocol import Connection, Pushed, Received
from channels.models import Channel, InboundMessage, WantedOrder
from channels.services import credentials

SECRET = "s3cret"
pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.channels.web.urls")]


class Calls:
    """Stands for the broker: keeps wake-ups, and answers late or not at all when told to."""

    def __init__(self) -> None:
        self.tasks: list[tuple[str, dict[str, Any]]] = []
        self.is_away = False
        self.may_answer = threading.Event()
        self.may_answer.set()

    def send_task(self, name: str, **options: Any) -> None:
        self.tasks.append((name, options))
        self.may_answer.wait(10)
        if self.is_away:
            raise waking.OperationalError("connection refused")


@pytest.fixture
def broker(monkeypatch: pytest.MonkeyPatch) -> Calls:
    calls = Calls()
    monkeypatch.setattr(waking, "current_app", calls)
    monkeypatch.setattr(waking, "_WAKER", waking.Waker())
    return calls


def let_calls_end() -> None:
    for thread in threading.enumerate():
        if thread.name == "wake-up":
            thread.join(timeout=10)


@pytest.fixture
def channel(db: None, broker: Calls) -> Channel:
    return Channel.objects.create(
        code="SHOP", name="Shop", platform="own", adapter="house", credentials={"secret": SECRET}
    )


def signed(body: bytes, secret: str = SECRET) -> str:
    return hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def push(body: bytes, *, code: str = "SHOP", signature: str | None = None) -> tuple[int, Any]:
    answer = Client().post(
        f"/in/{code}/",
        body,
        content_type="application/json",
        headers={"X-Hub-Signature": signed(body) if signature is None else signature},
    )
    return answer.status_code, answer.json()


def order(number: str = "A1", **more: Any) -> dict[str, Any]:
    return {"type": "order", "external_id": number, "revision": 1, **more}


def kept() -> list[tuple[str, str, int, int, bytes]]:
    rows = InboundMessage.objects.order_by("id").values_list(
        "external_id", "kind", "revision", "times_received", "payload"
    )
    return [(*row[:4], bytes(row[4])) for row in rows]


def test_an_order_is_kept_byte_for_byte(
    channel: Channel, broker: Calls, django_capture_on_commit_callbacks: Any
) -> None:
    body = json.dumps(order(buyer_note="请快 😀 مرحبا \x00"), ensure_ascii=False, indent=1).encode()
    with django_capture_on_commit_callbacks(execute=True):
        assert push(body) == (202, {"stored": 1, "known": 0})
    assert kept() == [("A1", "order", 1, 1, body)]
    let_calls_end()
    assert broker.tasks == [("orders.run_pipeline", {"retry": False, "expires": 30})]


def test_the_same_again_is_known(channel: Channel) -> None:
    body = json.dumps(order()).encode()
    assert [push(body), push(body)] == [(202, {"stored": 1, "known": 0}), (202, {"stored": 0, "known": 1})]
    assert kept() == [("A1", "order", 1, 2, body)]


def test_a_list_is_split_and_each_part_keeps_its_bytes(channel: Channel) -> None:
    body = '[ {"type":"order","external_id":"甲","revision":2,"x":1.10} ,\n 7, '
    body += '{"type":"change","external_id":"B","revision":3}]'
    status, answer = push(body.encode())
    assert (status, answer) == (202, {"stored": 3, "known": 0})
    assert kept() == [
        ("甲", "order", 2, 1, '{"type":"order","external_id":"甲","revision":2,"x":1.10}'.encode()),
        ("sha256:" + hashlib.sha256(b"7").hexdigest(), "order", 0, 1, b"7"),
        ("B", "change", 3, 1, b'{"type":"change","external_id":"B","revision":3}'),
    ]


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"{not json", id="malformed"),
        pytest.param(b"", id="empty"),
        pytest.param(b"\xff\xfe\x00", id="not UTF-8"),
        pytest.param(b"[" * 200_000, id="nested without end"),
        pytest.param(b'[{"type":"order"},', id="broken list"),
        pytest.param(b'[{"type":"order"}] more', id="more after the list"),
        pytest.param(b"9" * 5000, id="a number too long to read"),
        pytest.param(b'{"type":"order","external_id":"A\\u0000","revision":1}', id="number with NUL"),
        pytest.param(b'{"type":"order","external_id":"A\\ud800","revision":1}', id="half a character"),
        pytest.param(b'{"type":"order","external_id":"A","revision":true}', id="revision yes"),
        pytest.param(b'{"type":"order","external_id":"A","revision":9223372036854775808}', id="revision too large"),
        pytest.param(b'{"type":"refund","external_id":"A","revision":1}', id="unknown type"),
    ],
)
def test_what_cannot_be_identified_is_kept_under_its_hash(channel: Channel, body: bytes) -> None:
    assert push(body) == (202, {"stored": 1, "known": 0})
    assert kept() == [("sha256:" + hashlib.sha256(body).hexdigest(), "order", 0, 1, body)]


@pytest.mark.parametrize(
    "signature",
    [
        pytest.param("", id="none"),
        pytest.param("0" * 64, id="wrong"),
        pytest.param("密", id="not ASCII"),
        pytest.param(signed(b"{}", "other"), id="another secret"),
    ],
)
def test_a_wrong_signature_is_refused_and_nothing_is_kept(channel: Channel, broker: Calls, signature: str) -> None:
    status, answer = push(b"{}", signature=signature)
    assert (status, answer["title"]) == (401, "Not authentic")
    assert (kept(), broker.tasks) == ([], [])


def test_the_previous_secret_still_opens(channel: Channel) -> None:
    credentials.keep(channel, {"secret": "new", "previous_secret": "old"})
    body = json.dumps(order()).encode()
    assert [push(body, signature=signed(body, secret))[0] for secret in ("new", "old", SECRET)] == [202, 202, 401]


def test_a_channel_without_a_secret_opens_to_nobody(channel: Channel) -> None:
    credentials.keep(channel, {"secret": ""})
    assert push(b"{}", signature=signed(b"{}", ""))[0] == 401


@pytest.mark.parametrize(
    ("code", "change", "status"),
    [
        pytest.param("NOBODY", {}, 404, id="unknown"),
        pytest.param("SHOP", {"is_active": False}, 404, id="inactive"),
        pytest.param("SHOP", {"adapter": "fax"}, 404, id="no such adapter"),
        pytest.param("SHOP", {"adapter": "file"}, 404, id="files do not push"),
    ],
)
def test_other_channels_have_no_door(channel: Channel, code: str, change: dict[str, Any], status: int) -> None:
    if change:
        Channel.objects.update(**change)
    answered, problem = push(b"{}", code=code)
    assert (answered, problem["status"], problem["type"]) == (status, status, "about:blank")
    assert kept() == []


def test_only_get_and_post_are_taken_and_an_unsigned_get_is_nobody(channel: Channel) -> None:
    assert Client().put("/in/SHOP/").status_code == 405
    assert Client().get("/in/SHOP/").status_code == 401


def test_a_list_of_five_hundred_is_taken_and_one_more_is_refused(channel: Channel) -> None:
    many = [order(str(number)) for number in range(501)]
    assert push(json.dumps(many[:500]).encode()) == (202, {"stored": 500, "known": 0})
    status, problem = push(json.dumps(many).encode())
    assert (status, problem["detail"]) == (400, "A request carries at most 500 messages; this one has 501.")
    assert InboundMessage.objects.count() == 500


def test_fifty_megabytes_are_refused_with_a_row_that_keeps_the_head(channel: Channel) -> None:
    body = b'{"type":"order"' + b" " * (50 * 1024 * 1024)
    for _ in range(2):
        status, problem = push(body)
        assert (status, problem["title"]) == (413, "Too large")
    row = InboundMessage.objects.get()
    assert (row.external_id, row.status, row.reason_code, row.times_received) == (
        f"too-large:{timezone.now():%Y-%m-%d}",
        "rejected",
        "too_large",
        2,
    )
    assert bytes(row.payload) == body[: 64 * 1024]
    assert row.reason["values"]["size"] == len(body)


def test_ten_megabytes_still_fit(channel: Channel) -> None:
    body = json.dumps(order(buyer_note="x" * (10 * 1024 * 1024 - 80))).encode()
    body += b" " * (10 * 1024 * 1024 - len(body))
    assert push(body) == (202, {"stored": 1, "known": 0})


@pytest.mark.django_db(transaction=True)
def test_a_large_request_is_refused_before_it_is_sent(channel: Channel, live_server: Any) -> None:
    """Only the length is announced and a little is sent: the answer comes without waiting for the rest."""
    with socket.create_connection((live_server.thread.host, live_server.thread.port), timeout=10) as line:
        head = f"POST /in/SHOP/ HTTP/1.1\r\nHost: localhost\r\nContent-Length: {50 * 1024 * 1024}\r\n\r\n"
        line.sendall(head.encode() + b"x" * 70_000)
        assert line.recv(100).startswith(b"HTTP/1.1 413 ")


@pytest.mark.django_db(transaction=True)
def test_a_sender_that_goes_away_halfway_is_no_forger(channel: Channel, live_server: Any, caplog: Any) -> None:
    body = json.dumps(order()).encode()
    head = f"POST /in/SHOP/ HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(body)}\r\n"
    with socket.create_connection((live_server.thread.host, live_server.thread.port), timeout=10) as line:
        line.sendall(f"{head}X-Hub-Signature: {signed(body)}\r\n\r\n".encode() + body[:-1])
        line.shutdown(socket.SHUT_WR)
        assert line.recv(100).startswith(b"HTTP/1.1 400 ")
    assert [record for record in caplog.records if record.name == "channels.security"] == []
    assert kept() == []


@pytest.mark.django_db(transaction=True)
def test_a_body_in_chunks_is_told_to_come_with_its_length(channel: Channel, live_server: Any) -> None:
    with socket.create_connection((live_server.thread.host, live_server.thread.port), timeout=10) as line:
        line.sendall(b"POST /in/SHOP/ HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n")
        assert line.recv(100).startswith(b"HTTP/1.1 411 ")


@pytest.mark.django_db(transaction=True)
def test_a_broker_that_is_away_costs_no_request_and_one_line(channel: Channel, broker: Calls, caplog: Any) -> None:
    broker.is_away = True
    for number in ("A", "B", "C"):
        assert push(json.dumps(order(number)).encode())[0] == 202
        let_calls_end()
    assert len(broker.tasks) == 1  # then silence, so that no request waits for it
    assert [record.name for record in caplog.records if record.name == "audit.services.waking"] == [
        "audit.services.waking"
    ]
    assert InboundMessage.objects.count() == 3


@pytest.mark.django_db(transaction=True)
def test_a_slow_broker_holds_no_request_up_and_the_last_call_comes_after_the_last_row(
    channel: Channel, broker: Calls
) -> None:
    broker.may_answer.clear()
    for number in ("A", "B", "C"):
        assert push(json.dumps(order(number)).encode())[0] == 202
    assert len(broker.tasks) == 1
    broker.may_answer.set()
    let_calls_end()
    assert len(broker.tasks) == 2


def test_received_at_is_now(channel: Channel) -> None:
    before = timezone.now()
    push(json.dumps(order()).encode())
    received: datetime = InboundMessage.objects.get().received_at
    assert before <= received <= timezone.now()


class NamesOnly(house.HouseAdapter):
    """A platform whose push tells the numbers only."""

    def receive(self, pushed: Pushed, connection: Connection, *, at: datetime) -> Received:
        super().receive(pushed, connection, at=at)
        return Received(wanted=tuple(json.loads(pushed.body)["ids"]), answer=b"success", content_type="text/plain")


def test_a_push_of_numbers_only_is_answered_at_once_and_wakes_the_fetching(
    channel: Channel, broker: Calls, monkeypatch: pytest.MonkeyPatch, django_capture_on_commit_callbacks: Any
) -> None:
    monkeypatch.setitem(registry.BY_NAME, "names", NamesOnly())
    Channel.objects.update(adapter="names")
    body = b'{"ids": ["A", "B", "A"]}'
    with django_capture_on_commit_callbacks(execute=True):
        answer = Client().post(
            "/in/SHOP/", body, content_type="application/json", headers={"X-Hub-Signature": signed(body)}
        )
    assert (answer.status_code, answer.content) == (200, b"success")
    let_calls_end()
    assert [name for name, _options in broker.tasks] == ["channels.fetch_wanted"]
    assert sorted(WantedOrder.objects.values_list("channel__code", "external_id")) == [("SHOP", "A"), ("SHOP", "B")]
    assert kept() == []


def test_who_is_refused_stands_in_the_security_log_without_what_was_sent(channel: Channel, caplog: Any) -> None:
    assert push(b'{"buyer": "Li"}', signature="wrong-signature")[0] == 401
    [record] = [record for record in caplog.records if record.name == "channels.security"]
    line = json.loads(record.getMessage())
    assert {name: line[name] for name in ("event", "channel", "remote_address")} == {
        "event": "inbound_not_authentic",
        "channel": "SHOP",
        "remote_address": "127.0.0.1",
    }
    assert (record.levelname, set(line)) == ("WARNING", {"event", "channel", "remote_address", "timestamp"})


def test_an_authentic_request_leaves_no_line(channel: Channel, caplog: Any) -> None:
    assert push(json.dumps(order()).encode())[0] == 202
    assert [record for record in caplog.records if record.name == "channels.security"] == []


def test_a_lost_key_is_our_trouble_and_the_platform_tries_again(channel: Channel, settings: Any) -> None:
    settings.SECRET_KEY = "another"
    status, problem = push(json.dumps(order()).encode())
    assert (status, problem["title"]) == (503, "Not ready")
    assert kept() == []


def test_a_message_costs_one_statement_once_its_channel_is_known(
    channel: Channel, django_assert_num_queries: Any
) -> None:
    assert push(json.dumps(order("A")).encode())[0] == 202
    body = json.dumps(order("B")).encode()
    with django_assert_num_queries(1):
        assert push(body) == (202, {"stored": 1, "known": 0})


def test_a_secret_that_was_changed_elsewhere_counts_at_once(channel: Channel) -> None:
    assert push(json.dumps(order("A")).encode())[0] == 202  # the door remembers the channel
    credentials.keep(Channel.objects.get(), {"secret": "new"})
    body = json.dumps(order("B")).encode()
    assert push(body)[0] == 401
    assert push(body, signature=signed(body, "new")) == (202, {"stored": 1, "known": 0})
    assert [row[0] for row in kept()] == ["A", "B"]


def test_a_new_secret_opens_before_the_old_one_was_ever_refused(channel: Channel) -> None:
    assert push(json.dumps(order("A")).encode())[0] == 202
    credentials.keep(Channel.objects.get(), {"secret": "new"})
    body = json.dumps(order("B")).encode()
    assert push(body, signature=signed(body, "new")) == (202, {"stored": 1, "known": 0})


def test_a_channel_that_is_switched_off_is_closed_at_once_and_open_again_when_it_is_on(channel: Channel) -> None:
    body = json.dumps(order("A")).encode()
    statuses = [push(body)[0]]
    for is_active in (False, True):
        Channel.objects.update(is_active=is_active)
        statuses.append(push(body)[0])
    assert statuses == [202, 404, 202]
    assert kept() == [("A", "order", 1, 2, body)]


def test_a_channel_made_anew_under_the_same_code_is_another_one(channel: Channel) -> None:
    body = json.dumps(order("A")).encode()
    assert push(body)[0] == 202
    InboundMessage.objects.all().delete()
    channel.delete()
    Channel.objects.create(code="SHOP", name="B", platform="own", adapter="house", credentials={"secret": "other"})
    assert push(body)[0] == 401
    assert push(body, signature=signed(body, "other")) == (202, {"stored": 1, "known": 0})


def test_a_refused_message_that_comes_again_mended_replaces_what_was_refused(channel: Channel) -> None:
    body, mended = json.dumps(order("A")).encode(), json.dumps(order("A", buyer_note="x")).encode()
    assert push(body)[0] == 202
    InboundMessage.objects.update(status="rejected", reason_code="untranslatable")
    assert push(mended) == (202, {"stored": 0, "known": 1})
    assert list(InboundMessage.objects.values_list("status", "reason_code")) == [("received", "")]
    assert kept() == [("A", "order", 1, 2, mended)]
