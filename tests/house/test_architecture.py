"""The house's order: who imports whom, how long things are, and who may write what."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.core.management import call_command

from tests.house.source import APPS, ROOT, name_of, python_files, tree_of

LONGEST_FUNCTION = 70
LONGEST_FILE = 400
LONGEST_TEST_FILE = 500  # a table of cases is read line by line
LINT_IMPORTS = "import sys; from importlinter.cli import lint_imports; sys.exit(lint_imports(no_cache=True))"
NAMES_THAT_SAY_NOTHING = {"utils", "util", "helpers", "helper", "common", "core", "misc", "shared"}
WRITERS_OF_STATUS = {
    "orders/services/batch.py": "an order's status, computed from its parts",
    "orders/services/allocation.py": "a planned parcel that is taken back",
    "orders/services/release.py": "a planned parcel that goes to its node",
    "orders/services/rerouting.py": "a parcel that its node does not send",
    "orders/services/overriding.py": "in memory only, to see what another plan would cost",
    "orders/services/fulfillment.py": "a parcel at its node, by the table of allowed moves",
    "orders/services/refunds.py": "a refund, never an order or a parcel",
    "orders/services/backtests.py": "a back-test, never an order or a parcel",
    "orders/services/whatif.py": "a what-if run, never an order or a parcel",
}


def test_imports_run_along_the_line_and_rules_are_plain_python():
    done = subprocess.run(
        [sys.executable, "-c", LINT_IMPORTS],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Contracts: 3 kept, 0 broken." in done.stdout


@pytest.mark.django_db
def test_every_change_of_a_model_has_its_migration():
    call_command("makemigrations", check=True, dry_run=True, verbosity=0)


def test_no_function_is_longer_than_the_wall():
    long = [
        f"{name_of(path)}:{node.lineno} {node.name} has {node.end_lineno - node.lineno + 1} lines"
        for path in python_files(*APPS, "tests", "benchmarks")
        for node in ast.walk(tree_of(path))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and node.end_lineno - node.lineno + 1 > LONGEST_FUNCTION
    ]
    assert long == []


def test_no_file_is_too_long_to_read():
    walls = {**dict.fromkeys((*APPS, "benchmarks"), LONGEST_FILE), "tests": LONGEST_TEST_FILE}
    long = [
        f"{name_of(path)} has {lines} lines"
        for folder, wall in walls.items()
        for path in python_files(folder)
        if (lines := len(path.read_text(encoding="utf-8").splitlines())) > wall
    ]
    assert long == []


def test_no_module_has_a_name_that_says_nothing():
    found = [
        name_of(path)
        for path in python_files(*APPS, "tests")
        if {path.stem, *path.relative_to(ROOT).parts[:-1]} & NAMES_THAT_SAY_NOTHING
    ]
    assert found == []


def writes_of_status(path: Path) -> Iterator[int]:
    """Yield the lines that assign ``….status`` or update a queryset's ``status``."""
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.Assign | ast.AugAssign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            for target in targets:
                for part in target.elts if isinstance(target, ast.Tuple | ast.List) else [target]:
                    if isinstance(part, ast.Attribute) and part.attr == "status":
                        yield node.lineno
        elif isinstance(node, ast.Call) and getattr(node.func, "attr", "") == "update":
            yield from (node.lineno for keyword in node.keywords if keyword.arg == "status")


def test_the_status_of_orders_and_parcels_has_one_writer_each():
    found = {name_of(path): list(writes_of_status(path)) for path in python_files("orders", "forecasting")}
    writers = {name: lines for name, lines in found.items() if lines}
    assert set(writers) == set(WRITERS_OF_STATUS), writers


def test_the_search_for_writers_finds_each_way_of_writing(tmp_path):
    source = tmp_path / "writer.py"
    source.write_text(
        "order.status = 1\n"
        "(parcel.status, other) = 1, 2\n"
        "order.status += 1\n"
        "rows.update(status=1)\n"
        "if order.status == 1: other = 2\n"
    )
    assert sorted(writes_of_status(source)) == [1, 2, 3, 4]


def test_every_public_function_of_the_apps_says_what_it_does():
    silent = [
        f"{name_of(path)}:{node.lineno} {node.name}"
        for path in python_files(*APPS)
        for node in ast.iter_child_nodes(tree_of(path))
        if isinstance(node, ast.FunctionDef | ast.ClassDef)
        and not node.name.startswith("_")
        and ast.get_docstring(node) is None
    ]
    assert silent == []
