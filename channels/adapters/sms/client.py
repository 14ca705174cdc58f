"""One POST of JSON a message, with the token in a header and, where a secret is entered, a signature over the body.

No provider's own words are known here: what a good answer looks like is an option of the channel.
"""

import hashlib
import hmac
import json
import re
from collections.abc import Mapping
from typing import Any, Final

from audit.rules.sentences import say
from channels.adapters import calls, signing
from channels.adapters.protocol import Connection, Rejected
from channels.messages import Notice
from channels.rules import texts

PLATFORM: Final = "SMS"
LONGEST_TEXT: Final = 500
NAMES: Final = {"to": "phone", "text": "text", "key": "request_id"}
PHONE: Final = re.compile(r"\+?[0-9]{5,15}")


def send(notice: Notice, connection: Connection, *, key: str) -> str:
    """Send one message and return the provider's answer; raises ``RetryLater`` or ``Rejected``."""
    calls.require(connection, PLATFORM, "token")
    body = json.dumps(_message(notice, connection, key=key), ensure_ascii=False).encode()
    headers = {"Content-Type": "application/json", "Authorization": f"Bearer {connection.credentials['token']}"}
    if secret := connection.credentials.get("secret"):
        headers["X-Signature"] = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    response = calls.send(PLATFORM, "POST", connection.base_url, content=body, headers=headers)
    if not 200 <= response.status_code < 300:
        raise Rejected(calls.status_reason(PLATFORM, response), answer=calls.shown(response.content))
    _check(connection, response.content)
    return calls.shown(response.content)


def _message(notice: Notice, connection: Connection, *, key: str) -> dict[str, Any]:
    phone = re.sub(r"[ ()-]", "", notice.to)
    if not PHONE.fullmatch(phone):
        raise signing.NotThis(say("%(phone)s is not a phone number.", phone=texts.shown(notice.to) or "–"))
    text = texts.fit(notice.text).strip()
    if len(text) > LONGEST_TEXT:
        raise signing.NotThis(say("An SMS has at most %(most)s characters.", most=LONGEST_TEXT))
    names = {**NAMES, **_table(connection, "fields")}
    return {**_table(connection, "extra"), names["to"]: phone, names["text"]: text, names["key"]: key}


def _check(connection: Connection, body: bytes) -> None:
    """Pass when the answer holds what a good one holds; raises ``signing.NotThis`` with its words."""
    wanted = _table(connection, "success")
    if not wanted:
        return
    answer = calls.read(PLATFORM, body)
    if any(str(answer.get(name)) != str(value) for name, value in wanted.items()):
        words = " ".join(f"{name}={answer.get(name)}" for name in (*wanted, "message", "msg") if name in answer)
        raise signing.NotThis(signing.refusal(PLATFORM, 0, words), answer=calls.shown(body))


def _table(connection: Connection, name: str) -> dict[str, Any]:
    told = connection.options.get(name)
    return dict(told) if isinstance(told, Mapping) else {}
