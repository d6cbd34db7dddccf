"""Finds the JSON in an answer that must be JSON and nothing else, while the text arrives.

Models put JSON into a code fence, and write a sentence before and behind it. Some models get no schema for the answer,
so nothing upstream prevents this.
"""

from __future__ import annotations

import re

from tray_app.translate.arguments.json_value import ValueScanner, skip

_WORDS = re.compile(r"[^\[{\n]++")
_BLANKS = re.compile(r"\s*+")

_BEGINS = {"{": '"', "[": '"[{'}
"""First bracket of JSON -> characters that may follow it, if there is text before the bracket in its line."""

_BEGINS_ON_A_LINE = {"{": '"}', "[": '"[{]-0123456789tfn'}
"""The same for a bracket that is the first character of its line: then a list of numbers, or an empty one, counts."""


class BareJson:
    """Lets only the first JSON value of a text pass, or all of the text if it holds no JSON."""

    def __init__(self, brackets: str) -> None:
        """`brackets` are those with which the JSON may begin. They are empty if the text need not be JSON."""
        self._brackets = brackets
        self._held: list[str] = []  # the text before the JSON
        self._bracket: list[str] = []  # a bracket that may begin the JSON, and the white space behind it
        self._begins_line = True  # whether the line has only white space so far
        self._scanner: ValueScanner | None = None  # reads the JSON; None before it begins
        self.holds_words = False
        """Tells whether text is held that is not blank."""

    def feed(self, text: str) -> str:
        """Returns the part of the text that is certainly JSON."""
        if not self._brackets:
            return text
        place = 0
        while self._scanner is None:
            if place == len(text):
                return ""
            place = self._read_bracket(text, place) if self._bracket else self._read_words(text, place)
        first = "".join(self._bracket)
        self._forget()
        if first:
            self._scanner.scan(first, 0)
        return first + text[place : self._scanner.scan(text, place)]

    def flush(self) -> str:
        """Returns the held text if no JSON came. The next `feed` begins another text."""
        held = "".join([*self._held, *self._bracket])
        self._forget()
        self._begins_line, self._scanner = True, None
        return held

    def _forget(self) -> None:
        self._held, self._bracket, self.holds_words = [], [], False

    def _read_words(self, text: str, place: int) -> int:
        """Reads to a bracket or to the end of the line, and returns where it stopped."""
        end = skip(_WORDS, text, place)
        if words := text[place:end]:
            self._held.append(words)
            self._begins_line = self._begins_line and words.isspace()
            self.holds_words = self.holds_words or not words.isspace()
        if end == len(text):
            return end
        if text[end] in self._brackets:
            self._bracket = [text[end]]
        else:
            self._held.append(text[end])
            self._begins_line = text[end] == "\n"
        self.holds_words = self.holds_words or text[end] != "\n"
        return end + 1

    def _read_bracket(self, text: str, place: int) -> int:
        """Reads the white space behind a bracket. The character behind it decides whether JSON begins there."""
        end = skip(_BLANKS, text, place)
        if end > place:
            self._bracket.append(text[place:end])
        if end < len(text):
            begins = _BEGINS_ON_A_LINE if self._begins_line else _BEGINS
            if text[end] in begins[self._bracket[0]]:
                self._scanner = ValueScanner()
            else:
                self._held += self._bracket
                self._bracket, self._begins_line = [], False
        return end
