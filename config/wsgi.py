"""WSGI entry for production servers: pages with all their middleware, and the door that machines knock at without."""

import os
from collections.abc import Callable, Iterable
from typing import Any, Final

from django.core.handlers.exception import convert_exception_to_response
from django.core.handlers.wsgi import WSGIHandler, WSGIRequest
from django.core.wsgi import get_wsgi_application
from django.http.response import HttpResponse, HttpResponseBase

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
DOOR: Final = "/in/"


class MachineHandler(WSGIHandler):
    """Django for callers that have no session, no language and no forms: no middleware at all.

    What of it matters to machines is done here: every answer says its length, so that the connection is kept, and is
    read as what it says it is.
    """

    def load_middleware(self, is_async: bool = False) -> None:
        """Put nothing around the views."""
        self._view_middleware: list[Any] = []
        self._template_response_middleware: list[Any] = []
        self._exception_middleware: list[Any] = []
        self._middleware_chain = convert_exception_to_response(self._get_response)  # type: ignore[attr-defined]

    def get_response(self, request: WSGIRequest) -> HttpResponseBase:  # type: ignore[override]
        """Answer, with the headers that an answer to a machine needs."""
        response = super().get_response(request)
        response.headers.setdefault("X-Content-Type-Options", "nosniff")
        if isinstance(response, HttpResponse):
            response.headers.setdefault("Content-Length", str(len(response.content)))
        return response


pages = get_wsgi_application()
door = MachineHandler()


def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """Send a request to the door or to the pages; an address without its last slash is a page's, which corrects it."""
    path = environ.get("PATH_INFO", "")
    handler = door if path.startswith(DOOR) and path.endswith("/") else pages
    return handler(environ, start_response)
