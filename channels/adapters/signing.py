"""What platforms with a signed gateway share: the digest of sorted pairs, and how they refuse. Pure."""

import hashlib
from collections.abc import Mapping
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


def number(value: Any) -> int:
    """Return a code that comes as a number or as its digits, 0 for anything else."""
    try:
        return int(value)
    except (TypeError, ValueError, ArithmeticError):
        return 0
