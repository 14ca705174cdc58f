"""What signed platforms share: digests, how signatures are compared, and how calls are refused. Pure."""

import hashlib
import hmac
from base64 import b64encode
from collections.abc import Iterable, Mapping
from typing import Any, Final

from audit.rules.sentences import Sentence, say
from channels.adapters.protocol import Rejected
from channels.rules import texts

LONGEST_WORDS: Final = 300


class NotThis(Rejected):
    """The platform refuses this one order, parcel or item; other calls of the channel may well succeed."""


def md5_of_pairs(parameters: Mapping[str, str], secret: str) -> str:
    """Return the upper-case MD5 of all sorted names and values but ``sign`` and empty ones, between two secrets."""
    joined = "".join(name + parameters[name] for name in sorted(parameters) if name != "sign" and parameters[name])
    return hashlib.md5((secret + joined + secret).encode()).hexdigest().upper()


def refusal(platform: str, code: int, *words: Any) -> Sentence:
    """Return the sentence for a refusal with the platform's own code and words, cut to what people read."""
    told = texts.shown(" ".join(str(word)[:200] for word in words if word), limit=LONGEST_WORDS)
    return say("%(platform)s refused with code %(code)s: %(words)s", platform=platform, code=code, words=told)


def is_one_of(given: str, expected: Iterable[str]) -> bool:
    """Return whether a signature is one of those expected, in constant time; for a while there may be two keys."""
    told = given.encode("utf-8", "surrogatepass")
    matches = [hmac.compare_digest(one.encode(), told) for one in expected]
    return any(matches)


def base64_hmac(secret: str, signed: bytes) -> str:
    """Return base64 HMAC-SHA256."""
    return b64encode(hmac.digest(secret.encode(), signed, hashlib.sha256)).decode()


def number(value: Any) -> int:
    """Return a code that comes as a number or as its digits, 0 for anything else."""
    try:
        return int(value)
    except (TypeError, ValueError, ArithmeticError):
        return 0
