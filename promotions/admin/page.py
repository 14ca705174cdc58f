"""What a promotion's page shows: the versions as a timeline, differences, what waits for approval, what is used."""

from typing import Any, Final

from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from audit.admin import columns, governed
from audit.models import ApprovalRequest
from audit.statuses import ApprovalStatus, VersionStatus
from promotions.admin import deeds, preview
from promotions.admin.conditions_field import can_show
from promotions.models import Promotion, PromotionVersion
from promotions.queries import shop
from promotions.queries import usage as queries
from promotions.queries.usage import Usage
from promotions.rules import differences, sentences
from promotions.rules.naming import Names
from promotions.services import effects, pace
from promotions.services.promotions import rule_of

ICONS: Final = {
    VersionStatus.DRAFT: "edit", VersionStatus.CHECKED: "rule", VersionStatus.SUBMITTED: "hourglass_top",
    VersionStatus.APPROVED: "check", VersionStatus.SCHEDULED: "schedule", VersionStatus.LIVE: "play_arrow",
    VersionStatus.PAUSED: "pause", VersionStatus.RETIRED: "event_busy",
}  # fmt: skip
MOST_VERSIONS: Final = 50
NEARLY_ALL, MUCH = 100, 80


def used_bar(usage: Usage | None) -> SafeString:
    """Return how much of a budget, or of the uses, is taken, reserved and left, and when it is used up."""
    if usage is None:
        return columns.EMPTY
    scarce, figure = usage.scarce, pace.figure
    percent = int(100 * scarce.share)
    tone = "bar-red" if percent >= NEARLY_ALL else "bar-amber" if percent >= MUCH else ""
    parts = {"reserved": figure(usage, usage.reserved), "left": figure(usage, scarce.left)}
    return format_html(
        '<span class="nowrap"><span class="bar"><i class="{}" style="width: {}%"></i></span>{} / {}</span>'
        '<br><span class="faint nowrap">{}</span>{}',
        tone, percent, figure(usage, scarce.taken), figure(usage, scarce.most),
        _("%(reserved)s reserved, %(left)s left") % parts, _pace(usage),
    )  # fmt: skip


def _pace(usage: Usage) -> SafeString:
    """Return when it is used up at this speed; red when that is before its end."""
    if usage.pace.used_up_at is None or not usage.scarce.left:
        return SafeString("")
    words = _("used up on %(date)s") % {"date": columns.stamp(usage.pace.used_up_at)}
    title = columns.sentence(pace.why(usage).stored()) if usage.pace.is_trouble else ""
    tone = "red" if usage.pace.is_short else "amber" if usage.pace.is_ahead else "grey"
    return format_html("<br>{}", columns.label(words, tone, title))


def context(promotion: Promotion, user: Any, *, compare: tuple[str, str]) -> dict[str, Any]:
    """Return what the page shows."""
    versions = list(
        promotion.versions.select_related("author", "promotion").order_by("-number")[:MOST_VERSIONS]
    )  # fmt: skip
    told = {version.number: rule_of(version) for version in versions}
    names = shop.names(told.values())
    requests = governed.requests_of(versions)
    shown = [_version(version, told, names, requests, user) for version in versions]
    in_force = next((one for one in shown if one["version"].status in VersionStatus.IN_FORCE), None)
    return {
        "versions": shown, "in_force": in_force, "open": next((one for one in shown if one["is_open"]), None),
        "used": used_bar(_usage(promotion, (in_force or shown[0])["version"] if shown else None)),
        "asks_for_coupons": any(rule.needs_coupon for rule in told.values()),
        "compared": _compared(told, names, compare), "numbers": [version.number for version in versions],
        "may_change": deeds.may_change(user, promotion, (in_force or shown[0])["version"] if shown else None),
        "may_roll_back": in_force is not None and deeds.may_stop(user, in_force["version"]),
    }  # fmt: skip


def _version(
    version: PromotionVersion, told: dict[int, Any], names: Names, requests: dict[str, ApprovalRequest], user: Any
) -> dict[str, Any]:
    rule, request = told[version.number], requests.get(version.object_key)
    return {
        "version": version, "label": governed.status_label(version), "icon": ICONS[VersionStatus(version.status)],
        "tone": governed.TONES[VersionStatus(version.status)],
        "sentence": columns.sentence(sentences.describe(rule, names).stored()),
        "is_open": version.status in VersionStatus.OPEN, "deeds": deeds.offered(user, version),
        "request": request, "is_waiting": request is not None and request.status == ApprovalStatus.WAITING,
        "was_approved": request is not None and request.status == ApprovalStatus.APPROVED,
        "voices": governed.voices_of(request),
        "changes": [columns.sentence(one) for one in request.changes] if request else [],
        "expected": _expected(version) if version.status in VersionStatus.OPEN else None,
        "can_be_built": can_show(rule.condition),
    }  # fmt: skip


def _usage(promotion: Promotion, version: PromotionVersion | None) -> Usage | None:
    if version is None:
        return None
    return queries.of({promotion.pk: rule_of(version)}, at=timezone.now()).get(promotion.pk)


def _expected(version: PromotionVersion) -> dict[str, Any]:
    """Return what a version that is not in force yet is expected to do, as it is known now."""
    effect = effects.of(version)
    return {"told": preview.shown(effect.told), "is_tried": effect.is_tried}


def _compared(told: dict[int, Any], names: Names, compare: tuple[str, str]) -> dict[str, Any] | None:
    """Return the differences between two versions that were asked for, or between the two newest."""
    asked = [int(word) for word in compare if word.isdecimal() and len(word) < 10]
    newest = sorted(told)[-2:]
    old, new = asked if len(asked) == 2 else newest if len(newest) == 2 else (0, 0)
    if old not in told or new not in told:
        return None
    title = _("Version %(new)s against version %(old)s") % {"new": new, "old": old}
    found = preview.shown(differences.changes(told[old], told[new], names))
    return {"old": old, "new": new, "title": title, "changes": found}
