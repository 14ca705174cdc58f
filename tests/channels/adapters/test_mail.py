"""Mail through a real SMTP server on loopback: nothing leaves before the channel is live, and what a server refuses."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from channels.adapters import mail
from channels.adapters.mail import client
from channels.adapters.protocol import Connection, Rejected, RetryLater
from channels.messages import Notice, StockFigure
from channels.simulators.mail import Platform

NOTICE = Notice("buyer@example.com", "您的订单已发货", "运单号 SF100\n.\n谢谢\n")


@pytest.fixture
def platform() -> Platform:
    return Platform()


@pytest.fixture
def connection(platform: Platform) -> Iterator[Connection]:
    with platform.serve() as server:
        yield Connection("MAIL", server.url, platform.credentials, platform.options)


def send(connection: Connection, notice: Any = NOTICE, key: str = "k-1") -> str:
    return mail.ADAPTER.deliver(notice, connection, key=key)


@pytest.mark.parametrize("options", [{}, {"live": False}, {"live": "true"}, {"live": 1}])
def test_nothing_is_sent_before_the_channel_is_live(
    platform: Platform, connection: Connection, options: dict[str, Any]
) -> None:
    answer = send(replace(connection, options=options))

    assert answer == (
        "not sent (the channel is not live)\nTo: buyer@example.com\nSubject: 您的订单已发货\n\n运单号 SF100\n.\n谢谢\n"
    )
    assert platform.state() == {"mails": [], "logins": 0}


def test_a_mail_arrives_as_it_was_written(platform: Platform, connection: Connection) -> None:
    number = send(connection)

    [taken] = platform.mails
    assert (taken.sender, taken.to) == ("hub@shop.example", ("buyer@example.com",))
    assert (taken.letter["Subject"], taken.letter["From"], taken.letter["To"]) == (
        "您的订单已发货",
        "hub@shop.example",
        "buyer@example.com",
    )
    assert taken.letter.get_content().replace("\r\n", "\n") == "运单号 SF100\n.\n谢谢\n"
    assert (taken.letter["Message-ID"], taken.letter["Auto-Submitted"]) == (number, "auto-generated")


def test_the_same_mail_again_has_the_same_number(platform: Platform, connection: Connection) -> None:
    platform.faults.plan("lost")
    with pytest.raises(RetryLater):
        send(connection)
    send(connection)
    send(connection, key="k-2")

    numbers = [taken.letter["Message-ID"] for taken in platform.mails]
    assert (numbers[0] == numbers[1], numbers[1] == numbers[2]) == (True, False)


def test_a_line_break_in_a_subject_adds_no_header(platform: Platform, connection: Connection) -> None:
    send(connection, replace(NOTICE, subject="Hello\r\nBcc: all@example.com"))

    [taken] = platform.mails
    assert (taken.letter["Subject"], taken.letter["Bcc"], taken.to) == (
        "Hello  Bcc: all@example.com",
        None,
        ("buyer@example.com",),
    )


@pytest.mark.parametrize(
    "to", ["", "nobody", "a@b.example, c@d.example", "a@b.example\r\nBcc: c@d.example", "A <a@b.example>", "@b", "a@"]
)
def test_what_is_no_address_is_refused(platform: Platform, connection: Connection, to: str) -> None:
    with pytest.raises(Rejected) as refused:
        send(connection, replace(NOTICE, to=to))
    assert ("is not a mail address" in str(refused.value), platform.mails) == (True, [])


@pytest.mark.parametrize(
    ("answer", "kind", "words"),
    [
        ("450 mailbox busy", RetryLater, "Mail refused with code 450: mailbox busy"),
        ("550 no such user", Rejected, "Mail refused with code 550: no such user"),
    ],
)
def test_what_the_server_says_of_the_receiver_decides(
    platform: Platform, connection: Connection, answer: str, kind: type[Exception], words: str
) -> None:
    platform.refusals["buyer@example.com"] = answer
    with pytest.raises(kind) as refused:
        send(connection)
    assert (str(refused.value), platform.mails) == (words, [])


@pytest.mark.parametrize(
    ("change", "kind", "words"),
    [
        ({"credentials": {"user": "hub", "password": "x"}}, Rejected, "535"),
        ({"credentials": {}}, Rejected, "530"),
        ({"options": {"live": True, "tls": False}}, Rejected, "– is not a mail address"),
        ({"options": {"live": True, "sender": "hub@shop.example"}}, Rejected, "STARTTLS"),
        ({"base_url": "smtp://127.0.0.1:9"}, RetryLater, "cannot be reached"),
        ({"base_url": "http://127.0.0.1"}, Rejected, "cannot be called"),
        ({"base_url": "smtp://127.0.0.1:port"}, Rejected, "cannot be called"),
        ({"base_url": ""}, Rejected, "cannot be called"),
    ],
)
def test_what_is_entered_wrong_is_told(
    platform: Platform, connection: Connection, change: dict[str, Any], kind: type[Exception], words: str
) -> None:
    with pytest.raises(kind) as refused:
        send(replace(connection, **change))
    assert (words in str(refused.value), platform.mails) == (True, []), refused.value


def test_a_server_that_hangs_up_is_tried_again(platform: Platform, connection: Connection) -> None:
    platform.faults.plan("cut")
    with pytest.raises(RetryLater):
        send(connection)
    assert platform.mails == []


def test_trying_out_logs_in_and_sends_nothing(platform: Platform, connection: Connection) -> None:
    assert mail.ADAPTER.check(connection) == ""
    assert platform.state() == {"mails": [], "logins": 1}


@pytest.mark.parametrize("message", [StockFigure("1", "2", 3), replace(NOTICE, text=" \n")])
def test_what_is_no_message_to_a_person_is_refused(platform: Platform, connection: Connection, message: Any) -> None:
    with pytest.raises(Rejected):
        send(connection, message)
    assert platform.mails == []


@pytest.mark.parametrize(
    ("url", "options", "server"),
    [
        ("smtp://mail.example", {}, client.Server("mail.example", 587, True, False)),
        ("smtps://mail.example", {}, client.Server("mail.example", 465, False, True)),
        ("smtp://mail.example:25", {"tls": False}, client.Server("mail.example", 25, False, False)),
        ("smtps://mail.example:2465", {"tls": False}, client.Server("mail.example", 2465, False, True)),
    ],
)
def test_mail_is_encrypted_unless_somebody_says_otherwise(
    url: str, options: dict[str, Any], server: client.Server
) -> None:
    assert client.server(Connection("MAIL", url, {}, options)) == server
