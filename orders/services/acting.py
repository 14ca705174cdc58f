"""Which policy decides an order: the live version of the acting policy, or that of an open pilot for its share.

A pilot draws by hash of the order's number, so that an order stays in its arm however often it is planned. Bodies are
parsed once per process; one query tells which versions hold now.
"""

import hashlib
import logging
from dataclasses import dataclass
from typing import Final

import msgspec
from django.conf import settings
from django.db.models import Q

from audit.statuses import VersionStatus
from orders.models import RoutingPilot, RoutingPolicyVersion
from orders.rules.routing.policy import BUILT_IN, PublishedPolicy, from_json

logger = logging.getLogger(__name__)
MOST_KEPT: Final = 64
_kept: dict[tuple[int, str], PublishedPolicy] = {}  # key and digest of a version → what it says


@dataclass(frozen=True)
class Acting:
    """Who decides now."""

    policy: PublishedPolicy = BUILT_IN
    pilot: PublishedPolicy | None = None
    share_percent: int = 0
    salt: str = ""

    def of(self, number: str) -> tuple[PublishedPolicy, bool]:
        """Return the policy of an order by its number, and whether the order is in the pilot."""
        if self.pilot is not None and draw(self.salt, number) < self.share_percent:
            return self.pilot, True
        return self.policy, False


def draw(salt: str, number: str) -> int:
    """Return an order's place from 0 to 99 in the draw of a pilot: the same for ever."""
    return int.from_bytes(hashlib.sha256(f"{salt}{number}".encode()).digest()) % 100


def read() -> Acting:
    """Return who decides now: one query, two while a pilot is open, one more for each version never read before.

    Without a live version of the policy that ``ROUTING_POLICY`` names the product's own decides.
    """
    is_acting = Q(policy__code=settings.ROUTING_POLICY, status=VersionStatus.LIVE)
    is_tried = Q(pilots__ended_at__isnull=True, pilots__isnull=False, status=VersionStatus.LIVE)
    rows = RoutingPolicyVersion.objects.filter(is_acting | is_tried).order_by("pk").distinct()
    marks = list(rows.values_list("pk", "digest", "policy__code", "status"))
    live = [(pk, digest) for pk, digest, code, status in marks
            if code == settings.ROUTING_POLICY and status == VersionStatus.LIVE]  # fmt: skip
    policy = published(*live[0]) if live else BUILT_IN
    pilot = RoutingPilot.objects.filter(ended_at__isnull=True).first() if marks else None
    digests = {pk: digest for pk, digest, _code, _status in marks}
    if pilot is None or pilot.version_id not in digests:
        return Acting(policy)
    return Acting(policy, published(pilot.version_id, digests[pilot.version_id]), pilot.share_percent, pilot.salt)


def published(version_id: int, digest: str) -> PublishedPolicy:
    """Return what a version says; a body that cannot be read is logged and the product's own policy stands in.

    Orders go on whatever a row holds, and decisions name the policy that decided them.
    """
    known = _kept.get((version_id, digest))
    if known is None:
        version = RoutingPolicyVersion.objects.select_related("policy").get(pk=version_id)
        try:
            known = PublishedPolicy(version.policy.code, version.number, from_json(version.body))
        except msgspec.ValidationError:
            logger.exception("version %s of routing policy %s cannot be read", version.number, version.policy.code)
            known = BUILT_IN
        if len(_kept) >= MOST_KEPT:
            _kept.clear()
        _kept[version_id, digest] = known
    return known
