"""How single values look in every list and page: labels, ages, money, names, sentences."""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.utils import formats, timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import get_language, gettext, gettext_noop
from django.utils.translation import gettext_lazy as _

from audit.models.sentences import render

EMPTY = SafeString('<span class="faint">–</span>')
MINUTE, HOUR, DAY = 60, 3600, 86400
JOBS = (
    gettext_noop("pipeline"), gettext_noop("backorders"), gettext_noop("expiry"), gettext_noop("outbox"),
    gettext_noop("verify"), gettext_noop("import_stock"), gettext_noop("expire_lots"),
    gettext_noop("safety"), gettext_noop("mapping"), gettext_noop("stock_push"),
    gettext_noop("fetch"), gettext_noop("nodes"), gettext_noop("promises"), gettext_noop("pull"),
    gettext_noop("tokens"), gettext_noop("tracking"), gettext_noop("pace"),
    gettext_noop("claims"), gettext_noop("disruptions"), gettext_noop("optimiser"),
)  # fmt: skip  # what jobs call themselves in Actor
KINDS = {"person": "", "job": _("automatic"), "channel": _("channel"), "partner": _("partner")}


def label(text: Any, tone: str = "grey", title: Any = "") -> SafeString:
    """Return a coloured label; tones are grey, blue, green, amber, red and violet."""
    return format_html('<span class="tag tag-{}" title="{}">{}</span>', tone, title, text)


def link(url: str, text: Any, title: Any = "") -> SafeString:
    """Return a link that looks like one."""
    return format_html('<a class="more" href="{}" title="{}">{}</a>', url, title, text)


def cut(text: str, most: int) -> SafeString:
    """Return a text that is cut where a list has no room for it, whole when pointed at."""
    return format_html('<span title="{}">{}</span>', text, text if len(text) <= most else f"{text[: most - 1]}…")


def number(value: int | None, url: str = "") -> SafeString:
    """Return a right-aligned number; a zero is faint, a url makes it a link."""
    shown = formats.number_format(value or 0, use_l10n=True, force_grouping=True)
    if not value:
        return format_html('<span class="figure faint">{}</span>', shown)
    return format_html('<a class="figure more" href="{}">{}</a>', url, shown) if url else _figure(shown)


def signed(value: int) -> SafeString:
    """Return a change with its sign, green when something came and plain when it went."""
    tone = " plus" if value > 0 else ""
    return format_html('<span class="figure{}">{}</span>', tone, f"{value:+,}")


def _figure(shown: str) -> SafeString:
    return format_html('<span class="figure">{}</span>', shown)


def money(amount: Decimal | None, currency: str = "CNY") -> SafeString:
    """Return an amount with its currency: ¥ for yuan, else the ISO code."""
    if amount is None:
        return EMPTY
    return _figure(amount_text(amount, currency))


def amount_text(amount: Decimal | float, currency: str = "CNY") -> str:
    """Return an amount as words: ``¥1,234.50`` or ``USD 1,234.50``."""
    return f"¥{amount:,.2f}" if currency == "CNY" else f"{currency} {amount:,.2f}"


def when(at: datetime | None) -> SafeString:
    """Return a moment in local time, to the minute."""
    if at is None:
        return EMPTY
    return format_html('<time datetime="{}" class="nowrap">{}</time>', at.isoformat(), stamp(at))


def stamp(at: datetime) -> str:
    """Return a moment in local time as digits, to the minute."""
    return f"{timezone.localtime(at):%Y-%m-%d %H:%M}"


def span(seconds: float) -> str:
    """Return a length of time in one unit: ``5 min``, ``3 h``, ``2 d``."""
    if seconds < HOUR:
        return gettext("%(n)s min") % {"n": int(seconds // MINUTE)}
    if seconds < 2 * DAY:
        return gettext("%(n)s h") % {"n": int(seconds // HOUR)}
    return gettext("%(n)s d") % {"n": int(seconds // DAY)}


def age(at: datetime | None) -> SafeString:
    """Return how long ago something was, with the exact moment as a hint."""
    if at is None:
        return EMPTY
    seconds = max(0.0, (timezone.now() - at).total_seconds())
    return format_html('<span class="nowrap" title="{}">{}</span>', stamp(at), span(seconds))


def deadline(at: datetime | None, *, is_open: bool = True) -> SafeString:
    """Return how much time is left: amber within four hours, red when it is over, plain once it no longer matters."""
    if at is None:
        return EMPTY
    left = (at - timezone.now()).total_seconds()
    moment = stamp(at)
    if not is_open:
        return format_html('<span class="faint nowrap">{}</span>', moment[5:])
    if left < 0:
        return label(gettext("%(span)s late") % {"span": span(-left)}, "red", moment)
    return label(gettext("%(span)s left") % {"span": span(left)}, "amber" if left < 4 * HOUR else "grey", moment)


def sentence(stored: Any, limit: int = 0) -> str:
    """Return a stored sentence in the reader's language, cut to a limit if there is one."""
    text = render(stored)
    return f"{text[:limit]}…" if limit and len(text) > limit else text


def local_name(row: Any) -> str:
    """Return a row's name in the reader's language: ``name_en`` for readers of English, if it has one."""
    is_english = (get_language() or "en").startswith("en")
    return (row.name_en if is_english else "") or row.name


def code_and_name(row: Any) -> SafeString:
    """Return a code with the name beside it, the name only when it says more than the code."""
    name = local_name(row)
    return format_html("{}", row.code) if name == row.code else format_html(
        '{} <span class="faint">{}</span>', row.code, name
    )  # fmt: skip


def actor(label_text: str) -> str:
    """Return who did it as people call them: a person's name, or what sort of machine it was."""
    kind, _colon, name = label_text.partition(":")
    prefix = KINDS.get(kind)
    if prefix is None:
        return label_text
    shown = gettext(name) if kind == "job" and name else name
    return f"{prefix}: {shown}" if prefix else shown


def span_exact(length: timedelta) -> str:
    """Return a length of time down to seconds: ``5 s``."""
    seconds = int(length.total_seconds())
    return gettext("%(n)s s") % {"n": seconds} if seconds < MINUTE else span(seconds)
