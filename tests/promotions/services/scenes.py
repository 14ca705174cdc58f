"""What the tests of promotion services share: people, and promotions that went the whole way to live."""

from datetime import datetime
from typing import Any

from django.contrib.auth.models import Permission, User

from audit.services import versions
from audit.services.versions import Deed, Text
from promotions.models import Promotion, PromotionVersion
from promotions.rules import rule as rules
from promotions.rules.rule import Rule
from promotions.services.promotions import GOVERNED
from tests.small_company import NOON


def person(name: str, *, may_approve: bool = False) -> User:
    """Return a user; made at the first call."""
    user, _is_new = User.objects.get_or_create(username=name)
    if may_approve:
        user.user_permissions.add(Permission.objects.get(codename="approve_promotionversion"))
    return User.objects.get(pk=user.pk)


def submitted(code: str, rule: Rule, *, at: datetime = NOON, publish_at: datetime | None = None) -> PromotionVersion:
    """Return the next version of a promotion, waiting for approval."""
    promotion, _is_new = Promotion.objects.get_or_create(code=code, defaults={"name": code, "created_at": at})
    deed = Deed(person("author"), at, "for the festival")
    version = versions.draft(GOVERNED, promotion.pk, Text(rules.to_json(rule), publish_at), deed)
    versions.check(GOVERNED, version.pk, deed)
    return versions.submit(GOVERNED, version.pk, deed, read_digest=version.digest)


def live(code: str, rule: Rule, *, at: datetime = NOON, publish_at: datetime | None = None) -> PromotionVersion:
    """Return the next version of a promotion, approved by as many people as it needs."""
    version = submitted(code, rule, at=at, publish_at=publish_at)
    for name in ("boss", "second boss"):
        if version.status == "submitted":
            deed = Deed(person(name, may_approve=True), at, "good")
            version = versions.approve(GOVERNED, version.pk, deed, read_digest=version.digest)
    return version


def stop(version: PromotionVersion, at: datetime = NOON) -> Any:
    """Stop a live version at once."""
    return versions.pause(GOVERNED, version.pk, Deed(person("boss"), at, "too much"))
