"""The factor by which the estimated tokens of one model are wrong, learned from the counts that upstream reports."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import median

LEAST_RATIO, MOST_RATIO = 0.5, 2.0
"""The range of reported divided by estimated tokens. No tokenizer is outside it: then upstream's count is wrong."""
WINDOW = 7
"""How many of the newest ratios are kept. With the median of 7, one odd ratio changes little, and 4 make a change."""

_GUESS_MARGIN = 1.15
_KNOWN_MARGIN = 1.08
_ENOUGH = 4
"""From this many ratios on, including the first guess, the smaller margin applies."""


@dataclass(frozen=True, slots=True)
class Calibration:
    """The ratios that are known for one model."""

    ratios: tuple[float, ...] = (1.0,)
    """Reported tokens divided by estimated tokens, the newest last. The first guess, 1.0, counts until 7 are known."""

    @property
    def factor(self) -> float:
        """Returns the factor for an estimate of this model's text."""
        return median(self.ratios)

    @property
    def margin(self) -> float:
        """Returns the safety factor: the true count may exceed the calibrated estimate by this much."""
        return _KNOWN_MARGIN if len(self.ratios) >= _ENOUGH else _GUESS_MARGIN

    def learn(self, estimated: float, reported: int) -> Calibration:
        """Returns the calibration after one more request.

        `estimated` is its tokens before calibration, and `reported` is upstream's count.
        """
        ratio = min(max(reported / estimated, LEAST_RATIO), MOST_RATIO)
        return Calibration((*self.ratios, ratio)[-WINDOW:])


UNCALIBRATED = Calibration()
