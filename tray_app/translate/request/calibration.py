"""How far the estimate of tokens is off for one model, learned from what upstream reports."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import median

LEAST_RATIO, MOST_RATIO = 0.5, 2.0
"""No tokenizer is further off; what upstream reports beyond it is a fault."""
WINDOW = 7
"""So many requests count: half of them must agree, so one that is odd moves little, and a real change needs four."""

_GUESS_MARGIN = 1.15
_KNOWN_MARGIN = 1.08
_ENOUGH = 4
"""Ratios, the first guess included."""


@dataclass(frozen=True, slots=True)
class Calibration:
    """What is known of one model."""

    ratios: tuple[float, ...] = (1.0,)
    """Reported over estimated, the newest last. The first guess is one of them until the window is full."""

    @property
    def factor(self) -> float:
        """What an estimate of this model's text is to be multiplied by."""
        return median(self.ratios)

    @property
    def margin(self) -> float:
        """How many times the calibrated estimate a request may really have: other text than before counts otherwise."""
        return _KNOWN_MARGIN if len(self.ratios) >= _ENOUGH else _GUESS_MARGIN

    def learn(self, estimated: float, reported: int) -> Calibration:
        """What is known after one more request, by its tokens before calibration and by upstream's count of them."""
        ratio = min(max(reported / estimated, LEAST_RATIO), MOST_RATIO)
        return Calibration((*self.ratios, ratio)[-WINDOW:])


UNCALIBRATED = Calibration()
