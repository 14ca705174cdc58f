"""The webhook adapter: one event, one signed POST. What the answer means is Standard Webhooks 1.0's matter."""

import json
from datetime import UTC, datetime
from typing import Final

from audit.rules.sentences import say
from channels.adapters import calls
from channels.adapters.protocol import (
    Adapter,
    Capabilities,
    Connection,
    Gone,
    NotOffered,
    Rejected,
    RetryLater,
    Throttled,
)
from channels.adapters.webhook import client, sign
from channels.messages import Outgoing, PartnerEvent

GONE: Final = 410
THROTTLED: Final = frozenset({429, 502, 504})
LONGEST_ANSWER: Final = 2000


class WebhookAdapter(Adapter):
    """Posts partners' events: https only, signed with each secret in use, under an id that stays over all tries."""

    capabilities = Capabilities(events=True)
    credential_names = ("secret", "previous_secret", "previous_until")
    option_names = ("events",)

    def deliver(self, message: Outgoing, connection: Connection, *, key: str) -> str:
        """Post one event; anything but 2xx is tried again, 410 switches the endpoint off."""
        if not isinstance(message, PartnerEvent):
            raise NotOffered("a webhook takes events only")
        at, body = datetime.now(UTC), encode(message)
        secrets = sign.secrets_in_use(connection.credentials, at=at)
        if not secrets or not connection.base_url:
            raise Rejected(say("Endpoint %(code)s has no address or no secret.", code=connection.code))
        try:
            headers = sign.headers(key, body, secrets, at=at)
        except sign.BadSecret as error:
            why = say(
                "The secret of endpoint %(code)s cannot be used: %(error)s.", code=connection.code, error=str(error)
            )
            raise Rejected(why) from error
        return _read(client.post(connection.base_url, body, headers, code=connection.code), connection, at=at)


def encode(event: PartnerEvent) -> bytes:
    """Return the body of an event, the same bytes at every try."""
    told = {"type": event.type, "timestamp": event.at.astimezone(UTC).isoformat(), "data": event.data}
    return json.dumps(told, ensure_ascii=False, separators=(",", ":"), sort_keys=True).encode()


def _read(answer: client.Answer, connection: Connection, *, at: datetime) -> str:
    text = calls.shown(answer.body)[:LONGEST_ANSWER]
    if 200 <= answer.status < 300:
        return text or f"HTTP {answer.status}"
    said = say("%(code)s answered %(status)s.", code=connection.code, status=answer.status)
    if answer.status == GONE:
        raise Gone(said, answer=text)
    asked = calls.wait_seconds(answer.retry_after, at=at) if answer.retry_after else 0
    if answer.status in THROTTLED or asked:
        raise Throttled(said, seconds=asked or calls.USUAL_WAIT, answer=text)
    raise RetryLater(said, seconds=0, answer=text)


ADAPTER: Adapter = WebhookAdapter()
