"""Reads the thinking that a model wrote between think tags."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from tray_app.translate.markup.cursor import Cursor
from tray_app.translate.markup.pieces import Pieces, Thought
from tray_app.translate.markup.text_before import QUOTES
from tray_app.translate.markup.think_tags import THINK_TAGS, ThinkTags

_ENDS = {tags.opener: re.compile("|".join(map(re.escape, (tags.closer, *tags.ends_before)))) for tags in THINK_TAGS}
_MOST_END_CHARS = max(len(end) for tags in THINK_TAGS for end in (tags.closer, *tags.ends_before))
_LINE_ENDS = re.compile("\n*")


@dataclass(slots=True)
class _Thinking:
    """The think tags that are open."""

    tags: ThinkTags
    is_sure: bool
    """Tells whether the text behind the opener is thinking even if the closer never comes."""
    texts: list[str] = field(default_factory=list)
    """The thinking so far, in pieces that are not empty."""

    def find_end(self, text: str, place: int, *, is_last: bool) -> tuple[int, str | None]:
        """Returns where the thinking ends that begins at `place`, and the closer that stands there.

        The closer is empty if another tag ends the thinking, and None if the end may still come. A quoted closer does
        not end the thinking.
        """
        for end in _ENDS[self.tags.opener].finditer(text, place):
            if end[0] != self.tags.closer:
                return end.start(), ""
            before = text[end.start() - 1] if end.start() > place else self._last
            behind = text[end.end() : end.end() + 1]
            if before == "" or before not in QUOTES or (behind != before and (behind or is_last)):
                return end.start(), end[0]
            if not behind:
                return end.start(), None
        return (len(text) if is_last else self._find_beginning(text, place)), None

    @property
    def _last(self) -> str:
        """The last character of the thinking so far."""
        return self.texts[-1][-1] if self.texts else ""

    def _find_beginning(self, text: str, place: int) -> int:
        """Returns where an end tag may begin that the end of the text cuts off. That is the end if none may."""
        ends = (self.tags.closer, *self.tags.ends_before)
        found = text.rfind(self.tags.closer[0], max(place, len(text) - _MOST_END_CHARS))
        return found if found >= 0 and any(end.startswith(text[found:]) for end in ends) else len(text)


class ThinkReader:
    """Reads from behind the opener of a think tag to behind its closer, and the line ends beside both."""

    def __init__(self, cursor: Cursor) -> None:
        self._cursor = cursor
        self._thinking: _Thinking | None = None  # None outside of think tags
        self._trims = False  # whether line ends that come next belong to a think tag
        self._unclosed_until: dict[str, int] = {}  # opener -> a place before which its closer does not come

    def __str__(self) -> str:
        return str(self._thinking or "text")

    @property
    def is_reading(self) -> bool:
        """Tells whether the next text is for `read`."""
        return self._trims or self._thinking is not None

    @property
    def unclosed(self) -> str:
        """The opener and the thinking that the answer began with, if the closer has not come. Empty otherwise."""
        thinking = self._thinking
        return "".join([thinking.tags.opener, *thinking.texts]) if thinking and thinking.is_sure else ""

    def may_close(self, opener: str) -> bool:
        """Tells whether the closer of an opener that stands here may still come."""
        return self._cursor.place >= self._unclosed_until.get(opener, 0)

    def begin(self, tags: ThinkTags, *, is_sure: bool) -> None:
        """Begins thinking at its opener. Unless `is_sure`, the text is held until the closer comes."""
        self._thinking = _Thinking(tags, is_sure)
        self._trims = True
        if not is_sure:
            self._cursor.set_mark()

    def begin_trimming(self) -> None:
        """Skips the line ends that come next."""
        self._trims = True

    def read(self, pieces: Pieces, *, is_last: bool) -> bool:
        """Reads the text at hand. Returns False if all of it is read, or if what is left needs more text."""
        if self._trims:
            return self._trim(is_last)
        assert self._thinking is not None
        return self._read_thinking(pieces, self._thinking, is_last)

    def _trim(self, is_last: bool) -> bool:
        cursor = self._cursor
        if line_ends := _LINE_ENDS.match(cursor.text, cursor.at):
            cursor.at = line_ends.end()
        self._trims = cursor.at == len(cursor.text) and not is_last
        return not self._trims

    def _read_thinking(self, pieces: Pieces, thinking: _Thinking, is_last: bool) -> bool:
        """Reads to the closer, and steps over it. If it cannot come any more, the held text is read anew as text."""
        cursor = self._cursor
        start, closer = thinking.find_end(cursor.text, cursor.at, is_last=is_last)
        thought, cursor.at = cursor.text[cursor.at : start], start
        if thought:
            thinking.texts.append(thought)
            if thinking.is_sure:
                pieces.add(Thought, [thought])
        if closer is None and not (is_last and cursor.is_marked):
            return False
        self._thinking = None
        if closer is None:
            self._unclosed_until[thinking.tags.opener] = cursor.end
            cursor.rewind()
            return True
        if cursor.is_marked:
            cursor.release()
            pieces.add(Thought, thinking.texts)
        cursor.at += len(closer)
        self._trims = True
        return True
