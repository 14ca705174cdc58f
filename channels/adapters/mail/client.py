"""Talking to an SMTP server through Django's mail backend, and what its answers mean: 4xx passes, 5xx stays.

The same mail again has the same ``Message-ID``, so that servers and readers can tell a repeat.
"""

import hashlib
import smtplib
from collections.abc import Iterator
from contextlib import contextmanager
from email.errors import MessageError
from email.headerregistry import Address
from typing import Final, NamedTuple
from urllib.parse import SplitResult, urlsplit

from django.core.mail import EmailMessage
from django.core.mail.backends.smtp import EmailBackend

from audit.rules.sentences import say
from channels.adapters import notices, signing
from channels.adapters.protocol import Connection, Rejected, RetryLater
from channels.messages import Notice
from channels.rules import texts

PLATFORM: Final = "Mail"
SECONDS_TO_ANSWER: Final = 20
USUAL_PORTS: Final = {"smtp": 587, "smtps": 465}
ATTEMPT_LATER: Final = 60


class Server(NamedTuple):
    """Where to send: STARTTLS unless the option ``tls`` is false, or TLS from the beginning."""

    host: str
    port: int
    starts_tls: bool
    is_tls: bool


def send(notice: Notice, connection: Connection, *, key: str) -> str:
    """Send one mail and return its number; raises ``RetryLater`` or ``Rejected``."""
    sender = _address(str(connection.options.get("sender") or ""))
    to = _address(notice.to)
    number = f"<{hashlib.sha256(key.encode()).hexdigest()[:32]}@{sender.domain}>"
    with _opened(connection) as backend:
        mail = EmailMessage(
            subject=notices.subject(notice),
            body=texts.fit(notice.text),
            from_email=sender.addr_spec,
            to=[to.addr_spec],
            headers={"Message-ID": number, "Auto-Submitted": "auto-generated"},
            connection=backend,
        )
        mail.send()
    return number


def try_out(connection: Connection) -> None:
    """Connect and log in; raises ``RetryLater`` or ``Rejected``."""
    with _opened(connection):
        pass


def server(connection: Connection) -> Server:
    """Read the address of the server; raises ``Rejected`` for one that is none."""
    try:
        parts: SplitResult = urlsplit(connection.base_url)
        port = parts.port or USUAL_PORTS.get(parts.scheme, 0)
    except ValueError:
        parts, port = urlsplit(""), 0
    if parts.scheme not in USUAL_PORTS or not parts.hostname:
        raise Rejected(say("The address %(address)s cannot be called.", address=connection.base_url))
    is_tls = parts.scheme == "smtps"
    return Server(parts.hostname, port, not is_tls and connection.options.get("tls") is not False, is_tls)


@contextmanager
def _opened(connection: Connection) -> Iterator[EmailBackend]:
    """Open a connection for one mail; what goes wrong is said in our words."""
    where = server(connection)
    backend = EmailBackend(
        host=where.host,
        port=where.port,
        username=connection.credentials.get("user", ""),
        password=connection.credentials.get("password", ""),
        use_tls=where.starts_tls,
        use_ssl=where.is_tls,
        timeout=SECONDS_TO_ANSWER,
    )
    try:
        backend.open()
        yield backend
    except smtplib.SMTPRecipientsRefused as error:
        code, words = next(iter(error.recipients.values()))
        raise _refusal(code, words) from error
    except smtplib.SMTPResponseException as error:
        raise _refusal(error.smtp_code, error.smtp_error) from error
    except (smtplib.SMTPNotSupportedError, UnicodeError) as error:
        raise Rejected(signing.refusal(PLATFORM, 0, str(error)), answer=str(error)) from error
    except (OSError, smtplib.SMTPException) as error:
        reason = say("%(platform)s cannot be reached: %(error)s.", platform=PLATFORM, error=type(error).__name__)
        raise RetryLater(reason, answer=texts.fit(str(error))) from error
    finally:
        backend.close()


def _refusal(code: int, words: bytes | str) -> Exception:
    told = words.decode("utf-8", "replace") if isinstance(words, bytes) else words
    reason = signing.refusal(PLATFORM, code, told)
    return (
        RetryLater(reason, seconds=ATTEMPT_LATER, answer=told) if 400 <= code < 500 else Rejected(reason, answer=told)
    )


def _address(text: str) -> Address:
    """Return one mail address; raises ``Rejected`` for what is none, or more than one."""
    try:
        address = Address(addr_spec=text.strip())
    except (MessageError, ValueError, IndexError):
        address = Address()
    if not address.username or not address.domain or not texts.is_fit(text) or any(mark in text for mark in "\r\n,;"):
        raise Rejected(say("%(address)s is not a mail address.", address=texts.shown(text) or "–"))
    return address
