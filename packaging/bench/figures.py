"""Medians, quartiles and ratios of what was measured."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Summary:
    """The median of a figure over the rounds, with its quartiles."""

    median: float
    q1: float
    q3: float


def summarize(values: Sequence[float]) -> Summary | None:
    """None if there are no values."""
    if not values:
        return None
    if len(values) == 1:
        return Summary(values[0], values[0], values[0])
    q1, median, q3 = statistics.quantiles(values, n=4, method="inclusive")
    return Summary(median, q1, q3)


def divide(ours: Sequence[float], others: Sequence[float]) -> list[float]:
    """The ratio of each round. A round in which a figure is not above zero has none."""
    return [own / other for own, other in zip(ours, others, strict=True) if own > 0 and other > 0]


def find_quantile(ordered: Sequence[float], share: float) -> float:
    """The value below which this share of the others lies; 0 if there are none."""
    return ordered[int(share * (len(ordered) - 1))] if ordered else 0
