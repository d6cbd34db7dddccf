"""Text that arrives in pieces, read once from its beginning to its end.

The methods that may need more text than has arrived are generators: each `yield` asks for it, and `push` brings it.
"""

from __future__ import annotations

import re
from collections.abc import Generator
from typing import TypeVar

_T = TypeVar("_T")
Waiting = Generator[None, None, _T]
"""A step of reading: yields whenever it needs more text, and returns what it read."""


class Cursor:
    """A place in the text. What stands before it is dropped, except behind the mark: there it can go back to."""

    def __init__(self) -> None:
        self.text = ""
        """The text at hand."""
        self.at = 0
        """The next character, as an index in `text`."""
        self._base = 0  # characters of the whole text before `text`
        self._mark: int | None = None  # a place in the whole text, from which on all is kept
        self._kept: list[str] = []  # the text from the mark up to the text at hand, in pieces

    def __repr__(self) -> str:
        return f"Cursor(at {self.place}, before {self.text[self.at : self.at + 40]!r})"

    @property
    def place(self) -> int:
        """The next character, counted from the beginning of the whole text."""
        return self._base + self.at

    @property
    def end(self) -> int:
        """Where the text at hand ends, counted likewise."""
        return self._base + len(self.text)

    @property
    def is_marked(self) -> bool:
        return self._mark is not None

    @property
    def held_chars(self) -> int:
        """The characters that are not read yet, and those behind the mark."""
        return self.end - (self.place if self._mark is None else self._mark)

    def push(self, text: str) -> None:
        """Puts more text behind the text at hand."""
        if self._mark is not None:
            self._kept.append(self.text[max(self._mark - self._base, 0) : self.at])
        self._base += self.at
        self.text = self.text[self.at :] + text
        self.at = 0

    def set_mark(self) -> None:
        """From here on all text is kept."""
        self._mark = self.place

    def rewind(self) -> None:
        """Goes back to the mark, and drops it."""
        assert self._mark is not None
        self.gather()
        self.at = self._mark - self._base
        self._mark = None

    def release(self) -> str:
        """The text from the mark to here. Drops the mark."""
        assert self._mark is not None
        self.gather()
        text = self.cut(self._mark, self.place)
        self._mark = None
        return text

    def gather(self) -> None:
        """Joins what was kept since the mark to the text at hand, for `cut`."""
        if self._kept:
            kept = "".join(self._kept)
            self._kept.clear()
            self.text = kept + self.text
            self.at += len(kept)
            self._base -= len(kept)

    def cut(self, start: int, end: int) -> str:
        """The text between two places, both of them in the text at hand."""
        return self.text[start - self._base : end - self._base]

    def skip(self, characters: re.Pattern[str]) -> Waiting[None]:
        """Steps over all characters that match; the pattern is a repeated class of characters, which may be missing."""
        while True:
            match = characters.match(self.text, self.at)
            assert match is not None
            self.at = match.end()
            if self.at < len(self.text):
                return
            yield

    def peek(self) -> Waiting[str]:
        """The next character."""
        while self.at == len(self.text):
            yield
        return self.text[self.at]

    def take(self, *literals: str) -> Waiting[str]:
        """Steps over that one of the literals which stands here; returns an empty string if none does.

        If one literal begins with another one, the longer one must come first.
        """
        while True:
            rest = self.text[self.at : self.at + max(map(len, literals))]
            for literal in literals:
                if rest.startswith(literal):
                    self.at += len(literal)
                    return literal
                if literal.startswith(rest):
                    break
            else:
                return ""
            yield

    def find(self, literal: str) -> Waiting[int]:
        """Steps behind the next place where the literal stands, and returns that place."""
        while (found := self.text.find(literal, self.at)) < 0:
            self.at = max(self.at, len(self.text) - len(literal) + 1)
            yield
        self.at = found + len(literal)
        return self._base + found
