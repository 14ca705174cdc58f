"""The laws of four eyes: what a digest binds, who may say yes, when enough have."""

import hashlib
import json
from collections.abc import Collection
from typing import Any

from audit.rules.sentences import Sentence, say


def digest(body: Any, *, publish_at: str = "") -> str:
    """Return the SHA-256 of a body as canonical JSON (sorted keys, no spaces) and of the time it shall go live."""
    text = json.dumps([body, publish_at], sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def why_not_decide(
    *, writers: Collection[int], approver: int, decided_by: Collection[int], read_digest: str, digest_now: str
) -> Sentence | None:
    """Return why a person may not decide about a request; nothing when they may.

    Users are primary keys. Nobody who wrote on it ever may, whatever their rights; nobody decides twice; and what was
    read must be what is there now.
    """
    if approver in writers:
        return say("You wrote on this version. Another person must approve it.")
    if approver in decided_by:
        return say("You have decided about this request already.")
    if read_digest != digest_now:
        return say("It has changed since you read it. Read it again.")
    return None


def is_decided(*, yes: int, no: int, needed: int) -> bool | None:
    """Return the decision of so many voices: one no is enough, a yes needs ``needed``; nothing while it is open."""
    if no:
        return False
    return True if yes >= needed else None
