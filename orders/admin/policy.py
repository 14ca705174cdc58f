"""Routing policies: the list, a policy's page with its versions, and the form of a version."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.conf import settings
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone, translation
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from audit.admin import columns, governed
from audit.admin.base import AuditedAdmin
from audit.admin.governed import Desk, Right
from audit.models.sentences import render
from audit.rules.sentences import Sentence, say
from audit.services import versions
from audit.services.approvals import NotAllowed
from audit.services.versions import Deed, Text
from audit.statuses import VersionStatus
from orders.admin.policy_forms import GroupFormSet, HeadingForm, PolicyForm, initial_of
from orders.models import RoutingPolicy, RoutingPolicyVersion
from orders.rules.routing import complaints, wording
from orders.rules.routing.policy import PRESETS, Policy, to_json
from orders.services import acting, policies
from orders.services.policies import GOVERNED

CHANGE = "orders.change_routingpolicy"
ADD = "orders.add_routingpolicy"
STOP = "orders.stop_routingpolicyversion"
LANGUAGES = ("zh-hans", "en")
CARDS = {
    "balanced": (_("Balanced"), "balance", _("Freight, promises, load and stock, each with its usual weight.")),
    "cheapest": (_("Cheapest"), "savings", _("Freight first; an hour late hardly counts.")),
    "fastest": (_("Fastest"), "bolt", _("Hours count more than yuan; splitting is cheap.")),
    "store-first": (_("Store first"), "store", _("A store within 200 km sends all of it, else every node may.")),
}


def _may(user: Any, right: Right, version: RoutingPolicyVersion) -> bool:
    if right == Right.APPROVE:
        return GOVERNED.may_approve(user, version)
    return bool(user.has_perm(CHANGE if right == Right.WRITE else STOP))


def _sentences(found: Sequence[RoutingPolicyVersion]) -> Mapping[int, Sentence]:
    names = policies.names()
    return {version.number: wording.describe(policies.policy_of(version), names) for version in found}


DESK = Desk(governed=GOVERNED, may=_may, sentences=_sentences)


@admin.register(RoutingPolicy)
class RoutingPolicyAdmin(AuditedAdmin):
    """Routing policies with what they say now."""

    list_display = ("code", "title", "role", "state", "says")
    search_fields = ("code__istartswith", "name", "name_en")
    ordering = ("code",)
    sortable_by = ()
    fields = ("code", "name", "name_en")
    readonly_fields = ("code",)
    empty_hint = _("No policies yet: the product's own, “balanced”, routes the orders. Add one to change that.")

    def get_urls(self) -> list[URLPattern]:
        """Add the form and the deeds of versions."""
        wrap = self.admin_site.admin_view
        own = [
            path("preview/", wrap(self.preview_view), name="orders_routingpolicy_preview"),
            path("<int:pk>/build/", wrap(self.build_view), name="orders_routingpolicy_build"),
            path("<int:pk>/<int:number>/<slug:name>/", wrap(self.deed_view), name="orders_routingpolicy_deed"),
        ]
        return own + super().get_urls()

    def decorate(self, rows: Sequence[Any]) -> None:
        """Add the version that matters: what is in force, else the newest."""
        found = RoutingPolicyVersion.objects.filter(policy__in=[row.pk for row in rows]).order_by("number")
        newest: dict[int, RoutingPolicyVersion] = {}
        for version in found.select_related("policy"):
            known = newest.get(version.policy_id)
            if known is None or known.status not in VersionStatus.IN_FORCE:
                newest[version.policy_id] = version
        names = policies.names()
        for row in rows:
            row.shown = newest.get(row.pk)
            row.sentence = wording.describe(policies.policy_of(row.shown), names) if row.shown else None

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Return no: decisions name their policies for ever. A policy ends by retiring its version."""
        return False

    def frame(self, request: HttpRequest, **facts: Any) -> dict[str, Any]:
        """Return what every page of the desk needs."""
        back = reverse("admin:orders_routingpolicy_changelist")
        return self.admin_site.each_context(request) | {"opts": RoutingPolicy._meta, "back": back} | facts

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        """Choose a preset, then write the first draft."""
        if not request.user.has_perm(ADD):
            raise PermissionDenied
        preset = request.GET.get("preset", "")
        if preset not in PRESETS:
            context = self.frame(request, title=gettext("New routing policy"), cards=CARDS)
            return TemplateResponse(request, "admin/orders/policy/presets.html", context)
        heading = HeadingForm(request.POST or None)
        form, groups = _forms(request, PRESETS[preset])
        facts: dict[str, Any] = {"heading": heading, "title": gettext("New routing policy")}
        if _is_kept(request) and heading.is_valid() and form.is_valid() and groups.is_valid():
            told = heading.cleaned_data
            try:
                version = policies.begin(
                    told["code"], told["name"], told["name_en"], _text(form, groups), _deed(request)
                )
                return HttpResponseRedirect(GOVERNED.url(version))
            except NotAllowed as refused:
                heading.add_error("code", columns.sentence(refused.reason.stored()))
        return self._build(request, form, groups, **facts)

    def build_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Write on the draft, or begin the next version from the one in force, the newest, or the one asked for."""
        if not request.user.has_perm(CHANGE):
            raise PermissionDenied
        policy = get_object_or_404(RoutingPolicy, pk=pk)
        version = _source(policy, request.GET.get("from", ""))
        form, groups = _forms(request, policies.policy_of(version), version if version.is_editable else None)
        title = f"{policy.code} · {columns.local_name(policy)}"
        facts: dict[str, Any] = {"policy": policy, "version": version, "title": title,
                                 "read_digest": request.POST.get("read_digest", version.digest)}  # fmt: skip
        if _is_kept(request) and form.is_valid() and groups.is_valid():
            try:
                _keep(request, version, _text(form, groups, version))
                return HttpResponseRedirect(GOVERNED.url(version))
            except NotAllowed as refused:
                facts["refused"] = columns.sentence(refused.reason.stored())
        return self._build(request, form, groups, **facts)

    def preview_view(self, request: HttpRequest) -> HttpResponse:
        """Return what the form says as it is now; nothing is kept."""
        if not (request.user.has_perm(CHANGE) or request.user.has_perm(ADD)):
            raise PermissionDenied
        if request.method != "POST":
            raise Http404
        form, groups = _forms(request, Policy(groups=()))
        if not (form.is_valid() and groups.is_valid()):
            return TemplateResponse(request, "admin/orders/policy/preview.html", {"is_broken": True})
        policy = groups.policy(form.cleaned_data["least_saving"])
        return TemplateResponse(request, "admin/orders/policy/preview.html", _preview(policy))

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """Show a policy with its versions and what can be done with them."""
        policy = get_object_or_404(RoutingPolicy, pk=governed.number(object_id))
        if not self.has_view_permission(request, policy):
            raise PermissionDenied
        told = governed.context(
            DESK, policy.pk, request.user, compare=(request.GET.get("old", ""), request.GET.get("new", ""))
        )
        title = f"{policy.code} · {columns.local_name(policy)}"
        context = self.frame(
            request, title=title, policy=policy, role=_role(policy, is_live=_is_live(told["in_force"])), **told
        )
        return TemplateResponse(request, "admin/orders/policy/page.html", context)

    def deed_view(self, request: HttpRequest, pk: int, number: int, name: str) -> HttpResponse:
        """Do one thing to one version."""
        return governed.act(request, DESK, pk, number, name)

    def get_queryset(self, request: HttpRequest) -> QuerySet[RoutingPolicy]:
        """Return all policies; there are few."""
        return super().get_queryset(request)

    def _build(self, request: HttpRequest, form: PolicyForm, groups: Any, **facts: Any) -> HttpResponse:
        context = self.frame(
            request, form=form, groups=groups, preview_url=reverse("admin:orders_routingpolicy_preview")
        )
        return TemplateResponse(request, "admin/orders/policy/build.html", context | facts)

    @admin.display(description=_("name"))
    def title(self, policy: Any) -> str:
        """Show the name in the reader's language."""
        return columns.local_name(policy)

    @admin.display(description=_("role"))
    def role(self, policy: Any) -> SafeString:
        """Show whether it routes the orders or waits as a candidate."""
        return _role(policy, is_live=policy.shown is not None and policy.shown.status == VersionStatus.LIVE)

    @admin.display(description=_("status"))
    def state(self, policy: Any) -> SafeString:
        """Show how far the version that matters has come."""
        return governed.status_label(policy.shown) if policy.shown else columns.EMPTY

    @admin.display(description=_("what it says"))
    def says(self, policy: Any) -> str | SafeString:
        """Show the policy as a sentence."""
        return columns.sentence(policy.sentence.stored()) if policy.sentence else columns.EMPTY


def _is_live(in_force: dict[str, Any] | None) -> bool:
    """Return whether what is in force acts; a stopped version is in force and does not."""
    return in_force is not None and in_force["version"].status == VersionStatus.LIVE


def _role(policy: RoutingPolicy, *, is_live: bool) -> SafeString:
    if policy.code != settings.ROUTING_POLICY:
        return columns.label(_("candidate"), "grey", _("For what-if runs and pilots."))
    if is_live:
        return columns.label(_("routes the orders"), "green")
    return columns.label(
        _("would route the orders"), "amber", _("Nothing of it is live: the product's own policy decides.")
    )


def _forms(request: HttpRequest, policy: Policy, version: RoutingPolicyVersion | None = None) -> tuple[PolicyForm, Any]:
    """Return the forms: as they were sent, with a group more where one was asked for, or as the policy is."""
    data = request.POST.copy() if request.method == "POST" else None
    if data is not None and "add" in data:
        count = int(data.get("groups-TOTAL_FORMS", "0") or 0) if data.get("groups-TOTAL_FORMS", "").isdecimal() else 0
        data[f"groups-{count}-ORDER"] = str(count)
        data["groups-TOTAL_FORMS"] = str(count + 1)
    start = {"least_saving": policy.least_saving, "publish_at": version.publish_at if version else None}
    groups = GroupFormSet(data, prefix="groups", initial=initial_of(policy) if data is None else None)
    return PolicyForm(data, initial=start), groups


def _is_kept(request: HttpRequest) -> bool:
    return request.method == "POST" and "add" not in request.POST


def _deed(request: HttpRequest) -> Deed:
    user: Any = request.user
    return Deed(user, timezone.now(), request.POST.get("reason", "").strip()[:200])


def _text(form: PolicyForm, groups: Any, version: RoutingPolicyVersion | None = None) -> Text:
    told = form.cleaned_data
    based_on = None if version is None else version.based_on if version.is_editable else version.number
    return Text(to_json(groups.policy(told["least_saving"])), told["publish_at"], based_on)


def _keep(request: HttpRequest, version: RoutingPolicyVersion, text: Text) -> None:
    if version.is_editable:
        read = request.POST.get("read_digest", "")
        versions.edit(GOVERNED, version.pk, text, _deed(request), read_digest=read)
    else:
        versions.draft(GOVERNED, version.policy_id, text, _deed(request))


def _source(policy: RoutingPolicy, number: str) -> RoutingPolicyVersion:
    """Return the version that a form begins with."""
    return governed.to_begin_from(list(policy.versions.select_related("policy").order_by("-number")), number)


def _preview(policy: Policy) -> dict[str, Any]:
    """Return what a policy says in both languages, what is wrong, what it changes, and which nodes each group has."""
    known, names = policies.known(), policies.names()
    wrong = complaints.complaints(policy, known)
    changed = wording.changes(acting.read().policy.policy, policy, names)
    return {
        "sentences": [(language, _in(language, wording.describe(policy, names))) for language in LANGUAGES],
        "errors": [columns.sentence(one.stored()) for one in wrong],
        "changes": [columns.sentence(one.stored()) for one in changed],
        "groups": [_group_nodes(policy, place, known) for place in range(len(policy.groups))],
    }


def _group_nodes(policy: Policy, place: int, known: complaints.Known) -> dict[str, Any]:
    group = policy.groups[place]
    count = sum(complaints.passes(group.hard, kind, groups) for kind, groups in known.nodes)
    words = say("%(count)s of %(all)s nodes may send", count=count, all=len(known.nodes))
    return {"name": group.name, "count": count, "words": columns.sentence(words.stored())}


def _in(language: str, sentence: Sentence) -> str:
    with translation.override(language):
        return render(sentence.stored())
