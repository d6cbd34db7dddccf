"""Keeps the text of the arguments of one call as it arrived."""

from __future__ import annotations

import re

_OPENS = re.compile(r"\s*+\{")


class Received:
    """The fragments that have arrived."""

    def __init__(self) -> None:
        self._fragments: list[str] = []
        self._size_chars = 0
        self.last = ""
        """The last character that is not white space. Empty before the first one."""
        self.blanks = 0
        """How many characters of white space stand behind `last`."""

    def __bool__(self) -> bool:
        return self._size_chars > 0

    @property
    def text(self) -> str:
        """The whole text. The fragments are joined once."""
        self._fragments = ["".join(self._fragments)]
        return self._fragments[0]

    def add(self, fragment: str) -> None:
        """Takes a fragment."""
        self._fragments.append(fragment)
        self._size_chars += len(fragment)
        words = fragment.rstrip()
        self.blanks = len(fragment) - len(words) + (0 if words else self.blanks)
        self.last = words[-1:] or self.last

    def count_repeated(self, fragment: str) -> int:
        """Returns how many characters of `fragment` came before. Some servers repeat the whole text in later chunks."""
        if len(fragment) < self._size_chars or not _OPENS.match(fragment):
            return 0
        return self._size_chars if fragment.startswith(self.text) else 0
