"""Tests that every parser, walk and table works in proportion to its input. The rows are in rows/."""

from __future__ import annotations

import ast
from importlib import import_module
from pathlib import Path

import pytest

from tests.growth.measure import Growth, check, measure

HERE = Path(__file__).parent
PACKAGE = HERE.parents[1] / "tray_app"

ROWS: list[Growth] = [
    row for file in sorted((HERE / "rows").glob("*.py")) for row in import_module(f"tests.growth.rows.{file.stem}").ROWS
]


@pytest.mark.parametrize("row", ROWS, ids=[row.name for row in ROWS])
def test_twice_the_input_is_at_most_twice_the_work(row: Growth) -> None:
    check(row)


OF_UPSTREAM = ("learned_calibrations", "learned_file", "learned_quirks", "line", "pacing", "window")
FILES = [
    *sorted((PACKAGE / "translate").rglob("*.py")),
    *(PACKAGE / "proxy" / "upstream" / f"{name}.py" for name in OF_UPSTREAM),
    *sorted((PACKAGE / "catalog").glob("*.py")),
    PACKAGE / "redaction.py",
]

NO_ROW = {
    "tray_app.translate.schema.schema.allowed_types": "it asks what `type_value` asks, whose rows are there",
    "tray_app.translate.request.tools.ask_for_call": "it puts one name into a sentence",
}
"""Functions that need no row, with the reason."""


def find_public(file: Path) -> set[str]:
    """Returns the public functions of a file, and its public classes that have methods."""
    module = ".".join(file.relative_to(PACKAGE.parent).with_suffix("").parts)
    return {
        f"{module}.{node.name}"
        for node in ast.parse(file.read_text(encoding="utf-8")).body
        if isinstance(node, ast.FunctionDef)
        or (isinstance(node, ast.ClassDef) and any(isinstance(item, ast.FunctionDef) for item in node.body))
        if not node.name.startswith("_") and "Protocol" not in map(ast.unparse, getattr(node, "bases", ()))
    }


def test_every_parser_walk_and_table_has_a_row() -> None:
    """Each function needs a row for each kind of input that could cost it much."""
    called = {name for row in ROWS for name in measure(row).called}
    missing = {name for file in FILES for name in find_public(file)} - called - NO_ROW.keys()
    assert not missing, f"no row of tests/growth/rows/ works with {', '.join(sorted(missing))}"
