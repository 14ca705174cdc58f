"""Which stock figures may not wait behind others: those at which a channel would sell what is not there."""

from typing import Final

FEW: Final = 5


def is_urgent(accepted: int | None, due: int, *, few: int = FEW) -> bool:
    """Tell whether a figure is near zero (at most ``few``), or the channel still says zero and there is stock again."""
    return due <= few or accepted == 0
