"""What filters of several apps offer: nodes, categories, provinces."""

from typing import Any

from django.utils.translation import get_language

from audit.admin.columns import local_name
from inventory.models import Category, Node
from inventory.rules.geography import REGIONS


def nodes() -> list[tuple[str, Any]]:
    """Return every node as a choice."""
    return [(str(node.pk), f"{node.code} {local_name(node)}") for node in Node.objects.order_by("code")]


def categories() -> list[tuple[str, Any]]:
    """Return every category as a choice."""
    return [(str(row.pk), local_name(row)) for row in Category.objects.order_by("code")]


def provinces() -> list[tuple[str, Any]]:
    """Return every province and country as a choice, in the reader's language."""
    return [(code, region_name(code)) for code in REGIONS]


def region_name(code: str) -> str:
    """Return a province's or country's name in the reader's language; the code itself when nobody knows it."""
    region = REGIONS.get(code)
    if region is None:
        return code
    return region.name_en if (get_language() or "en").startswith("en") else region.name
