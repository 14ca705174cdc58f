"""How sure a listing is taken for a SKU."""

import pytest

from channels.rules import matching
from channels.rules.matching import NOTHING, Asked, Guess, Known, Similar

MUG = Known(1, "MUG-BLUE", "6900000000017")
LID = Known(2, "LID", "6900000000024")
SPACED = Known(3, "mug blue", "")


@pytest.mark.parametrize(
    ("asked", "skus", "guess"),
    [
        pytest.param(Asked("MUG-BLUE"), [MUG], Guess(1, "code", 100), id="equal code"),
        pytest.param(Asked(" mug-blue "), [MUG], Guess(1, "code", 95), id="case and spaces"),
        pytest.param(Asked("", "6900000000017"), [MUG], Guess(1, "barcode", 98), id="equal barcode"),
        pytest.param(Asked("MUG-BLUE", "6900000000017"), [MUG, MUG], Guess(1, "code", 100), id="both say the same"),
        pytest.param(Asked("MUG-BLUE", "6900000000024"), [MUG, LID], Guess(1, "code", 60), id="code against barcode"),
        pytest.param(Asked("", "690"), [Known(5, "A", "690"), Known(4, "B", "690")], Guess(4, "barcode", 50),
                     id="one barcode on two SKUs"),
        pytest.param(Asked("Ab"), [Known(5, "AB"), Known(4, "aB")], Guess(4, "code", 50), id="two codes but for case"),
        pytest.param(Asked("AB"), [Known(4, "aB"), Known(5, "AB")], Guess(5, "code", 100), id="one of them is equal"),
        pytest.param(Asked("", ""), [Known(6, "X", "")], NOTHING, id="empty is equal to nothing"),
        pytest.param(Asked("GHOST", "1"), [MUG, LID], NOTHING, id="unknown"),
    ],
)  # fmt: skip
def test_codes_and_barcodes(asked, skus, guess):
    assert matching.by_marks(asked, skus) == guess


@pytest.mark.parametrize(
    ("similar", "guess"),
    [
        pytest.param([Similar(1, 1.0)], Guess(1, "name", 85), id="the same name is never sure"),
        pytest.param([Similar(1, 0.6), Similar(2, 0.4)], Guess(1, "name", 51), id="clearly the best"),
        pytest.param([Similar(2, 0.8), Similar(1, 0.8)], Guess(1, "name", 50), id="two alike"),
        pytest.param([Similar(1, 0.3)], Guess(1, "name", 26), id="just enough"),
        pytest.param([Similar(1, 0.29)], NOTHING, id="too little"),
        pytest.param([], NOTHING, id="none"),
    ],
)
def test_names(similar, guess):
    assert matching.by_name(similar) == guess


def test_only_a_code_or_a_barcode_is_sure():
    assert Guess(1, "barcode", 98).is_sure
    assert Guess(1, "code", 95).is_sure
    assert not matching.by_name([Similar(1, 1.0)]).is_sure
    assert not Guess(1, "code", matching.CONTRADICTION).is_sure
