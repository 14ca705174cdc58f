"""What a run prints: a figure a line, and whether it meets its bar."""

import io

import pytest

from benchmarks.figures import Figures, at_least, at_most, line


@pytest.mark.parametrize(
    ("value", "bar", "expected"),
    [
        pytest.param(0.1849, at_least(0.15), "f: 0.185 (bar ≥0.15) ok", id="above a floor"),
        pytest.param(0.1499, at_least(0.15), "f: 0.15 (bar ≥0.15) short", id="just under a floor"),
        pytest.param(3.0, at_most(3), "f: 3 (bar ≤3) ok", id="exactly at a ceiling"),
        pytest.param(401, at_most(400), "f: 401 (bar ≤400) short", id="above a ceiling"),
        pytest.param(1234.56, None, "f: 1235", id="large numbers have no decimals"),
        pytest.param(12.345, None, "f: 12.3", id="tens have one"),
        pytest.param(0.0, None, "f: 0", id="nothing is 0"),
        pytest.param("not measured", at_least(1), "f: not measured", id="words meet no bar"),
    ],
)
def test_a_figure_is_one_line_with_its_bar(value, bar, expected):
    assert line("f", value, bar) == expected


def test_figures_are_printed_as_they_come_and_kept():
    out = io.StringIO()
    figures = Figures(out)

    figures.heading("part")
    figures.show("orders", 5)
    figures.show("ratio", 0.5, at_least(1))

    assert out.getvalue() == "\n# part\norders: 5\nratio: 0.5 (bar ≥1) short\n"
    assert figures.values == {"orders": 5, "ratio": 0.5}


def test_a_name_stands_for_one_figure():
    figures = Figures(io.StringIO())
    figures.show("orders", 5)
    with pytest.raises(ValueError, match="orders was measured twice"):
        figures.show("orders", 6)
