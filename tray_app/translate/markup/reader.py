"""Finds tool calls and think tags that a model wrote as text, while the text arrives.

If the parser of upstream's server missed it, a model's own markup reaches the client as text: a call is never run, and
thinking is shown. The reader holds text back only while it can still become markup, and returns it unchanged if it does
not. Text that a backtick, a quote or a code fence introduces counts as quoted, and quoted tags are prose.

Prose also names tags without quotes. So a think tag counts only where a model begins to think:

- At the beginning of an answer. The text behind it is thinking at once, because thinking must stream. If the tag never
  closes, and the model says nothing else, `unclosed` has the text for a client that is not shown the thinking.
- At the beginning of a line, if it closes. The text is held until then, and is text if the tag does not close.
- A closer without its opener ends thinking that began in the prompt, unless it stands within a line of prose.
"""

from __future__ import annotations

import re

from tray_app.translate.markup.call_reader import CallReader
from tray_app.translate.markup.cursor import Cursor
from tray_app.translate.markup.drafts import Schemas
from tray_app.translate.markup.grammars import BY_OPENER, CLOSERS
from tray_app.translate.markup.pieces import Piece, Pieces, Text, Thought, WrittenCalls
from tray_app.translate.markup.tags import (
    CONTROL_TOKENS,
    DEPENDENT,
    FIRST_TAG,
    MESSAGE,
    PREAMBLE,
    TAG,
    TAG_OR_LINE_END,
    find_beginning,
    may_be_first_tag,
    needs_more,
)
from tray_app.translate.markup.text_before import TextBefore
from tray_app.translate.markup.text_blocks import BLOCK_TAGS
from tray_app.translate.markup.think_reader import ThinkReader
from tray_app.translate.markup.think_tags import BY_OPENER as THINK_TAGS
from tray_app.translate.markup.think_tags import LONE_CLOSERS, ThinkTags

MAX_HELD_CHARS = 1_000_000
"""Longest markup that is held, in characters. A longer call is text: nothing may be held without end."""

_STEP_CHARS = 65_536
"""A long text is read in steps of so many characters, so that a call that is too long is noticed soon."""

_BLANKS = re.compile(r"\s*")


class MarkupReader:
    """Reads the content or the reasoning of an answer. The pieces, joined, are the text without its markup."""

    def __init__(self, schemas: Schemas, *, is_reasoning: bool = False) -> None:
        self._is_reasoning = is_reasoning
        self._cursor = Cursor()  # holds the text that is not decided yet: part of a tag, or a call so far
        self._calls = CallReader(self._cursor)
        self._think = ThinkReader(self._cursor)
        self._opener = ""  # the opener of the call that is being read; empty outside of calls
        self._no_call_at = -1  # the place of the last opener that no call follows
        self._before = TextBefore()
        self._has_begun = False  # whether anything was returned before the text that is being fed
        self._is_plain = False  # whether nothing is held, and the next text is outside of think tags
        self.schemas = schemas

    def __repr__(self) -> str:
        state = self._calls if self._opener else self._think
        return f"MarkupReader({state}, {self._cursor})"

    @property
    def schemas(self) -> Schemas:
        """The schemas of the tools that may be called. Empty if none may be called."""
        return self._calls.schemas

    @schemas.setter
    def schemas(self, schemas: Schemas) -> None:
        self._calls.schemas = schemas

    @property
    def unclosed(self) -> str:
        """The think tag that the answer began with and all behind it, if the tag has not closed. Empty otherwise."""
        return self._think.unclosed

    def passes(self, text: str) -> bool:
        """Tells whether all of `text` is text and settled, so that the caller need not `feed` it."""
        if not self._is_plain or "<" in text:
            return False
        self._before.add(text)
        self._has_begun = True
        return True

    def feed(self, text: str) -> list[Piece]:
        """Returns the pieces that `text` settles."""
        pieces = Pieces()
        start = 0
        while start < len(text):
            end = start + _STEP_CHARS
            if self._cursor.is_marked:
                end = min(end, start + MAX_HELD_CHARS - self._cursor.held_chars)
            self._cursor.push(text[start:end])
            self._read(pieces, is_last=False)
            start = end
        return self._end(pieces)

    def flush(self, *, is_whole: bool = False) -> list[Piece]:
        """Returns what is still held, as text.

        `is_whole`: the model has said all that it wanted to say. Then a call counts even if the end of its block is
        missing. Otherwise a call without its end is text.
        """
        pieces = Pieces()
        self._read(pieces, is_last=True, is_whole=is_whole)
        return self._end(pieces)

    def _end(self, pieces: Pieces) -> list[Piece]:
        found = pieces.to_list()
        self._has_begun = self._has_begun or bool(found)
        is_first = not (self._before.has_words or self._is_reasoning)
        self._is_plain = not (self._cursor.held_chars or self._think.is_reading or is_first)
        return found

    def _read(self, pieces: Pieces, *, is_last: bool, is_whole: bool = False) -> None:
        """Reads the text at hand. `is_last`: no more text comes, and nothing is held back."""
        goes_on = True
        while goes_on:
            if self._opener:
                goes_on = self._read_call(pieces, is_last, is_whole)
            elif self._think.is_reading:
                is_too_long = self._cursor.is_marked and self._cursor.held_chars >= MAX_HELD_CHARS
                goes_on = self._think.read(pieces, is_last=is_last or is_too_long)
            else:
                goes_on = self._read_text(pieces, is_last)

    # The following methods return False if all text at hand is read, or if what is left needs more text.

    def _read_text(self, pieces: Pieces, is_last: bool) -> bool:
        """Reads to the next tag, and takes the tag."""
        cursor = self._cursor
        if not (self._before.has_words or self._is_reasoning):
            blanks = _BLANKS.match(cursor.text, cursor.at)
            assert blanks is not None
            if blanks.end() > cursor.at:
                self._give(pieces, blanks.end() - cursor.at)
            if first := FIRST_TAG.match(cursor.text, cursor.at):
                return self._take_tag(pieces, first[0], is_last)
            if not is_last and may_be_first_tag(cursor.text, cursor.at):
                return False
        match = (TAG_OR_LINE_END if self._before.names_tag else TAG).search(cursor.text, cursor.at)
        end = len(cursor.text) if is_last else find_beginning(cursor.text, cursor.at)
        if match:
            end = match.start()
        if end > cursor.at:
            self._give(pieces, end - cursor.at)
        if match is None:
            return False
        if match[0] == "\n":
            self._give(pieces, 1)
            return True
        return self._take_tag(pieces, match[0], is_last)

    def _take_tag(self, pieces: Pieces, tag: str, is_last: bool) -> bool:
        """Decides what the tag is that stands here, and takes it."""
        cursor = self._cursor
        if self._before.is_quoted:
            self._give_tag(pieces, tag)
        elif tag in BY_OPENER and cursor.place != self._no_call_at and self._calls.may_begin(tag):
            self._opener = tag
            self._calls.begin(tag)
        else:
            behind = ""
            if tag in DEPENDENT:
                behind = cursor.text[cursor.at + len(tag) : cursor.at + len(tag) + len(MESSAGE)]
                if not is_last and needs_more(tag, behind):
                    return False
            self._take_other_tag(pieces, tag, behind)
        return True

    def _take_other_tag(self, pieces: Pieces, tag: str, behind: str) -> None:
        """Takes a tag that begins no call. `behind` is the text that follows it, if the tag is in `DEPENDENT`."""
        is_control = tag in CONTROL_TOKENS or (tag == PREAMBLE and behind == MESSAGE)
        if tag in THINK_TAGS and self._may_think(tag):
            self._begin_thinking(THINK_TAGS[tag])
        elif tag in LONE_CLOSERS and not self._before.names_closer(behind):
            self._end_lone_thinking(pieces, tag)
        elif is_control or (
            tag in CLOSERS and self._before.follows_call
        ):  # neither is text that the model meant to say
            self._cursor.at += len(tag)
            self._before.begin_line()
        else:
            self._before.names_tag = self._before.names_tag or tag in THINK_TAGS
            self._give_tag(pieces, tag)

    def _may_think(self, tag: str) -> bool:
        return not self._before.has_words or (self._before.begins_line and self._think.may_close(tag))

    def _begin_thinking(self, tags: ThinkTags) -> None:
        if not self._is_reasoning:
            self._think.begin(tags, is_sure=not self._before.has_words)
        self._cursor.at += len(tags.opener)

    def _end_lone_thinking(self, pieces: Pieces, closer: str) -> None:
        """Takes a closer whose opener stood in the prompt. The text before it becomes thinking, if none of it was
        returned yet."""
        self._cursor.at += len(closer)
        if not self._is_reasoning and not self._has_begun:
            pieces.think()
            self._before = TextBefore(follows_call=self._before.follows_call)
            self._think.begin_trimming()

    def _read_call(self, pieces: Pieces, is_last: bool, is_whole: bool) -> bool:
        cursor = self._cursor
        is_too_long = cursor.held_chars >= MAX_HELD_CHARS
        calls = self._calls.read(is_last=is_last or is_too_long, is_whole=is_whole and not is_too_long)
        if calls is None:
            return False
        tag, self._opener = self._opener, ""
        if calls:
            pieces.add_calls(WrittenCalls(tuple(calls), cursor.release()))
            self._before.begin_line()
            self._before.has_words = self._before.follows_call = True
        else:
            cursor.rewind()
            self._no_call_at = cursor.place
            if tag not in DEPENDENT:
                self._take_other_tag(pieces, tag, "")
        return True

    def _give_tag(self, pieces: Pieces, tag: str) -> None:
        """Gives out the tag that stands here as text."""
        if tag in BLOCK_TAGS:
            self._calls.note_text(tag)
        self._give(pieces, len(tag))

    def _give(self, pieces: Pieces, length: int) -> None:
        """Gives out `length` characters as text, or as thinking in reasoning."""
        cursor = self._cursor
        text = cursor.text[cursor.at : cursor.at + length]
        cursor.at += length
        self._before.add(text)
        pieces.add(Thought if self._is_reasoning else Text, [text])
