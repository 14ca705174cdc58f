"""Times as files write them: with or without seconds, slashes or hyphens, mostly without an offset."""

import re
from datetime import UTC, datetime, tzinfo

_MOMENT = re.compile(
    r"(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})"
    r"(?:[ T]+(\d{1,2}):(\d{2})(?::(\d{2})(?:\.\d{1,9})?)?)?\s*(Z|[+-]\d{2}:?\d{2})?",
    re.ASCII,
)


def moment(text: str, zone: tzinfo) -> datetime | None:
    """Return the time that ``text`` writes, read in ``zone`` when it says no offset; None when it is no time."""
    found = _MOMENT.fullmatch(text.strip())
    if found is None:
        return None
    year, month, day, hour, minute, second, offset = found.groups(default="0")
    try:
        if offset == "0":
            return datetime(int(year), int(month), int(day), int(hour), int(minute), int(second), tzinfo=zone)
        clock = f"{int(hour):02}:{int(minute):02}:{int(second):02}{offset}"
        return datetime.fromisoformat(f"{int(year):04}-{int(month):02}-{int(day):02}T{clock}")
    except ValueError:
        return None


def epoch_milliseconds(text: str) -> int:
    """Return a time as a number that grows with it, 0 for what is no time."""
    read = moment(text, UTC)
    return max(0, int(read.timestamp() * 1000)) if read else 0
