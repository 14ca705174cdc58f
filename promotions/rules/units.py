"""Units of goods by what one of them costs: the dearest first, cut off after so many, or in groups of so many.

Units of the same line and price stand together as one run, so that a large quantity costs no more than a small one.
"""

from collections.abc import Iterable, Iterator, Sequence

from promotions.rules.counter import Line
from promotions.rules.money import share

Run = tuple[int, int, Line]  # price of one unit in cents, how many of them, of which line
Off = dict[int, int]  # cents off by the line's number


def dearest(lines: Iterable[Line]) -> list[Run]:
    """Return the units of these lines, the dearest first; of equal prices the lower line first.

    A line's cents are spread over its units: 10.00 for three are one unit of 3.34 and two of 3.33.
    """
    runs: list[Run] = []
    for line in lines:
        if line.quantity <= 0:
            continue
        price, dearer = divmod(line.net, line.quantity)
        if dearer:
            runs.append((price + 1, dearer, line))
        runs.append((price, line.quantity - dearer, line))
    if len(runs) > 1:
        runs.sort(key=_dearness)
    return runs


def _dearness(run: Run) -> tuple[int, int]:
    return -run[0], run[2].number


def count(runs: Iterable[Run]) -> int:
    """Return how many units there are."""
    return sum(units for _price, units, _line in runs)


def worth(runs: Iterable[Run]) -> int:
    """Return what they cost together, in cents."""
    return sum(price * units for price, units, _line in runs)


def first(runs: list[Run], most: int | None) -> list[Run]:
    """Return the first so many units."""
    if most is None:
        return runs
    taken: list[Run] = []
    for price, units, line in runs:
        if most <= 0:
            break
        taken.append((price, min(units, most), line))
        most -= units
    return taken


def groups(runs: Sequence[Run], size: int) -> Iterator[tuple[list[Run], int]]:
    """Yield full groups of ``size`` units in their order, and how often; what is left over belongs to none."""
    group: list[Run] = []
    room = size
    for price, units, line in runs:
        left = units
        while left:
            if room == size and left >= size:
                yield [(price, size, line)], left // size
                left %= size
                continue
            taken = min(left, room)
            group.append((price, taken, line))
            left, room = left - taken, room - taken
            if not room:
                yield group, 1
                group, room = [], size


def add(total: Off, more: Off) -> None:
    """Add up what comes off each line."""
    for number, cents in more.items():
        total[number] = total.get(number, 0) + cents


def shared(runs: Sequence[Run], cents: int) -> Off:
    """Share an amount among units in proportion to their prices, added up by line."""
    by_line: Off = {}
    for price, units, line in runs:
        by_line[line.number] = by_line.get(line.number, 0) + price * units
    return dict(zip(by_line, share(cents, list(by_line.values())), strict=True))
