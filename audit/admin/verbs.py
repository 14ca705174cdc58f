"""Deeds that people do from a list or a page: each calls one verb of a service and shows what came of it.

A list offers a verb for the ticked rows, a row's page offers it as a button. A verb that must know more (a reason, a
tracking number) asks on a page of its own. The address of that page checks the permission itself.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import Model, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.html import format_html, format_html_join
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminTextareaWidget

from audit.admin.columns import sentence
from audit.rules.actors import Actor
from audit.rules.sentences import Sentence

MOST_ROWS = 500  # more at once is work for the API
SHOWN_REFUSALS = 20

Words = str | Promise


class VerbForm(forms.Form):
    """What a verb must be told; knows the rows it will act on."""

    def __init__(self, *args: Any, rows: Sequence[Any], **kwargs: Any) -> None:
        self.rows = rows
        super().__init__(*args, **kwargs)


class ReasonForm(VerbForm):
    """Why, in the person's own words."""

    reason = forms.CharField(label=_("Reason"), max_length=200, widget=UnfoldAdminTextareaWidget(attrs={"rows": 3}))


@dataclass(frozen=True)
class Answer:
    """What came of a verb: one sentence, and a reason for each row that was refused."""

    done: Sentence | None = None
    refused: Mapping[str, Sentence] = field(default_factory=dict)


Run = Callable[[Sequence[Any], Mapping[str, Any], Actor, datetime], Answer]


def always(_row: Any) -> bool:
    """Offer a verb on every row's page."""
    return True


@dataclass(frozen=True)
class Verb:
    """One deed: how it is called, what it must be told, and which service call it is."""

    name: str
    title: Words
    run: Run
    form: type[VerbForm] = VerbForm
    icon: str = "play_arrow"
    intro: Words = ""
    is_grave: bool = False
    is_offered: Callable[[Any], bool] = always

    @property
    def asks(self) -> bool:
        """Return whether the verb must be told something first."""
        return bool(self.form.base_fields) or self.form is not VerbForm


class VerbsMixin:
    """Lists and pages that offer ``verbs`` to those who may change the rows."""

    model: type[Model]
    admin_site: Any
    get_queryset: Callable[[HttpRequest], QuerySet[Any]]
    verbs: Sequence[Verb] = ()

    def has_act_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Return whether the user may carry out verbs: the model's own change permission."""
        meta = self.model._meta
        return request.user.has_perm(f"{meta.app_label}.change_{meta.model_name}")

    def get_urls(self) -> list[URLPattern]:
        """Add one address for all verbs."""
        view = self.admin_site.admin_view(self.verb_view)
        own = [path("do/<slug:name>/", view, name=self._url_name("verb"))] if self.verbs else []
        return own + super().get_urls()  # type: ignore[misc]

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        """Add the verbs to the list's actions for those who may act."""
        actions = super().get_actions(request)  # type: ignore[misc]
        if self.verbs and self.has_act_permission(request):
            own = {verb.name: (self._action(verb), verb.name, verb.title) for verb in self.verbs}
            actions = own | actions
        return actions

    def verb_buttons(self, request: HttpRequest, row: Any, names: Sequence[str] | None = None) -> list[dict[str, Any]]:
        """Return the buttons of a row's page; none for those who may not act."""
        if not self.has_act_permission(request):
            return []
        return [
            {"verb": verb, "url": self.verb_url(verb.name, [row.pk], back=request.get_full_path())}
            for verb in self.verbs
            if (names is None or verb.name in names) and verb.is_offered(row)
        ]

    def verb_url(self, name: str, ids: Sequence[int], *, back: str) -> str:
        """Return the address at which a verb is carried out on rows."""
        query = urlencode({"ids": ",".join(map(str, ids)), "next": back})
        page = reverse("admin:" + self._url_name("verb"), args=[name])
        return f"{page}?{query}"

    def verb_view(self, request: HttpRequest, name: str) -> HttpResponse:
        """Ask what a verb must know, then carry it out; a GET never changes anything."""
        verb = next((verb for verb in self.verbs if verb.name == name), None)
        if verb is None:
            raise Http404
        if not self.has_act_permission(request):
            raise PermissionDenied
        rows = self._rows(request)
        back = _safe_next(request) or reverse(f"admin:{self._url_name('changelist')}")
        form = verb.form(request.POST or None, rows=rows)
        if request.method == "POST" and form.is_valid():
            self.carry_out(request, verb, rows, form.cleaned_data)
            return HttpResponseRedirect(back)
        context = self.admin_site.each_context(request) | {
            "title": verb.title, "opts": self.model._meta, "verb": verb, "form": form, "rows": rows, "back": back,
            "media": form.media,
        }  # fmt: skip
        return TemplateResponse(request, "admin/desk/verb.html", context)

    def carry_out(self, request: HttpRequest, verb: Verb, rows: Sequence[Any], told: Mapping[str, Any]) -> None:
        """Call the verb once for all rows and show its sentence and its refusals."""
        actor = Actor("person", request.user.get_username())
        show(request, verb.run(rows, told, actor, timezone.now()))

    def _action(self, verb: Verb) -> Callable[..., HttpResponse | None]:
        def action(admin: "VerbsMixin", request: HttpRequest, queryset: QuerySet[Any]) -> HttpResponse | None:
            rows = list(queryset[:MOST_ROWS])
            if verb.asks:
                ids = [row.pk for row in rows]
                return HttpResponseRedirect(admin.verb_url(verb.name, ids, back=request.get_full_path()))
            admin.carry_out(request, verb, rows, {})
            return HttpResponseRedirect(request.get_full_path())

        action.__name__ = verb.name
        return action

    def _rows(self, request: HttpRequest) -> list[Any]:
        words = request.GET.get("ids", "").split(",")
        ids = [int(word) for word in words if word.isascii() and word.isdigit() and len(word) < 19][:MOST_ROWS]
        rows = list(self.get_queryset(request).filter(pk__in=ids).order_by("pk"))
        if not rows:
            raise Http404
        return rows

    def _url_name(self, page: str) -> str:
        return f"{self.model._meta.app_label}_{self.model._meta.model_name}_{page}"


def show(request: HttpRequest, answer: Answer) -> None:
    """Put a verb's answer on the next page: what was done, and row by row why something was not."""
    if answer.done:
        messages.success(request, sentence(answer.done.stored()))
    if not answer.refused:
        return
    refusals = list(answer.refused.items())
    lines = format_html_join(
        "", "<li><b>{}</b>: {}</li>", ((name, sentence(why.stored())) for name, why in refusals[:SHOWN_REFUSALS])
    )
    intro = gettext("Not done for %(count)s:") % {"count": len(refusals)}
    messages.warning(request, format_html("{}<ul class='refusals'>{}</ul>", intro, lines))


def _safe_next(request: HttpRequest) -> str:
    url = request.GET.get("next", "")
    return url if url_has_allowed_host_and_scheme(url, {request.get_host()}) else ""
