"""Notes which models answer, and which ones keep failing, so that the menu can offer another one."""

from __future__ import annotations

import time
from dataclasses import dataclass

from tray_app.catalog import Model
from tray_app.errors import Overloaded, ProxyError, QueueFull, RateLimited, Unreachable, UpstreamFault, UpstreamTimeout
from tray_app.status.board import Failing

LONG_S = 60.0
"""A model whose requests failed for so many seconds, without an answer in between, keeps failing."""

MANY_ENDS = 3
"""A model keeps failing if so many of its requests in a row have ended with an error."""


@dataclass(slots=True)
class _Streak:
    """The failures of one model since its last answer."""

    first_s: float
    last_s: float
    reason: str = ""
    ends: int = 0


class Streaks:
    """The failures of each model since its last answer. Times are those of a clock that never goes back."""

    def __init__(self) -> None:
        self._streaks: dict[str, _Streak] = {}
        self.answering: frozenset[str] = frozenset()
        """The ids of the models whose newest request was answered."""

    def note_answered(self, model: Model) -> None:
        """Notes that the model began to answer."""
        self._streaks.pop(model.id, None)
        if model.id not in self.answering:
            self.answering |= {model.id}

    def note_failed(self, model: Model, error: ProxyError) -> None:
        """Notes that a try has failed. Errors that no other model would avoid do not count."""
        if not _is_of_model(error):
            return
        now_s = time.monotonic()
        streak = self._streaks.setdefault(model.id, _Streak(now_s, now_s))
        streak.last_s, streak.reason = now_s, error.brief
        self.answering -= {model.id}

    def note_ended(self, model: Model, error: ProxyError) -> None:
        """Notes that a request has ended with the error of its last try."""
        if _is_of_model(error) and (streak := self._streaks.get(model.id)):
            streak.ends += 1

    def find_failing(self) -> tuple[Failing, ...]:
        """Returns the models that keep failing."""
        return tuple(
            Failing(model_id, streak.reason)
            for model_id, streak in self._streaks.items()
            if streak.ends >= MANY_ENDS or streak.last_s - streak.first_s >= LONG_S
        )


def _is_of_model(error: ProxyError) -> bool:
    return isinstance(error, RateLimited | Overloaded | UpstreamFault | UpstreamTimeout) and not isinstance(
        error, QueueFull | Unreachable
    )
