"""Knows the text before a tag, which says whether the tag is quoted or stands in a line of prose."""

from __future__ import annotations

import re
from dataclasses import dataclass

QUOTES = "`'\""
_FENCE_TICKS = 3
_FENCE = re.compile("`{3,}")


@dataclass(slots=True)
class TextBefore:
    """The text that was given out before a tag."""

    has_words: bool = False
    """Tells whether there was anything but white space."""
    begins_line: bool = True
    """Tells whether the tag is the first in its line."""
    ends_blank: bool = False
    """Tells whether a blank stands before the tag."""
    names_tag: bool = False
    """Tells whether the line of the tag names the opener of a think tag."""
    follows_call: bool = False
    """Tells whether only white space came behind the last call."""
    _last: str = ""
    _backticks: int = 0  # how many stand at the end, three at most
    _is_fenced: bool = False

    @property
    def is_quoted(self) -> bool:
        """Tells whether a tag that follows is quoted."""
        return self._is_fenced or (self._last != "" and self._last in QUOTES)

    def names_closer(self, behind: str) -> bool:
        """Tells whether prose names a closer: its line also names an opener, or white space stands on both sides.

        `behind` is the text behind the closer.
        """
        ends_line = behind[:1] in ("", "\n", "\r")
        return self.names_tag or (self.ends_blank and not self.begins_line and not ends_line)

    def begin_line(self) -> None:
        """Takes notice of markup, behind which a tag counts as the first in its line."""
        self._last, self.begins_line, self.ends_blank, self.names_tag = "", True, False, False

    def add(self, text: str) -> None:
        """Takes more text, which must not be empty."""
        self._last = text[-1]
        words = text.rstrip(" \t")
        self.ends_blank = len(words) < len(text)
        if words:
            self.begins_line = words[-1] == "\n"
        if not self.has_words:
            self.has_words = not text.isspace()
        if self.follows_call:
            self.follows_call = text.isspace()
        if self.names_tag and "\n" in text:
            self.names_tag = False
        if "`" in text or self._backticks:
            self._count_backticks(text)

    def _count_backticks(self, text: str) -> None:
        run = "`" * self._backticks + text
        fences = len(_FENCE.findall(run)) - (self._backticks == _FENCE_TICKS)
        self._is_fenced ^= fences % 2 == 1
        self._backticks = min(_FENCE_TICKS, len(run) - len(run.rstrip("`")))
