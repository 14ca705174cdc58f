"""Bars and labels of coupons."""

from datetime import datetime

from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from audit.admin import columns
from promotions.models import Coupon
from promotions.queries.coupon_books import Counts


def counts_bar(told: Counts) -> SafeString:
    """Return how many coupons of a batch are taken, as a bar, with the figures beside and below it."""
    words = _("%(redeemed)s used, %(reserved)s reserved, %(left)s left") % {
        "redeemed": f"{told.redeemed:,}", "reserved": f"{told.reserved:,}", "left": f"{told.left:,}",
    }  # fmt: skip
    if told.stopped:
        words += _(", %(stopped)s stopped") % {"stopped": f"{told.stopped:,}"}
    return format_html("{}<br>{}", _bar(told.taken, told.made), format_html('<span class="faint">{}</span>', words))


def uses_bar(coupon: Coupon) -> SafeString:
    """Return how often a coupon is taken of how often it may be."""
    if coupon.most_uses is None:
        return format_html('<span class="nowrap">{} / ∞</span>', f"{coupon.taken:,}")
    return _bar(coupon.taken, coupon.most_uses)


def state(coupon: Coupon, *, at: datetime) -> SafeString:
    """Return whether a coupon can be used."""
    if not coupon.is_active:
        return columns.label(_("Stopped"), "red")
    if coupon.most_uses is not None and coupon.taken >= coupon.most_uses:
        return columns.label(_("Used up"), "grey")
    if coupon.ends_at and coupon.ends_at <= at:
        return columns.label(_("Over"), "grey")
    if coupon.starts_at and coupon.starts_at > at:
        return columns.label(_("Coming"), "blue")
    return columns.label(_("Can be used"), "green")


def term(coupon: Coupon | None) -> str | SafeString:
    """Return from when until when a coupon holds."""
    if coupon is None or not (coupon.starts_at or coupon.ends_at):
        return columns.EMPTY
    first, last = (columns.stamp(at) if at else "" for at in (coupon.starts_at, coupon.ends_at))
    return format_html('<span class="nowrap">{} –<br>{}</span>', first, last)


def _bar(taken: int, most: int) -> SafeString:
    percent = min(100, 100 * taken // most) if most else 0
    tone = "bar-red" if percent == 100 else "bar-amber" if percent >= 80 else ""
    return format_html(
        '<span class="nowrap"><span class="bar"><i class="{}" style="width: {}%"></i></span>{} / {}</span>',
        tone, percent, f"{taken:,}", f"{most:,}",
    )  # fmt: skip
