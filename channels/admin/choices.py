"""What filters of several apps offer: channels."""

from typing import Any

from audit.admin.columns import local_name
from channels.models import Channel


def channels() -> list[tuple[str, Any]]:
    """Return every channel as a choice."""
    return [(str(row.pk), f"{row.code} {local_name(row)}") for row in Channel.objects.order_by("code")]
