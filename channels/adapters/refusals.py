"""What a platform's refusals mean: its codes as one table, and the exception that each of them is. Pure."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, NoReturn

from audit.rules.sentences import Sentence
from channels.adapters import calls
from channels.adapters.protocol import Rejected, RetryLater, Throttled, TokenExpired
from channels.adapters.signing import NotThis

Code = int | str


@dataclass(frozen=True)
class Refusals:
    """The codes of one platform. Numbers and words stand side by side: a refusal often has one of each."""

    expired: Collection[Any] = ()  # the access token is no longer good
    later: Mapping[Any, int] = field(default_factory=dict)  # busy or broken: seconds to wait
    limited: Collection[Any] = ()  # called too often: all calls of the channel wait
    never: Collection[Any] = ()  # the channel itself may not call, whatever it asks
    own_faults: str = ""  # what the words begin with that say that the platform itself is broken
    special: Mapping[Any, type[Rejected]] = field(default_factory=dict)  # what the adapter tells apart by itself

    def refuse(
        self, *codes: Code, reason: Sentence, body: bytes, seconds: float = 0, unknown: type[Exception] = NotThis
    ) -> NoReturn:
        """Raise what a refusal with these codes means; ``seconds`` is the wait that the answer itself asks for.

        A code that is in no table is ``unknown``: about this one order, parcel or item.
        """
        told, answer = set(codes), calls.shown(body)
        if told.intersection(self.expired):
            raise TokenExpired(reason, answer=answer)
        if told.intersection([*self.later, *self.limited]) or self._is_own_fault(codes):
            kind = Throttled if told.intersection(self.limited) else RetryLater
            raise kind(reason, seconds=self._wait(told, seconds), answer=answer)
        if told.intersection(self.never):
            raise Rejected(reason, answer=answer)
        kinds: list[Any] = [self.special[code] for code in codes if code in self.special]
        raise [*kinds, unknown][0](reason, answer=answer)

    def _is_own_fault(self, codes: Collection[Code]) -> bool:
        return bool(self.own_faults) and any(str(code).startswith(self.own_faults) for code in codes)

    def _wait(self, told: Collection[Code], seconds: float) -> int:
        usual = max((self.later[code] for code in told if code in self.later), default=calls.USUAL_WAIT)
        return calls.bounded(seconds) if seconds else usual
