"""Errors as problem+json (RFC 9457): a stable code for programs, a sentence in the reader's language for people."""

from collections.abc import Iterator
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404
from django.utils.translation import gettext_lazy as _
from rest_framework import exceptions, serializers
from rest_framework.response import Response
from rest_framework.views import exception_handler

MEDIA_TYPE = "application/problem+json"


class BadRequest(exceptions.APIException):
    """A request that cannot be answered; carries its own stable code and sentence."""

    status_code = 400

    def __init__(self, code: str, detail: Any, *, field: str = "") -> None:
        super().__init__(detail, code)
        self.field = field


class ProblemFieldSerializer(serializers.Serializer[Any]):
    """What is wrong with one parameter."""

    field = serializers.CharField()
    code = serializers.CharField()
    detail = serializers.CharField()


class ProblemSerializer(serializers.Serializer[Any]):
    """An error: ``code`` is stable, ``title`` and ``detail`` are in the language of the request."""

    type = serializers.CharField()
    title = serializers.CharField()
    status = serializers.IntegerField()
    code = serializers.CharField()
    detail = serializers.CharField()
    errors = ProblemFieldSerializer(many=True)  # type: ignore[assignment]  # a name that serializers use themselves


def answer(error: Exception, context: dict[str, Any]) -> Response | None:
    """Return the problem for an error of a request; None for one that nobody foresaw, which Django then reports."""
    response = exception_handler(error, context)
    if response is None:
        return None
    known = _known(error)
    fields = list(_fields(known))
    response.data = {
        "type": "about:blank",
        "title": str(known.default_detail),
        "status": response.status_code,
        "code": _code(known),
        "detail": " ".join(field["detail"] for field in fields) or str(known.detail),
        "errors": fields,
    }
    response.content_type = MEDIA_TYPE
    return response


def _known(error: Exception) -> exceptions.APIException:
    """Return Django's own two errors as those of the framework, with a sentence that is translated."""
    if isinstance(error, Http404):
        return exceptions.NotFound()
    if isinstance(error, PermissionDenied):
        return exceptions.PermissionDenied()
    assert isinstance(error, exceptions.APIException)
    if isinstance(error, BadRequest):
        error.default_detail = _("The request cannot be answered.")
    return error


def _code(error: exceptions.APIException) -> str:
    codes = error.get_codes()
    return codes if isinstance(codes, str) else error.default_code


def _fields(error: exceptions.APIException) -> Iterator[dict[str, str]]:
    """Yield one entry for each parameter that is at fault."""
    if isinstance(error, BadRequest) and error.field:
        yield {"field": error.field, "code": _code(error), "detail": str(error.detail)}
    if isinstance(error.detail, dict):
        for name, details in error.detail.items():
            for detail in details if isinstance(details, list) else [details]:
                yield {"field": str(name), "code": getattr(detail, "code", "invalid"), "detail": str(detail)}
