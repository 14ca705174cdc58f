"""What a run is asked to do."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Options:
    """Sizes of the parts; smaller ones are for trying things out, the figures of docs/benchmarks.md use these."""

    orders: int = 20_000
    rounds: int = 3
    rows: int = 1_000_000
    seconds: float = 8.0
