"""Every parser, walk and table of the program works in proportion to its input: the table of tests/growth_rows/."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

import pytest

from tests.growth import Growth, check

ROWS: list[Growth] = [
    row
    for file in sorted((Path(__file__).parent / "growth_rows").glob("*.py"))
    for row in import_module(f"tests.growth_rows.{file.stem}").ROWS
]


@pytest.mark.parametrize("row", ROWS, ids=[row.name for row in ROWS])
def test_twice_the_input_is_at_most_twice_the_work(row: Growth) -> None:
    check(row)
