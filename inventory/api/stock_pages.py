"""Pages of stock levels by key: in their own order, or what has least available first."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import Any

from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from rest_framework.request import Request
from rest_framework.utils.urls import replace_query_param

from audit.api.pages import NewestFirst, size_of
from audit.api.problems import BadRequest

LOW_FIRST = "low_first"


class LevelPages(NewestFirst):
    """A page goes on after the last level's key; with ``low_first`` after its available units and key."""

    def paginate_queryset(self, queryset: Any, request: Request, view: Any = None) -> list[Any]:
        """Return the levels of the page that the request asks for. Raises ``BadRequest``."""
        self.request = request
        is_low_first = request.query_params.get(LOW_FIRST) == "true"
        size = size_of(request.query_params.get("page_size"))
        cursor = request.query_params.get("cursor")
        if cursor:
            left, key = _decode(cursor)
            later = Q(left__gt=left) | Q(left=left, pk__gt=key) if is_low_first else Q(pk__gt=key)
            queryset = queryset.filter(later)
        rows = list(queryset.order_by(*(("left", "pk") if is_low_first else ("pk",)))[: size + 1])
        self.following = self._link(rows[size - 1]) if len(rows) > size else None
        return rows[:size]

    def _link(self, row: Any) -> str:
        cursor = urlsafe_b64encode(f"{row.left}|{row.pk}".encode()).decode()
        return replace_query_param(self.request.build_absolute_uri(), "cursor", cursor)


def _decode(cursor: str) -> tuple[int, int]:
    try:
        left, key = urlsafe_b64decode(cursor.encode("ascii")).decode().split("|")
        if not (0 <= int(left) < 2**31 and 0 <= int(key) < 2**63):
            raise ValueError(cursor)
    except ValueError as error:
        raise BadRequest("bad_cursor", _("The cursor is not one that the hub gave."), field="cursor") from error
    return int(left), int(key)
