"""The step at which listings are taken for SKUs: sure ones ticked, doubtful ones to confirm, the rest left open."""

from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from audit.admin import columns, verbs
from audit.rules.sentences import Sentence, say
from channels.admin import setup_steps, setup_words
from channels.models import ChannelSetup, FoundListing
from channels.rules.matching import SURE
from channels.services import setup_listings
from channels.services.setup_listings import Decided
from channels.statuses import MatchDecision, SetupStep
from inventory.models import Sku
from inventory.statuses import SkuKind

MAY_LIST = "channels.add_listing"
PER_PAGE = 50
MOST_SKUS = 20
OPEN = Q(decision=MatchDecision.OPEN)
GROUPS: dict[str, tuple[Any, Q]] = {
    "sure": (_("Sure"), OPEN & Q(confidence__gte=SURE)),
    "doubtful": (_("To confirm"), OPEN & Q(confidence__gt=0, confidence__lt=SURE)),
    "unknown": (_("Nothing found"), OPEN & Q(confidence=0)),
    "accepted": (_("Accepted"), Q(decision=MatchDecision.ACCEPTED)),
    "left_out": (_("Left out"), Q(decision=MatchDecision.LEFT_OUT)),
}


def page(request: HttpRequest, row: ChannelSetup) -> HttpResponse | dict[str, Any]:
    """Show one group of listings, and carry out what was decided about the ticked ones."""
    counts = row.found.aggregate(**{name: Count("pk", filter=which) for name, (_title, which) in GROUPS.items()})
    may_list = request.user.has_perm(MAY_LIST)
    if request.method == "POST":
        if not may_list:
            raise PermissionDenied
        return _carry_out(request, row)
    asked = request.GET.get("show", "")
    group = asked if asked in GROUPS else next((name for name in GROUPS if counts[name]), "sure")
    number = _page_number(request)
    rows = row.found.filter(GROUPS[group][1]).select_related("sku").order_by("-confidence", "pk")
    shown = list(rows[(number - 1) * PER_PAGE : number * PER_PAGE])
    here = {"step": SetupStep.MATCHING.value, "show": group}
    pages = -(-counts[group] // PER_PAGE)
    return {
        "may_list": may_list, "group": group, "counts": counts, "rows": [_row(one) for one in shown],
        "tabs": [{"name": name, "title": title, "count": counts[name],
                  "url": f"?{urlencode(here | {'show': name})}"} for name, (title, _which) in GROUPS.items()],
        "number": number, "pages": pages,
        "before_url": f"?{urlencode(here | {'p': number - 1})}" if number > 1 else "",
        "after_url": f"?{urlencode(here | {'p': number + 1})}" if number < pages else "",
        "is_open": group in ("sure", "doubtful", "unknown"), "is_sure": group == "sure",
        "skip_url": setup_steps.address(row, SetupStep.TERMS),
    }  # fmt: skip


def skus(request: HttpRequest) -> JsonResponse:
    """Return the SKUs whose code, name or barcode has what somebody types."""
    if not request.user.has_perm("inventory.view_sku"):
        raise PermissionDenied
    term = request.GET.get("q", "").strip()[:80].replace("\0", "")
    found = _search(term)[:MOST_SKUS] if term else []
    return JsonResponse({"skus": [{"code": sku.code, "name": sku_words(sku)} for sku in found]})


def sku_words(sku: Sku) -> str:
    """Return a SKU's name, and that it is a bundle."""
    name = columns.local_name(sku)
    return f"{name} · {sku.get_kind_display()}" if sku.kind == SkuKind.BUNDLE else name


def _search(term: str) -> QuerySet[Sku]:
    words = Q(code__icontains=term) | Q(name__icontains=term) | Q(name_en__icontains=term) | Q(barcode=term)
    return Sku.objects.filter(words, is_active=True).order_by("code")


def known_skus(typed: set[str]) -> dict[str, int]:
    """Return the active SKUs that are meant by typed codes or barcodes."""
    rows = Sku.objects.filter(Q(code__in=typed) | Q(barcode__in=typed), is_active=True).order_by("-pk") if typed else []
    by_barcode = {sku.barcode: sku.pk for sku in rows if sku.barcode}
    return by_barcode | {sku.code: sku.pk for sku in rows}


def _carry_out(request: HttpRequest, row: ChannelSetup) -> HttpResponse:
    deed = request.POST.get("deed", "")
    ids = [int(word) for word in request.POST.getlist("found") if word.isascii() and word.isdigit()][:PER_PAGE]
    back = HttpResponseRedirect(request.get_full_path())
    if deed == "take_over":
        _show(
            request, setup_listings.take_over(row, actor=setup_steps.acting(request)), say("%(count)s listings made.")
        )
        return HttpResponseRedirect(setup_steps.address(row, SetupStep.TERMS))
    if deed == "accept_sure":
        _show(request, setup_listings.accept_sure(row), say("%(count)s listings accepted."))
    elif deed == "accept":
        _accept(request, row, ids)
    elif deed in ("leave_out", "reopen"):
        decision = MatchDecision.LEFT_OUT if deed == "leave_out" else MatchDecision.OPEN
        count = setup_listings.decide(row, ids, decision=decision)
        _show(request, Decided(count), say("%(count)s listings changed."))
    return back


def _accept(request: HttpRequest, row: ChannelSetup, ids: list[int]) -> None:
    """Accept the ticked rows with the SKUs that were typed beside them; an unknown one is said and nothing is done."""
    typed = {found_id: request.POST.get(f"sku-{found_id}", "").strip() for found_id in ids}
    known = known_skus({word for word in typed.values() if word})
    wrong = sorted({word for word in typed.values() if word and word not in known})
    if wrong:
        messages.error(request, gettext("There is no such SKU: %(codes)s") % {"codes": ", ".join(wrong)[:200]})
        return
    chosen = {found_id: known[word] if word else None for found_id, word in typed.items()}
    _show(request, setup_listings.accept(row, chosen), say("%(count)s listings accepted."))


def _show(request: HttpRequest, decided: Decided, done: Sentence) -> None:
    said = Sentence(done.text, {"count": decided.count}) if decided.count else None
    verbs.show(request, verbs.Answer(said, decided.refused))


def _page_number(request: HttpRequest) -> int:
    text = request.GET.get("p", "")
    return max(1, int(text)) if text.isascii() and text.isdigit() and len(text) < 7 else 1


def _row(one: FoundListing) -> dict[str, Any]:
    how = f"{one.get_matched_by_display()} {one.confidence} %" if one.sku else one.get_matched_by_display()
    return {
        "row": one,
        "price": columns.money(one.price) if one.price is not None else "",
        "sku_name": sku_words(one.sku) if one.sku else "",
        "mark": columns.label(how, setup_words.MARKS[one.matched_by]),
    }
