"""The token counts in the error for a prompt that is too long."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Counts:
    """The token counts in an error; 0 stands for a count that it does not contain."""

    prompt: int = 0
    answer: int = 0
    total: int = 0
    limit: int = 0


NO_COUNTS = Counts()
