"""The work that a parser, walk or table of the program does, counted: it must grow no faster than the input.

A row names one of them: `make(n)` builds an input of about n characters (or n steps), `run(load, input)` works on it
with what `load("tray_app.translate.markup")` and the like return: the program's own modules, which count
(tests/growth_meter.py says what). The rows are in tests/growth_rows/, tests/test_growth.py measures them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from typing import Any

from tests.growth_meter import METER
from tests.growth_modules import load_counting

Load = Callable[[str], Any]


@dataclass(frozen=True)
class Growth:
    """One kind of input, and what works on it."""

    name: str
    make: Callable[[int], Any]
    run: Callable[[Load, Any], object]
    small: int = 2_000
    """The n of the smallest input that is measured: large enough that what grows outweighs what does not."""
    most_factor: float = 2.2
    """How many times as much work an input of twice the size may be."""


@dataclass(frozen=True)
class Figures:
    counts: tuple[int, int, int]
    """The work for inputs of n, 2n and 4n."""
    loaded: frozenset[str]
    """The modules that the row asked for."""


@cache
def measure(row: Growth) -> Figures:
    """Runs a row at three sizes."""
    loaded: set[str] = set()

    def load(name: str) -> Any:
        loaded.add(name)
        return load_counting(name)

    def count(size: int) -> int:
        argument = row.make(size)
        return METER.measure(lambda: row.run(load, argument))

    return Figures((count(row.small), count(2 * row.small), count(4 * row.small)), frozenset(loaded))


def check(row: Growth) -> None:
    """Fails where twice the input is more than `most_factor` times the work."""
    counts = measure(row).counts
    for times, (less, more) in zip((1, 2), pairwise(counts), strict=True):
        assert more <= row.most_factor * less, (
            f"{row.name}: {less:,} steps for n = {times * row.small:,}, but {more:,} for twice as much: "
            f"{more / less:.1f} times the work, where {row.most_factor} times is the most"
        )
