"""The JSON in the text of an answer that must be nothing else, found as the text streams by.

Models put it in a code fence, and a sentence before and behind it. No schema is sent to some of them, so nothing else
keeps them from it.
"""

from __future__ import annotations

import re

from tray_app.translate.arguments.json_value import ValueScanner, skip

_WORDS = re.compile(r"[^\[{\n]++")
_BLANKS = re.compile(r"\s*+")

_BEGINS = {"{": '"', "[": '"[{'}
"""What stands behind the first bracket of JSON, wherever that stands."""

_BEGINS_ON_A_LINE = {"{": '"}', "[": '"[{]-0123456789tfn'}
"""The same if nothing but white space stands before it in its line: a list of numbers, or nothing."""


class BareJson:
    """Lets the first JSON value of a text through, and nothing else; all of the text if it holds none."""

    def __init__(self, brackets: str) -> None:
        """`brackets`: those with which the JSON may begin; empty if the text need not be JSON."""
        self._brackets = brackets
        self._held: list[str] = []  # the text so far, until the JSON has begun
        self._bracket: list[str] = []  # a bracket with which it may begin, and the white space behind that
        self._begins_line = True  # whether the line holds nothing else yet
        self._scanner: ValueScanner | None = None  # of the JSON, once it has begun
        self.holds_words = False
        """Whether text is held, other than white space."""

    def feed(self, text: str) -> str:
        """What of the text is surely JSON."""
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
        """The text, if no JSON came; what comes from now on is another text."""
        held = "".join([*self._held, *self._bracket])
        self._forget()
        self._begins_line, self._scanner = True, None
        return held

    def _forget(self) -> None:
        self._held, self._bracket, self.holds_words = [], [], False

    def _read_words(self, text: str, place: int) -> int:
        """Reads on to a bracket, or to the end of the line."""
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
        """Reads the white space behind a bracket, and tells by what follows whether JSON begins there."""
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
