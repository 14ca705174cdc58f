"""Pages of documents that people write and work on: a page to write one, pages for its deeds, tables of its lines."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, ClassVar, cast

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import Model
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.functional import Promise
from django.utils.translation import gettext

from audit.admin.base import MachineAdmin
from audit.admin.columns import sentence
from audit.admin.verbs import Answer, always
from audit.rules.actors import Actor
from audit.rules.sentences import Sentence
from inventory.admin.lines import Lines, LineSet, refuse
from inventory.services.refusals import RowsRefused

Words = str | Promise


@dataclass(frozen=True)
class Page:
    """A deed that has a page of its own, and the name of the method that shows it."""

    name: str
    title: Words
    view: str
    icon: str
    is_offered: Callable[[Any], bool] = always
    asks: bool = True
    is_grave: bool = False


@dataclass(frozen=True)
class Table:
    """What a document's page shows below its facts: a title, heads (words, whether numbers stand below), and rows."""

    title: Words
    heads: Sequence[tuple[Words, bool]]
    rows: Sequence[Sequence[Any]] = field(default_factory=list)
    hint: Words = ""


def acting(request: HttpRequest) -> Actor:
    """Return the person who does what a request asks, as the services know them."""
    return Actor("person", request.user.get_username())


def one_by_one(rows: Sequence[Any], deed: Callable[[Any], Any], done: Sentence) -> Answer:
    """Carry a deed out on each document, by its number; a refused one keeps no other from going through."""
    refused: dict[str, Sentence] = {}
    for row in rows:
        try:
            deed(row)
        except RowsRefused as error:
            refused[row.number] = error.rows[0].reason
    return Answer(done if len(refused) < len(rows) else None, refused)


class HeadForm(forms.Form):
    """What stands above the lines of a document."""


class DocumentAdmin(MachineAdmin):
    """Documents that services keep: pages lead to deeds, and their lines stand below the facts."""

    change_form_template = "admin/inventory/document.html"
    pages: Sequence[Page] = ()

    class Media:
        css: ClassVar = {"all": ["inventory/documents.css"]}

    def get_urls(self) -> list[URLPattern]:
        """Add the address of each page."""
        wrap = self.admin_site.admin_view
        own = [
            path(f"<int:pk>/{page.name}/", wrap(partial(self.open_page, page)), name=self._url_name(page.name))
            for page in self.pages
        ]
        return own + super().get_urls()

    def open_page(self, page: Page, request: HttpRequest, pk: int) -> HttpResponse:
        """Show a deed's page to those who may act; where the deed is over, lead back to the document."""
        if not self.has_act_permission(request):
            raise PermissionDenied
        row = get_object_or_404(self.get_queryset(request), pk=pk)
        if request.method != "POST" and not page.is_offered(row):
            messages.warning(request, gettext("This is not to be done any more."))
            return HttpResponseRedirect(self.row_url(row))
        return getattr(self, page.view)(request, row)

    def verb_buttons(self, request: HttpRequest, row: Any, names: Sequence[str] | None = None) -> list[dict[str, Any]]:
        """Return the buttons of the pages, then those of the verbs."""
        if not self.has_act_permission(request):
            return []
        own = [{"verb": page, "url": self.page_url(page.name, row)} for page in self.pages if page.is_offered(row)]
        return own + super().verb_buttons(request, row, names)

    def render_change_form(self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any) -> Any:
        """Add the tables of a document's lines."""
        context["tables"] = self.tables(context["original"]) if context.get("original") else []
        return super().render_change_form(request, context, *args, **kwargs)

    def tables(self, row: Any) -> Sequence[Table]:
        """Return what stands below the facts of a document. Nothing by default."""
        return ()

    def show_page(self, request: HttpRequest, template: str, title: Words, **context: Any) -> HttpResponse:
        """Return a page in the desk's frame; ``row`` among the context is where its Back leads."""
        row = context.get("row")
        back = self.row_url(row) if row else reverse(f"admin:{self._url_name('changelist')}")
        whole = self.admin_site.each_context(request) | {"title": title, "opts": self.model._meta, "back": back}
        return TemplateResponse(request, template, whole | context)

    def page_url(self, name: str, row: Model) -> str:
        """Return the address of a deed's page."""
        return reverse(f"admin:{self._url_name(name)}", args=[row.pk])

    def row_url(self, row: Model) -> str:
        """Return the address of a document's own page."""
        return reverse(f"admin:{self._url_name('change')}", args=[row.pk])

    def done(self, request: HttpRequest, row: Model, words: Sentence) -> HttpResponse:
        """Show the document with what was done to it."""
        messages.success(request, sentence(words.stored()))
        return HttpResponseRedirect(self.row_url(row))


class WrittenAdmin(DocumentAdmin):
    """Documents of a head and lines that people write on one page."""

    head_form: type[HeadForm]
    write_title: Words = ""

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Return whether the user may write new documents: the model's own add permission."""
        meta = self.model._meta
        return request.user.has_perm(f"{meta.app_label}.add_{meta.model_name}")

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        """Ask for head and lines and have the service write them down."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        return self.write_page(request, None, self.write_title, {"head": self.head_form(request.POST or None)})

    def write_page(
        self, request: HttpRequest, row: Any, title: Words, asked: Mapping[str, Any], known: Sequence[Any] = ()
    ) -> HttpResponse:
        """Show the form of a document, and write what it says when all of it can be done."""
        head: HeadForm = asked["head"]
        lines = cast(Lines, LineSet(request.POST or None, prefix="lines", initial=list(known)))
        if request.method == "POST" and head.is_valid() & lines.is_valid():
            try:
                saved, words = self.write(row, head.cleaned_data, lines.units, acting(request))
            except RowsRefused as error:
                refuse(error, head, lines.filled, "quantity")
            else:
                return self.done(request, saved, words)
        template = "admin/inventory/write.html"
        return self.show_page(request, template, title, row=row, head=head, lines=lines, media=head.media)

    def write(self, row: Any, told: Mapping[str, Any], units: Mapping[int, int], actor: Actor) -> tuple[Any, Sentence]:
        """Have the service write the document down; returns it and what to say. Raises ``RowsRefused``."""
        raise NotImplementedError
