"""The builder: choose a card, fill its form, see what it says while typing, and keep it as a draft."""

from collections.abc import Callable
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from audit.admin import columns, governed
from audit.services.approvals import NotAllowed
from audit.services.versions import Deed, Text
from channels.models import Channel
from inventory.models import Category, Node, Sku
from inventory.rules.geography import REGIONS
from inventory.statuses import NodeKind
from promotions.admin import deeds, kinds, preview
from promotions.admin.builder_forms import PromotionForm, RuleForm, initial_of
from promotions.admin.conditions_field import can_show
from promotions.models import Promotion, PromotionVersion
from promotions.queries import words
from promotions.rules import naming
from promotions.rules import rule as rules
from promotions.services import drafting, permissions
from promotions.services.drafting import NewPromotion
from promotions.services.promotions import rule_of

MOST_PROPOSED = 12


def new_view(request: HttpRequest, frame: dict[str, Any]) -> HttpResponse:
    """Choose a card, then write the first draft of a new promotion."""
    if not permissions.may_open(request.user):
        raise PermissionDenied
    chosen = request.GET.get("kind", "")
    if chosen not in kinds.KINDS:
        cards = {"kinds": kinds.KINDS, "title": _("New promotion")}
        return TemplateResponse(request, "admin/promotions/kinds.html", frame | cards)
    heading, form = PromotionForm(request.POST or None), RuleForm(request.POST or None, kind=chosen)
    facts: dict[str, Any] = {"heading": heading}
    if request.method == "POST" and heading.is_valid() and form.is_valid():
        told: Any = heading.cleaned_data
        wanted = NewPromotion(told["code"], told["name"], told["name_en"], told["brand"], told["campaign"])
        try:
            version = drafting.begin(wanted, _text(form), Deed(user_of(request), timezone.now()))
            return HttpResponseRedirect(page_of(version.promotion_id))
        except NotAllowed as refused:
            facts["refused"] = columns.sentence(refused.reason.stored())
    return _show(request, frame, chosen, form, **facts)


def edit_view(request: HttpRequest, pk: int, frame: dict[str, Any]) -> HttpResponse:
    """Change the draft of a promotion, or begin its next version from the one that is in force or was last."""
    promotion = get_object_or_404(Promotion, pk=pk)
    version = _source(promotion, request.GET.get("from", ""))
    if not deeds.may_change(request.user, promotion, version):
        raise PermissionDenied
    rule = rule_of(version)
    if not can_show(rule.condition):
        raise Http404
    kind = kinds.kind_of(rule)
    initial = initial_of(rule) | {"publish_at": version.publish_at if version.is_editable else None}
    form = RuleForm(request.POST or None, kind=kind, initial=initial)
    facts = {"promotion": promotion, "version": version, "is_next": not version.is_editable}
    if request.method == "POST" and form.is_valid():
        try:
            _keep(request, version, form)
            return HttpResponseRedirect(page_of(pk))
        except NotAllowed as refused:
            facts["refused"] = columns.sentence(refused.reason.stored())
    read = request.POST.get("read_digest", version.digest)
    return _show(request, frame, kind, form, read_digest=read, **facts)


def preview_view(request: HttpRequest) -> HttpResponse:
    """Return what a form says as it is now; nothing is kept."""
    kind = request.POST.get("kind", "")
    if not _may_look(request.user):
        raise PermissionDenied
    if request.method != "POST" or kind not in kinds.KINDS:
        raise Http404
    form = RuleForm(request.POST, kind=kind)
    told = preview.context(form, request.POST.get("code", "").strip()[:40], baskets=request.POST.get("baskets", ""))
    return TemplateResponse(request, "admin/promotions/preview.html", told)


def words_view(request: HttpRequest) -> HttpResponse:
    """Return codes and names that begin with or contain what was typed, for one sort of words."""
    if not _may_look(request.user):
        raise PermissionDenied
    typed = request.GET.get("q", "").strip()[:60]
    finder = _SOURCES.get(request.GET.get("of", ""))
    found = finder(typed) if finder else []
    return JsonResponse({"words": [{"code": code, "name": name} for code, name in found[:MOST_PROPOSED]]})


def user_of(request: HttpRequest) -> Any:
    """Return who asks; the desk's pages are only for those who are logged in."""
    return request.user


def page_of(promotion_id: int) -> str:
    """Return the address of a promotion's page."""
    return reverse("admin:promotions_promotion_change", args=[promotion_id])


def _may_look(user: Any) -> bool:
    return bool(user.has_perm("promotions.view_promotion")) or permissions.may_open(user)


def _show(request: HttpRequest, frame: dict[str, Any], kind: str, form: RuleForm, **facts: Any) -> HttpResponse:
    promotion = facts.get("promotion")
    title = f"{promotion.code} · {columns.local_name(promotion)}" if promotion else kinds.KINDS[kind].title
    told = {
        "title": title, "kind": kind, "card": kinds.KINDS[kind], "form": form,
        "preview_url": reverse("admin:promotions_promotion_preview"),
        "words_url": reverse("admin:promotions_promotion_words"), "examples": _examples(),
    }  # fmt: skip
    return TemplateResponse(request, "admin/promotions/builder.html", frame | told | facts)


def _keep(request: HttpRequest, version: PromotionVersion, form: RuleForm) -> None:
    deed = Deed(user_of(request), timezone.now(), request.POST.get("reason", "").strip()[:200])
    if version.is_editable:
        text = _text(form, version.based_on)
        drafting.edit(version, text, deed, read_digest=request.POST.get("read_digest", ""))
    else:
        drafting.next_version(version.promotion, _text(form, version.number), deed)


def _text(form: RuleForm, based_on: int | None = None) -> Text:
    return Text(rules.to_json(form.rule()), form.cleaned_data["publish_at"], based_on)


def _source(promotion: Promotion, number: str) -> PromotionVersion:
    """Return the version that a form begins with."""
    return governed.to_begin_from(list(promotion.versions.select_related("promotion").order_by("-number")), number)


def _examples() -> str:
    """Return ten baskets of the goods that are sold, to begin with."""
    codes = list(
        Sku.objects.filter(is_active=True, list_price__gt=0).order_by("code").values_list("code", flat=True)[:5]
    )
    if not codes:
        return ""
    places = ("31", "44", "11", "33", "51")
    one = [f"{code} | {place}" for code, place in zip(codes, places, strict=False)]
    many = [f"{code}*{10 * (n + 1)} | {place}" for n, (code, place) in enumerate(zip(codes, places, strict=False))]
    return "\n".join([*one, *many])


def _proposed(rows: Any, prefix: str = "") -> list[tuple[str, str]]:
    return [(f"{prefix}{row.code}", columns.local_name(row)) for row in rows]


def _like(model: Any, typed: str, **narrow: Any) -> Any:
    rows = model.objects.filter(**narrow)
    found = rows.filter(code__istartswith=typed) | rows.filter(name__icontains=typed) | rows.filter(
        name_en__icontains=typed
    )  # fmt: skip
    return found.order_by("code")[:MOST_PROPOSED]


def _goods(typed: str) -> list[tuple[str, str]]:
    prefix, colon, rest = typed.partition(":")
    if colon and prefix == "category":
        return _proposed(_like(Category, rest), "category:")
    if colon and prefix == "except":
        return _proposed(_like(Sku, rest), "except:")
    word = rest if colon else typed
    brands = Sku.objects.filter(brand__istartswith=word).exclude(brand="").values_list("brand", flat=True).distinct()
    offered = [(f"brand:{brand}", _("brand")) for brand in brands.order_by("brand")[:4]]
    if colon:
        return offered
    return [*_proposed(_like(Category, typed)[:4], "category:"), *offered, *_proposed(_like(Sku, typed)[:8])]


def _regions(typed: str) -> list[tuple[str, str]]:
    is_english = (get_language() or "en").startswith("en")
    areas = [(code, columns.sentence(name.stored())) for code, name in naming.AREAS.items()]
    provinces = [(code, known.name_en if is_english else known.name) for code, known in REGIONS.items()]
    return _matching([*areas, *provinces], typed)


def _weekdays(typed: str) -> list[tuple[str, str]]:
    days = [(str(n), columns.sentence(day.stored())) for n, day in enumerate(naming.WEEKDAYS, start=1)]
    return _matching(days, typed)


def _matching(pairs: list[tuple[str, str]], typed: str) -> list[tuple[str, str]]:
    word = typed.lower()
    return [(code, name) for code, name in pairs if code.lower().startswith(word) or word in name.lower()]


def _brands(typed: str) -> list[tuple[str, str]]:
    brands = Sku.objects.filter(brand__istartswith=typed).exclude(brand="").values_list("brand", flat=True).distinct()
    return [(brand, _("brand")) for brand in brands.order_by("brand")[:MOST_PROPOSED]]


def _known(kind: str) -> Callable[[str], list[tuple[str, str]]]:
    return lambda typed: _matching([(word, "") for word in words.known(kind)], typed)


_SOURCES = {
    "brands": _brands,
    "tiers": _known("tiers"),
    "segments": _known("segments"),
    "payments": _known("payments"),
    "goods": _goods,
    "sku": lambda typed: _proposed(_like(Sku, typed)),
    "regions": _regions,
    "weekdays": _weekdays,
    "channels": lambda typed: _proposed(_like(Channel, typed)),
    "stores": lambda typed: _proposed(_like(Node, typed, kind=NodeKind.STORE)),
}
