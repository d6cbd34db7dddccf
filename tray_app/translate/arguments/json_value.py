"""Finds the end of one JSON value in text that comes in pieces of any size. No character is looked at twice.

The scanner only counts brackets and follows quotes. A parser decides whether the value is valid JSON when it is whole.
"""

from __future__ import annotations

import re

_STRING = re.compile(r'(?:[^"\\]++|\\.)*+', re.DOTALL)
_PLAIN = re.compile(r'[^"\[\]{}]++')
_OPENERS = re.compile(r"[\[{]++")
_CLOSERS = re.compile(r"[\]}]++")
_WORD = re.compile(r'[^ \t\n\r,:"\[\]{}]*+')


class ValueScanner:
    """Reads one value from its first character on: a string, an object, a list, or a word such as `12` or `true`."""

    def __init__(self) -> None:
        self._depth = 0  # how many brackets are open
        self._is_escaped = False  # whether a backslash stands before the next character
        self._is_word = False
        self.is_in_string = False
        self.is_whole = False

    def scan(self, text: str, place: int) -> int:
        """Reads `text` from `place` on, and returns where it stopped: behind the value, or at the end of the text."""
        while place < len(text) and not self.is_whole:
            if self.is_in_string:
                place = self._scan_string(text, place)
            elif self._is_word:
                place = skip(_WORD, text, place)
                self.is_whole = place < len(text)
            elif text[place] == '"':
                self.is_in_string = True
                place += 1
            else:
                place = self._scan_brackets(text, place)
        return place

    def _scan_string(self, text: str, place: int) -> int:
        if self._is_escaped:
            self._is_escaped = False
            return place + 1
        place = skip(_STRING, text, place)
        if place < len(text) and text[place] == '"':
            self.is_in_string = False
            self.is_whole = self._depth == 0
        else:
            self._is_escaped = place < len(text)  # the text ends with a backslash
        return min(place + 1, len(text))

    def _scan_brackets(self, text: str, place: int) -> int:
        if opened := skip(_OPENERS, text, place) - place:
            self._depth += opened
            return place + opened
        if closed := min(skip(_CLOSERS, text, place) - place, self._depth):
            self._depth -= closed
            self.is_whole = self._depth == 0
            return place + closed
        self._is_word = self._depth == 0
        return place if self._is_word else skip(_PLAIN, text, place)


def skip(pattern: re.Pattern[str], text: str, place: int) -> int:
    """Returns the end of the pattern's match at `place`, or `place` if the pattern does not match."""
    match = pattern.match(text, place)
    return match.end() if match is not None else place
