"""Which events an endpoint asked for. Pure."""

from collections.abc import Mapping, Sequence
from typing import Any


def wanted(options: Mapping[str, Any] | Any) -> Sequence[str]:
    """Return the types of events in a channel's options; nothing where they are not a list."""
    types = options.get("events") if isinstance(options, Mapping) else None
    return types if isinstance(types, list) else ()
