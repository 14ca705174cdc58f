"""A page that asks what is needed to make something, and the page after it."""

from collections.abc import Callable
from typing import Any

from django import forms
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse

from audit.admin import columns
from audit.admin.base import MachineAdmin
from audit.admin.filters import Words
from audit.rules.actors import Actor
from promotions.admin import rights
from promotions.services.coupons import NotACoupon


def acting(request: HttpRequest) -> Actor:
    """Return the person who asks, as the services know them."""
    return Actor("person", request.user.get_username())


def page(
    admin: MachineAdmin,
    request: HttpRequest,
    form: forms.Form,
    make: Callable[[Any], Any],
    *,
    words: tuple[Words, Words],
) -> HttpResponse:
    """Ask with a form; when it is filled, make what it says and open its page. ``words``: a title, and a hint."""
    if not admin.has_add_permission(request):
        raise PermissionDenied
    meta = admin.model._meta
    names = f"admin:{meta.app_label}_{meta.model_name}"
    if request.method == "POST" and form.is_valid():
        try:
            if not rights.may_write(request.user, form.cleaned_data["promotion"]):
                raise NotACoupon(rights.BEYOND)
            made = make(form)
            return HttpResponseRedirect(reverse(f"{names}_change", args=[made.pk]))
        except NotACoupon as refused:
            form.add_error(None, columns.sentence(refused.reason.stored()))
    context = admin.admin_site.each_context(request) | {
        "title": words[0], "hint": words[1], "opts": meta, "form": form, "media": form.media,
        "back": reverse(f"{names}_changelist"),
    }  # fmt: skip
    return TemplateResponse(request, "admin/promotions/make.html", context)
