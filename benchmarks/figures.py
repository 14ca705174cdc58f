"""Printing what was measured: one ``name: value`` line per figure, beside its bar where it has one."""

import sys
from dataclasses import dataclass, field
from typing import TextIO

Value = float | int | str


@dataclass(frozen=True)
class Bar:
    """What a figure should reach: at least, or (``is_ceiling``) at most, this much."""

    limit: float
    is_ceiling: bool = False

    def is_met(self, value: float) -> bool:
        """Tell whether a value is on the right side."""
        return value <= self.limit if self.is_ceiling else value >= self.limit

    def __str__(self) -> str:
        return f"{'≤' if self.is_ceiling else '≥'}{shown(self.limit)}"


def at_least(limit: float) -> Bar:
    """Make a bar that values should reach."""
    return Bar(limit)


def at_most(limit: float) -> Bar:
    """Make a bar that values should stay under."""
    return Bar(limit, is_ceiling=True)


@dataclass
class Figures:
    """The figures of one run in the order in which they came."""

    out: TextIO = field(default_factory=lambda: sys.stdout)
    values: dict[str, Value] = field(default_factory=dict)

    def show(self, name: str, value: Value, bar: Bar | None = None) -> None:
        """Keep a figure and print its line. Raises ``ValueError`` for a name that was shown before."""
        if name in self.values:
            raise ValueError(f"{name} was measured twice")
        self.values[name] = value
        print(line(name, value, bar), file=self.out, flush=True)

    def heading(self, text: str) -> None:
        """Begin a part of the run."""
        print(f"\n# {text}", file=self.out, flush=True)


def line(name: str, value: Value, bar: Bar | None = None) -> str:
    """Return one line: the name, the value and, with a bar, whether it is met."""
    text = f"{name}: {shown(value)}"
    if bar is None or isinstance(value, str):
        return text
    return f"{text} (bar {bar}) {'ok' if bar.is_met(value) else 'short'}"


def shown(value: Value) -> str:
    """Return a value with the digits that mean something."""
    if not isinstance(value, float):
        return str(value)
    if value.is_integer() or abs(value) >= 100:
        return f"{value:.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.3g}"
