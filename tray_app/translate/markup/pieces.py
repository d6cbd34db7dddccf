"""The pieces that are found in the text of a model: text, thinking and calls."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class WrittenCall:
    """A complete call that a model wrote as text. The tool's schema gives the types of its arguments."""

    name: str
    arguments: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Text:
    """Text of the answer."""

    text: str


@dataclass(frozen=True, slots=True)
class Thought:
    """Thinking, without its tags."""

    text: str


@dataclass(frozen=True, slots=True)
class WrittenCalls:
    """The calls of one block of markup, and that block as the model wrote it."""

    calls: tuple[WrittenCall, ...]
    markup: str


Piece = Text | Thought | WrittenCalls


@dataclass(slots=True)
class _Run:
    """Text or thinking without anything in between."""

    kind: type[Text | Thought]
    texts: list[str]


class Pieces:
    """Collects the pieces that one `feed` settles. Neighbors of one kind become one piece."""

    def __init__(self) -> None:
        self._runs: list[_Run | WrittenCalls] = []
        self._without_text = 0  # how many of the first runs are no text

    def add(self, kind: type[Text | Thought], texts: list[str]) -> None:
        """Adds text or thinking."""
        last = self._runs[-1] if self._runs else None
        if isinstance(last, _Run) and last.kind is kind:
            last.texts += texts
        else:
            self._runs.append(_Run(kind, texts))

    def add_calls(self, calls: WrittenCalls) -> None:
        """Adds a block of calls."""
        self._runs.append(calls)

    def think(self) -> None:
        """Turns all text so far into thinking."""
        later = []
        while len(self._runs) > self._without_text:
            later.append(self._runs.pop())
        for run in reversed(later):
            if isinstance(run, _Run):
                self.add(Thought, run.texts)
            else:
                self.add_calls(run)
        self._without_text = len(self._runs)

    def to_list(self) -> list[Piece]:
        """Returns the pieces in their order."""
        return [run.kind("".join(run.texts)) if isinstance(run, _Run) else run for run in self._runs]
