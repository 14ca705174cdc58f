"""Writing to a robot, in each chat's own shape.

Not verified against the live chats (documented guesses): the codes of ``LIMITED``, ``LONGEST`` in bytes. A robot
knows no repeat: after a lost answer the group may read a message twice. A robot's token opens its group to everybody:
no address that holds one stands in a sentence.
"""

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple
from urllib.parse import urlsplit

from audit.rules.sentences import say
from channels.adapters import calls, fields, notices, signing
from channels.adapters.im import sign
from channels.adapters.protocol import Connection, Rejected, RetryLater, Throttled
from channels.messages import Notice
from channels.rules import texts

PLATFORM: Final = "IM"
TOKEN: Final = re.compile(r"[A-Za-z0-9_-]{1,200}")
PHONE: Final = re.compile(r"\+?[0-9-]{5,20}")
LIMITED: Final = frozenset({130101, 45009, 9499, 11232})  # too many a minute
BUSY: Final = -1
LATER_SECONDS: Final = 60
LONGEST: Final = {"dingtalk": 18_000, "feishu": 18_000, "wecom": 2_000}


class Call(NamedTuple):
    """What is posted: the path after the host, the query, and the body."""

    path: str
    query: dict[str, str]
    body: dict[str, Any]


def send(notice: Notice, connection: Connection) -> str:
    """Write one message and return the chat's answer; raises ``RetryLater`` or ``Rejected``."""
    calls.require(connection, PLATFORM, "token")
    parts = urlsplit(connection.base_url)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query:
        raise Rejected(say("The address %(address)s cannot be called.", address=connection.base_url))
    call = written(notice, connection, at=datetime.now(UTC))
    response = calls.send(
        PLATFORM,
        "POST",
        connection.base_url.rstrip("/") + call.path,
        params=call.query,
        content=json.dumps(call.body, ensure_ascii=False).encode(),
        headers={"Content-Type": "application/json"},
    )
    answer = calls.read(PLATFORM, response.content)
    code = signing.number(next((answer[name] for name in ("errcode", "code", "StatusCode") if name in answer), -2))
    if code != 0:
        reason = signing.refusal(PLATFORM, code, answer.get("errmsg") or answer.get("msg"))
        shown = calls.shown(response.content)
        if code in LIMITED:
            raise Throttled(reason, seconds=LATER_SECONDS, answer=shown)
        raise RetryLater(reason, answer=shown) if code == BUSY else Rejected(reason, answer=shown)
    return calls.shown(response.content)


def written(notice: Notice, connection: Connection, *, at: datetime) -> Call:
    """Return what is posted for a message; raises ``Rejected`` for a chat or a token that is none. Pure."""
    kind, token = str(connection.options.get("kind") or ""), connection.credentials.get("token", "")
    if kind not in LONGEST:
        what = {"code": connection.code, "kind": texts.shown(kind) or "–"}
        raise Rejected(say("Channel %(code)s: %(kind)s is no work chat; say dingtalk, feishu or wecom.", **what))
    if not TOKEN.fullmatch(token):
        raise Rejected(
            say("Channel %(code)s: token is the robot's token alone, not its address.", code=connection.code)
        )
    text = _cut(f"{notices.subject(notice)}\n{texts.fit(notice.text)}".strip(), LONGEST[kind])
    phones = [phone for phone in re.split(r"[\s,;]+", notice.to) if PHONE.fullmatch(phone)]
    return _WRITERS[kind](text, phones, token, connection.credentials, at)


def _dingtalk(text: str, phones: list[str], token: str, given: Mapping[str, str], at: datetime) -> Call:
    query = {"access_token": token}
    if secret := given.get("secret"):
        milliseconds = str(fields.milliseconds(at))
        query |= {"timestamp": milliseconds, "sign": sign.dingtalk(milliseconds, secret)}
    mentions = "".join(f" @{phone}" for phone in phones)
    body = {"msgtype": "text", "text": {"content": text + mentions}, "at": {"atMobiles": phones, "isAtAll": False}}
    return Call("/robot/send", query, body)


def _feishu(text: str, phones: list[str], token: str, given: Mapping[str, str], at: datetime) -> Call:
    body: dict[str, Any] = {"msg_type": "text", "content": {"text": text}}
    if secret := given.get("secret"):
        seconds = str(int(at.timestamp()))
        body |= {"timestamp": seconds, "sign": sign.feishu(seconds, secret)}
    return Call(f"/open-apis/bot/v2/hook/{token}", {}, body)


def _wecom(text: str, phones: list[str], token: str, given: Mapping[str, str], at: datetime) -> Call:
    body = {"msgtype": "text", "text": {"content": text, "mentioned_mobile_list": phones}}
    return Call("/cgi-bin/webhook/send", {"key": token}, body)


_WRITERS: Final = {"dingtalk": _dingtalk, "feishu": _feishu, "wecom": _wecom}


def _cut(text: str, most: int) -> str:
    """Cut a text to so many bytes, never through a character."""
    body = text.encode("utf-8", "ignore")
    return text if len(body) <= most else body[: most - 3].decode("utf-8", "ignore") + "…"
