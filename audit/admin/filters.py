"""Filters that every list may use. Each keeps its choice in the address under one short name."""

from collections.abc import Callable, Iterable
from datetime import date, datetime, time, timedelta
from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import DropdownFilter, RangeDateFilter
from unfold.utils import parse_date_str

Words = str | Promise
Choices = Callable[[], Iterable[tuple[str, Any]]]


class ChoiceFilter(DropdownFilter):
    """One choice out of a list, compared with one column."""

    column = ""
    choose: Choices

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        """Return the choices."""
        return list(type(self).choose())

    def has_output(self) -> bool:
        """Show the filter even while there is nothing to choose."""
        return True

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Keep the rows with the chosen value."""
        value = self.value()
        return queryset.filter(**{self.column: value}) if value and self._is_known(value) else queryset

    def _is_known(self, value: str) -> bool:
        return any(str(key) == value for key, _title in self.lookup_choices)


def choice(title: Words, name: str, choices: Choices, *, column: str = "") -> type[ChoiceFilter]:
    """Make a filter on ``column`` (or ``name``) that offers what ``choices()`` returns."""
    body = {"title": title, "parameter_name": name, "column": column or name, "choose": staticmethod(choices)}
    return type(f"{name.title()}Filter", (ChoiceFilter,), body)


def day_start(day: date) -> datetime:
    """Return when a local day begins."""
    return timezone.make_aware(datetime.combine(day, time.min))


def today_bounds(offset: int = 0) -> tuple[datetime, datetime]:
    """Return when today (or the day ``offset`` days later) begins and ends."""
    day = timezone.localdate() + timedelta(days=offset)
    return day_start(day), day_start(day + timedelta(days=1))


class DaysFilter(RangeDateFilter):
    """From one local day to another, both included."""

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Keep the rows of these days; a day nobody understands is left out."""
        first, last = self._day("from"), self._day("to")
        if first:
            queryset = queryset.filter(**{f"{self.parameter_name}__gte": day_start(first)})
        if last:
            queryset = queryset.filter(**{f"{self.parameter_name}__lt": day_start(last + timedelta(days=1))})
        return queryset

    def _day(self, end: str) -> date | None:
        text = self.used_parameters.get(f"{self.parameter_name}_{end}")
        return parse_date_str(text) if isinstance(text, str) else None


class PlacedFilter(DropdownFilter):
    """Rows of today, yesterday, the last week or month, by the column ``moment``."""

    title = _("when")
    parameter_name = "when"
    moment = "placed_at"
    days = {"today": (0, 1), "yesterday": (-1, 0), "7d": (-6, 1), "30d": (-29, 1), "90d": (-89, 1)}

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        """Return the spans that can be chosen."""
        return [("today", _("Today")), ("yesterday", _("Yesterday")), ("7d", _("Last 7 days")),
                ("30d", _("Last 30 days")), ("90d", _("Last 90 days"))]  # fmt: skip

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Keep the rows of the chosen days."""
        if self.value() not in self.days:
            return queryset
        first, after = self.days[self.value()]
        start, end = today_bounds(first)[0], today_bounds(after)[0]
        return queryset.filter(**{f"{self.moment}__gte": start, f"{self.moment}__lt": end})
