"""Pages of big tables: no exact count, no deep offset.

The count stops at ``CAP`` (`SELECT count(*) FROM (… LIMIT 10001)`), and so do the pages: the last page offered ends at
row 10 000, because PostgreSQL walks over every row that an offset skips. Whoever wants older rows narrows the filter;
the page says so.
"""

from collections.abc import Sequence
from typing import Any

from django.core.paginator import Paginator
from django.db.models import Model
from django.http import HttpRequest
from django.utils.functional import cached_property
from unfold.views import ChangeList

CAP = 10_000


class CappedCount(int):
    """A number of rows that is only known up to ``CAP``; beyond it reads ``10 000+``."""

    @property
    def is_capped(self) -> bool:
        """Return whether there are more rows than were counted."""
        return int(self) > CAP

    def __str__(self) -> str:
        return f"{CAP:,}+".replace(",", " ") if self.is_capped else int.__str__(self)


class CappedPaginator(Paginator):
    """Counts at most ``CAP`` rows and offers at most the pages they fill."""

    template_name = "admin/desk/paging.html"

    @cached_property
    def count(self) -> CappedCount:
        """Return the number of rows, counted up to one more than the cap."""
        rows: Any = self.object_list
        return CappedCount(rows.order_by().values("pk")[: CAP + 1].count())

    @cached_property
    def num_pages(self) -> int:
        """Return how many pages may be asked for."""
        return max(1, -(-min(int(self.count), CAP) // self.per_page))


class DeskChangeList(ChangeList):
    """A list whose rows are looked up together once more before they are shown (``ModelAdmin.decorate``)."""

    result_list: Sequence[Model]

    def get_results(self, request: HttpRequest) -> None:
        """Fetch the page's rows and let the admin add to them what one more query knows about all of them."""
        super().get_results(request)
        if not (self.has_active_filters or self.query):
            self.full_result_count = self.result_count  # there is nothing that “Show all” could add
        rows = list(self.result_list)
        self.model_admin.decorate(rows)
        self.result_list = rows
