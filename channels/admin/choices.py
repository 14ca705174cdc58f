"""What filters and searches of several pages share: channels, and orders' numbers on them."""

from typing import Any

from django.db.models import QuerySet

from audit.admin.columns import local_name
from channels.models import Channel


def channels() -> list[tuple[str, Any]]:
    """Return every channel as a choice."""
    return [(str(row.pk), f"{row.code} {local_name(row)}") for row in Channel.objects.order_by("code")]


def by_number(rows: QuerySet[Any], search_term: str) -> QuerySet[Any]:
    """Keep rows whose channel's number begins with a term; the index begins with the channel, so all are named."""
    term = search_term.strip()
    if not term:
        return rows
    return rows.filter(channel__in=list(Channel.objects.values_list("pk", flat=True)), external_id__startswith=term)
