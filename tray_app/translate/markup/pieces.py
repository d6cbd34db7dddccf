"""What is found in the text of a model: text, thinking and calls, piece by piece."""

from __future__ import annotations

from dataclasses import dataclass

from tray_app.translate.markup.grammars import WrittenCall


@dataclass(frozen=True, slots=True)
class Text:
    text: str


@dataclass(frozen=True, slots=True)
class Thought:
    text: str


@dataclass(frozen=True, slots=True)
class WrittenCalls:
    """The calls of one piece of markup, and the markup as the model wrote it."""

    calls: tuple[WrittenCall, ...]
    markup: str


Piece = Text | Thought | WrittenCalls


@dataclass(slots=True)
class _Run:
    """Text or thinking without anything in between."""

    kind: type[Text] | type[Thought]
    texts: list[str]


class Pieces:
    """The pieces that one feed settles; neighbours of one kind are one piece."""

    def __init__(self) -> None:
        self._runs: list[_Run | WrittenCalls] = []
        self._without_text = 0  # so many of the first runs are calls or thinking

    def add(self, kind: type[Text] | type[Thought], texts: list[str]) -> None:
        last = self._runs[-1] if self._runs else None
        if isinstance(last, _Run) and last.kind is kind:
            last.texts += texts
        else:
            self._runs.append(_Run(kind, texts))

    def add_calls(self, calls: WrittenCalls) -> None:
        self._runs.append(calls)

    def think(self) -> None:
        """Makes thinking of all text so far."""
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
        return [run.kind("".join(run.texts)) if isinstance(run, _Run) else run for run in self._runs]
