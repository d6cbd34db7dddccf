"""Measures how the work of a parser, walk or table grows with its input. It must not grow faster than the input.

A row names one of them: `make(n)` builds an input of about n characters (or n steps), `run(load, input)` works on it
with what `load("tray_app.translate.markup.reader")` and the like return: the program's own modules, which count
(tests/growth/meter.py says what). The rows are in tests/growth/rows/, tests/growth/test_growth.py measures them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, partial
from itertools import pairwise
from typing import Any

from tests.growth.meter import METER
from tests.growth.modules import load_counting

Load = Callable[[str], Any]


@dataclass(frozen=True)
class Growth:
    """One kind of input, and the function that works on it."""

    name: str
    make: Callable[[int], Any]
    run: Callable[[Load, Any], object]
    small: int = 2_000
    """The size of the smallest input. It is so large that the growing part of the work outweighs the constant part."""
    most_factor: float = 2.2
    """How many times as much work an input of twice the size may need."""


SMALL_DEPTH = 150
"""For rows that nest values: each Python decodes JSON of four times this depth. How much deeper JSON may be depends on
the Python (1,000 levels in 3.11, thousands in 3.13), so that a row must not rely on a deeper one being decoded or not.
"""

_MOST_STEPS = 5_000_000
"""Most steps for the smallest input, which take some seconds. More work is broken off."""
_HOPELESS_FACTOR = 10
"""Work that grows by this factor from one size to the next is broken off."""


@dataclass(frozen=True)
class Figures:
    counts: list[int]
    """The steps for inputs of n, 2n and 4n, as far as they were measured."""
    called: frozenset[str]
    """The functions and classes of the program that did the work, such as `tray_app.translate.answer.sse.SseReader`."""


@cache
def measure(row: Growth) -> Figures:
    """Runs a row with inputs of three sizes."""
    METER.called.clear()
    counts: list[int] = []
    most: float = _MOST_STEPS
    for size in (row.small, 2 * row.small, 4 * row.small):
        argument = row.make(size)
        counts.append(METER.measure(partial(row.run, load_counting, argument), most))
        if counts[-1] > most:
            break
        most = _HOPELESS_FACTOR * counts[-1]
    return Figures(counts, frozenset(METER.called))


def check(row: Growth) -> None:
    """Fails if twice the input is more than `most_factor` times the work."""
    counts = measure(row).counts
    assert counts[0] <= _MOST_STEPS, f"{row.name}: more than {_MOST_STEPS:,} steps for n = {row.small:,}"
    for times, (less, more) in enumerate(pairwise(counts), 1):
        assert more <= row.most_factor * less, (
            f"{row.name}: {less:,} steps for n = {times * row.small:,}, but {more:,} for twice as much: "
            f"{more / less:.1f} times the work, where {row.most_factor} times is the most"
        )
