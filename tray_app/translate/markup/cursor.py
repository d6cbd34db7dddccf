"""A position in text that arrives in pieces. The text is read once, from its beginning to its end.

The methods that may need more text are generators. Each `yield` asks for more text, which `push` adds.
"""

from __future__ import annotations

import re
from collections.abc import Generator
from typing import TypeVar

_T = TypeVar("_T")
Waiting = Generator[None, None, _T]
"""A step of reading. It yields whenever it needs more text, and returns what it read."""


class Cursor:
    """A position in the text. The text before it is dropped, unless there is a mark, to which the cursor can return."""

    def __init__(self) -> None:
        self.text = ""
        """The text that has arrived and is still kept."""
        self.at = 0
        """The next character, as an index in `text`."""
        self._base = 0  # how many characters of the whole text stand before `text`
        self._mark: int | None = None  # a place in the whole text, behind which all text is kept; None if there is none
        self._kept: list[str] = []  # the text between the mark and `text`, in pieces

    def __repr__(self) -> str:
        return f"Cursor(at {self.place}, before {self.text[self.at : self.at + 40]!r})"

    @property
    def place(self) -> int:
        """The next character, counted from the beginning of the whole text."""
        return self._base + self.at

    @property
    def end(self) -> int:
        """The end of `text`, counted from the beginning of the whole text."""
        return self._base + len(self.text)

    @property
    def is_marked(self) -> bool:
        """Tells whether there is a mark."""
        return self._mark is not None

    @property
    def held_chars(self) -> int:
        """How many characters are kept: those behind the mark, or those that are not read yet if there is no mark."""
        return self.end - (self.place if self._mark is None else self._mark)

    def push(self, text: str) -> None:
        """Adds text that has arrived."""
        if self._mark is not None:
            self._kept.append(self.text[max(self._mark - self._base, 0) : self.at])
        self._base += self.at
        self.text = self.text[self.at :] + text
        self.at = 0

    def set_mark(self) -> None:
        """Sets the mark here, so that all text from here on is kept."""
        self._mark = self.place

    def rewind(self) -> None:
        """Goes back to the mark, and removes the mark."""
        assert self._mark is not None
        self.gather()
        self.at = self._mark - self._base
        self._mark = None

    def release(self) -> str:
        """Returns the text from the mark to here, and removes the mark."""
        assert self._mark is not None
        self.gather()
        text = self.cut(self._mark, self.place)
        self._mark = None
        return text

    def gather(self) -> None:
        """Puts the text since the mark back into `text`, so that `cut` reaches it."""
        if self._kept:
            kept = "".join(self._kept)
            self._kept.clear()
            self.text = kept + self.text
            self.at += len(kept)
            self._base -= len(kept)

    def cut(self, start: int, end: int) -> str:
        """Returns the text between two places, which must both be in `text`."""
        return self.text[start - self._base : end - self._base]

    def skip(self, characters: re.Pattern[str]) -> Waiting[None]:
        """Steps over all characters that match. The pattern is a class of characters with `*`."""
        while True:
            match = characters.match(self.text, self.at)
            assert match is not None
            self.at = match.end()
            if self.at < len(self.text):
                return
            yield

    def peek(self) -> Waiting[str]:
        """Returns the next character."""
        while self.at == len(self.text):
            yield
        return self.text[self.at]

    def take(self, *literals: str) -> Waiting[str]:
        """Steps over the literal that stands here, and returns it. Returns an empty string if none of them does.

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
        """Steps behind the next occurrence of the literal, and returns the place of the occurrence."""
        while (found := self.text.find(literal, self.at)) < 0:
            self.at = max(self.at, len(self.text) - len(literal) + 1)
            yield
        self.at = found + len(literal)
        return self._base + found
