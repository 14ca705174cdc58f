"""What the steps of a connection do and show, but for the matching of listings."""

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.db.models import Count, Q
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from audit.admin import columns
from audit.rules.actors import Actor
from channels.adapters.protocol import Rejected
from channels.admin.setup_forms import EnterForm, TermsForm, known_terms
from channels.models import ChannelSetup, Listing
from channels.services import connections, setup, setup_listings
from channels.statuses import MatchDecision, SetupStep
from inventory.models import ChannelShare
from inventory.statuses import RuleStatus

MAY_SHARE = "inventory.add_channelshare"
Page = Callable[[HttpRequest, ChannelSetup], "HttpResponse | dict[str, Any]"]


def address(row: ChannelSetup, step: str = "") -> str:
    """Return where a connection goes on: at the step that was reached, or at this one."""
    url = reverse("admin:channels_channelsetup_change", args=[row.pk])
    return f"{url}?step={step}" if step else url


def acting(request: HttpRequest) -> Actor:
    """Return the person who does what a request asks."""
    return Actor("person", request.user.get_username())


def progress_words(row: ChannelSetup) -> str:
    """Return in words how far the listings are read."""
    if row.listings_problem:
        return columns.sentence(row.listings_problem)
    if not setup_listings.is_reading(row):
        return gettext("%(count)s listings are read.") % {"count": f"{row.listings_found:,}"}
    if not row.listings_found:
        return gettext("Waits for a worker …")
    return gettext("%(count)s listings so far …") % {"count": f"{row.listings_found:,}"}


def credentials_page(request: HttpRequest, row: ChannelSetup) -> HttpResponse | dict[str, Any]:
    """Keep what was entered and try the connection at once."""
    form = EnterForm(request.POST or None, channel=row.channel, stored=_stored(row))
    offers_check = setup.offers_check(row.channel.adapter)
    if request.method == "POST" and form.is_valid():
        kept = setup.enter(row, form.entered(), actor=acting(request))
        if offers_check:
            setup.check(kept, at=timezone.now())
            return HttpResponseRedirect(address(row, SetupStep.CREDENTIALS))
        setup.advance(kept, SetupStep.LISTINGS)
        return HttpResponseRedirect(address(row, SetupStep.LISTINGS))
    return {
        "form": form, "offers_check": offers_check, "result": columns.sentence(row.check_result),
        "checked": columns.when(row.checked_at), "next_url": address(row, SetupStep.LISTINGS),
    }  # fmt: skip


def _stored(row: ChannelSetup) -> frozenset[str]:
    """Return the names of the credentials that are stored; none can be told where they cannot be opened."""
    try:
        told = connections.of(row.channel).credentials
    except Rejected:
        return frozenset()
    return frozenset(name for name, value in told.items() if value)


def listings_page(request: HttpRequest, row: ChannelSetup) -> HttpResponse | dict[str, Any]:
    """Have the listings read in the background; a platform that tells none is passed over."""
    if request.method == "POST":
        if request.POST.get("deed") == "skip":
            setup.advance(row, SetupStep.TERMS)
            return HttpResponseRedirect(address(row, SetupStep.TERMS))
        setup_listings.ask(row, at=timezone.now())
        return HttpResponseRedirect(address(row, SetupStep.LISTINGS))
    return {
        "offers_listings": setup.offers_listings(row.channel.adapter),
        "is_reading": setup_listings.is_reading(row),
        "problem": columns.sentence(row.listings_problem) if row.listings_problem else "",
        "words": progress_words(row),
        "progress_url": reverse("admin:channels_channelsetup_progress", args=[row.pk]),
        "next_url": address(row, SetupStep.MATCHING),
    }


def terms_page(request: HttpRequest, row: ChannelSetup) -> HttpResponse | dict[str, Any]:
    """Ask on which terms the channel sells."""
    may_share = request.user.has_perm(MAY_SHARE)
    form = TermsForm(request.POST or None, may_share=may_share, initial=known_terms(row.channel))
    if request.method == "POST" and form.is_valid():
        setup.agree(row, form.terms(), actor=acting(request), at=timezone.now())
        return HttpResponseRedirect(address(row, SetupStep.SUMMARY))
    return {"form": form, "may_share": may_share}


def summary_page(request: HttpRequest, row: ChannelSetup) -> HttpResponse | dict[str, Any]:
    """Show what was said, and switch the channel on."""
    if request.method == "POST":
        is_sandbox = request.POST.get("deed") != "live"
        setup.switch_on(row, is_sandbox=is_sandbox, actor=acting(request), at=timezone.now())
        done = _("The channel works in the sandbox.") if is_sandbox else _("The channel is live.")
        messages.success(request, done)
        return HttpResponseRedirect(address(row, SetupStep.SUMMARY))
    counts = row.found.aggregate(
        left=Count("pk", filter=Q(decision=MatchDecision.OPEN)),
        left_out=Count("pk", filter=Q(decision=MatchDecision.LEFT_OUT)),
    )
    channel = row.channel
    draft = ChannelShare.objects.filter(channel=channel.code, status=RuleStatus.DRAFT).order_by("-pk").first()
    return {
        "result": columns.sentence(row.check_result), "counts": counts,
        "listed": Listing.objects.filter(channel=channel).count(),
        "nodes": [columns.code_and_name(node) for node in channel.nodes.order_by("code")],
        "draft": draft, "draft_size": f"{draft.amount.normalize():f} %" if draft else "",
        "offers_check": setup.offers_check(channel.adapter), "is_done": row.step == SetupStep.DONE,
        "matching_url": address(row, SetupStep.MATCHING),
    }  # fmt: skip


PAGES: dict[str, Page] = {
    SetupStep.CREDENTIALS: credentials_page,
    SetupStep.LISTINGS: listings_page,
    SetupStep.TERMS: terms_page,
    SetupStep.SUMMARY: summary_page,
}
