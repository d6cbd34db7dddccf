"""The text of one call's arguments, as it came."""

from __future__ import annotations

import re

_OPENS = re.compile(r"\s*+\{")


class Received:
    """Keeps fragments, and what their end says about the model's state."""

    def __init__(self) -> None:
        self._fragments: list[str] = []
        self._size_chars = 0
        self.last = ""
        """The last character that is no white space; empty before the first one."""
        self.blanks = 0
        """How many characters of white space came behind that."""

    def __bool__(self) -> bool:
        return self._size_chars > 0

    @property
    def text(self) -> str:
        """All that came; it is joined once for all fragments so far."""
        self._fragments = ["".join(self._fragments)]
        return self._fragments[0]

    def add(self, fragment: str) -> None:
        self._fragments.append(fragment)
        self._size_chars += len(fragment)
        words = fragment.rstrip()
        self.blanks = len(fragment) - len(words) + (0 if words else self.blanks)
        self.last = words[-1:] or self.last

    def count_repeated(self, fragment: str) -> int:
        """How much of `fragment` came before: some servers send in every chunk, or in the last one, all so far."""
        if len(fragment) < self._size_chars or not _OPENS.match(fragment):
            return 0
        return self._size_chars if fragment.startswith(self.text) else 0
