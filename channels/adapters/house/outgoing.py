"""What a delivery looks like on the wire, and how long the other side asks us to wait. Pure."""

import json
from typing import Final

from channels.messages import Outgoing
from channels.rules import wire

USUAL_WAIT: Final = 30
LONGEST_WAIT: Final = 3600


def encode(message: Outgoing) -> bytes:
    """Return the body of a delivery: ``{"type": "shipment_notice", …}``."""
    body = {"type": wire.kind_of(message), **wire.to_json(message)}
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode("utf-8")


def asked_wait(retry_after: str) -> int:
    """Return the seconds of a Retry-After header, the usual wait when it is absent or a date."""
    return min(int(retry_after), LONGEST_WAIT) if retry_after.isascii() and retry_after.isdigit() else USUAL_WAIT
