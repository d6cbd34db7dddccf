"""What the text before a tag says about it: whether the tag is quoted, or stands in a line of prose."""

from __future__ import annotations

import re
from dataclasses import dataclass

QUOTES = "`'\""
_FENCE_TICKS = 3
_FENCE = re.compile("`{3,}")


@dataclass(slots=True)
class TextBefore:
    """What the text that was given out says about a tag behind it."""

    has_words: bool = False
    """Whether there was anything but white space."""
    begins_line: bool = True
    """Whether the tag is the first in its line."""
    ends_blank: bool = False
    """Whether a blank stands before it."""
    names_tag: bool = False
    """Whether its line names the opener of a think tag."""
    _last: str = ""
    _backticks: int = 0  # at the end
    _is_fenced: bool = False

    @property
    def is_quoted(self) -> bool:
        return self._is_fenced or (self._last != "" and self._last in QUOTES)

    def begin_line(self) -> None:
        """What went before was no text."""
        self._last, self.begins_line, self.ends_blank, self.names_tag = "", True, False, False

    def add(self, text: str) -> None:
        self._last = text[-1]
        words = text.rstrip(" \t")
        self.ends_blank = len(words) < len(text)
        if words:
            self.begins_line = words[-1] == "\n"
        if not self.has_words:
            self.has_words = not text.isspace()
        if self.names_tag and "\n" in text:
            self.names_tag = False
        if "`" in text or self._backticks:
            self._count_backticks(text)

    def _count_backticks(self, text: str) -> None:
        run = "`" * self._backticks + text
        fences = len(_FENCE.findall(run)) - (self._backticks == _FENCE_TICKS)
        self._is_fenced ^= fences % 2 == 1
        self._backticks = min(_FENCE_TICKS, len(run) - len(run.rstrip("`")))
