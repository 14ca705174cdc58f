"""For which of our SKUs a shop's listing stands, and how sure that is, in per cent."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

SURE: Final = 90  # from here on a person only confirms
SAME_CODE, SAME_BARCODE, ALMOST_SAME_CODE = 100, 98, 95
CONTRADICTION: Final = 60  # the code says one SKU, the barcode another
SEVERAL: Final = 50  # more than one SKU fits equally well
NAME_AT_MOST: Final = 85  # two different things may have the same name: a name alone is never sure
LEAST_LIKENESS: Final = 0.3
TOO_CLOSE: Final = 0.05  # between the best name and the next one


@dataclass(frozen=True)
class Asked:
    """What a shop says of a listing."""

    code: str = ""
    barcode: str = ""
    title: str = ""


@dataclass(frozen=True)
class Known:
    """What we know of a SKU that may be meant."""

    sku_id: int
    code: str
    barcode: str = ""


@dataclass(frozen=True)
class Similar:
    """How much a SKU's name is like the listing's title, from 0 to 1."""

    sku_id: int
    likeness: float


@dataclass(frozen=True)
class Guess:
    """The SKU that is taken for the listing, by what (code, barcode, name, none), and how sure that is."""

    sku_id: int | None = None
    by: str = "none"
    confidence: int = 0

    @property
    def is_sure(self) -> bool:
        """Return whether a person need only confirm."""
        return self.confidence >= SURE


NOTHING: Final = Guess()


def plain(code: str) -> str:
    """Return a code without what people vary when they type it: case and spaces."""
    return "".join(code.split()).upper()


def by_marks(asked: Asked, skus: Sequence[Known]) -> Guess:
    """Compare codes, then barcodes. Where they name different SKUs the code's is taken, and it is doubtful."""
    skus = list(dict.fromkeys(skus))
    code, barcode = _by_code(asked, skus), _by_barcode(asked, skus)
    if code.sku_id is None or barcode.sku_id is None:
        return code if code.sku_id is not None else barcode
    if code.sku_id != barcode.sku_id:
        return Guess(code.sku_id, "code", min(code.confidence, CONTRADICTION))
    return code


def by_name(found: Sequence[Similar]) -> Guess:
    """Take the SKU with the name most like the title; one that hardly beats the next is a mere hint."""
    ranked = sorted(found, key=lambda one: (-one.likeness, one.sku_id))
    if not ranked or ranked[0].likeness < LEAST_LIKENESS:
        return NOTHING
    confidence = round(NAME_AT_MOST * min(ranked[0].likeness, 1.0))
    if len(ranked) > 1 and ranked[0].likeness - ranked[1].likeness < TOO_CLOSE:
        confidence = min(confidence, SEVERAL)
    return Guess(ranked[0].sku_id, "name", confidence)


def _by_code(asked: Asked, skus: Sequence[Known]) -> Guess:
    if not plain(asked.code):
        return NOTHING
    for sku in skus:
        if sku.code == asked.code:
            return Guess(sku.sku_id, "code", SAME_CODE)
    return _one_of([sku for sku in skus if plain(sku.code) == plain(asked.code)], "code", ALMOST_SAME_CODE)


def _by_barcode(asked: Asked, skus: Sequence[Known]) -> Guess:
    if not plain(asked.barcode):
        return NOTHING
    return _one_of([sku for sku in skus if plain(sku.barcode) == plain(asked.barcode)], "barcode", SAME_BARCODE)


def _one_of(fitting: Sequence[Known], by: str, confidence: int) -> Guess:
    """Return the only SKU that fits, or the first of several, which is doubtful then."""
    if not fitting:
        return NOTHING
    first = min(fitting, key=lambda sku: sku.sku_id)
    return Guess(first.sku_id, by, confidence if len(fitting) == 1 else SEVERAL)
