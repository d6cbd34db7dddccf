"""Tool calls and think tags that a model wrote as text, found again as the text streams by.

A model's own markup reaches the client as text where the server's parser missed it: a call that is never run, thinking
that is shown. The reader holds text back only while it can still become markup, and gives it back unchanged when it
cannot: prose that quotes a tag is prose. What a backtick, a quote or a code fence introduces counts as quoted.

Prose also names tags without quotes. So a think tag counts where a model begins to think:

- At the beginning of an answer. What follows is thinking at once, as it must stream. If the tag never closes, and the
  model says nothing else, `unclosed` has it once more, for a client that is not shown the thinking.
- At the beginning of a line, if it closes: the text is held until then, and is text if it does not.
- A closing tag without its opener ends thinking that began in the prompt, unless it stands within a line of prose.
"""

from __future__ import annotations

import re

from tray_app.translate.markup.call_reader import CallReader
from tray_app.translate.markup.cursor import Cursor
from tray_app.translate.markup.drafts import Schemas
from tray_app.translate.markup.grammar import END_TOKENS
from tray_app.translate.markup.grammars import BY_OPENER, CLOSERS
from tray_app.translate.markup.literals import to_pattern
from tray_app.translate.markup.pieces import Piece, Pieces, Text, Thought, WrittenCalls
from tray_app.translate.markup.text_before import TextBefore
from tray_app.translate.markup.text_blocks import BLOCK_TAGS
from tray_app.translate.markup.think_tags import BY_OPENER as THINK_TAGS
from tray_app.translate.markup.think_tags import LONE_CLOSERS, WITHIN, Thinking, ThinkTags

MAX_HELD_CHARS = 1_000_000
"""A call longer than this is given back as text: nothing may be held without end."""

_STEP_CHARS = 65_536
"""Of a long text, so many characters are read at a time: a call that is too long is noticed soon."""


_CONTROL_TOKENS = frozenset(
    {
        *("<|assistant|>", "<|system|>", "<|im_start|>", *END_TOKENS),
        *("<|start|>assistant", "<|channel|>final", "<|message|>", "<|end|>", "<|return|>"),
    }
)
_PREAMBLE, _MESSAGE = "<|channel|>commentary", "<|message|>"
"""With the second one behind it, the first is a control token, too: gpt-oss says what it is about to call."""
TAGS = (
    *dict.fromkeys((*(tag for tag in BY_OPENER if tag[0] == "<"), *CLOSERS, *WITHIN, *LONE_CLOSERS, *_CONTROL_TOKENS)),
)
"""What may be markup anywhere. Each begins with `<` and holds no other."""
_TAG = re.compile(to_pattern(TAGS))
_TAG_OR_LINE_END = re.compile(to_pattern([*({*TAGS} - {*WITHIN, *LONE_CLOSERS} | {*BY_OPENER} & {*TAGS}), "\n"]))
"""In a line that names think tags, they are text."""
_MAX_TAG_CHARS = max(map(len, TAGS))
_BEGINNINGS = frozenset(tag[:length] for tag in TAGS for length in range(1, len(tag)))
_DEPENDENT = frozenset({*LONE_CLOSERS, _PREAMBLE})
"""Those of which the text behind them says what they are."""
FIRST_TAGS = (*THINK_TAGS, *(opener for opener in BY_OPENER if opener[0] != "<"))
"""What counts at the beginning of an answer."""
_FIRST_TAG = re.compile("|".join(map(re.escape, FIRST_TAGS)))
_MAX_FIRST_CHARS = max(map(len, FIRST_TAGS))
_FIRST_BEGINNINGS = frozenset(tag[:length] for tag in FIRST_TAGS for length in range(len(tag)))
_LINE_ENDS = re.compile("\n*")
_BLANKS = re.compile(r"\s*")


class MarkupReader:
    """Reads one channel of an answer, content or reasoning. The pieces, joined, are the text less its markup."""

    def __init__(self, schemas: Schemas, *, is_reasoning: bool = False) -> None:
        self._is_reasoning = is_reasoning
        self._cursor = Cursor()  # not decided yet: the start of a tag, or all of a call so far
        self._calls = CallReader(self._cursor)
        self._opener = ""  # of the call that is being read; empty outside of calls
        self._no_call_at = -1  # the place of an opener behind which no call stands
        self._thinking: Thinking | None = None  # what is open of it
        self._unclosed_until: dict[str, int] = {}  # think tag -> a place before which its closer does not come
        self._trims = False  # line ends beside a think tag are part of it
        self._before = TextBefore()
        self._follows_call = False  # whether nothing but white space came behind the last call
        self._has_begun = False  # whether anything was given out before the text that is being fed
        self._is_plain = False  # whether nothing is held, and the next text stands in no tag
        self.schemas = schemas

    def __repr__(self) -> str:
        state = self._calls if self._opener else self._thinking or "text"
        return f"MarkupReader({state}, {self._cursor})"

    @property
    def schemas(self) -> Schemas:
        """Name -> input schema of the tools that may be called; empty if none may."""
        return self._calls.schemas

    @schemas.setter
    def schemas(self, schemas: Schemas) -> None:
        self._calls.schemas = schemas

    @property
    def unclosed(self) -> str:
        """What the answer began with, if that is a think tag that never closed: the tag and all behind it."""
        thinking = self._thinking
        return "".join([thinking.tags.opener, *thinking.texts]) if thinking and thinking.is_sure else ""

    def passes(self, text: str) -> bool:
        """Whether `text` is all text, and settled: the fast way past `feed`, for almost all that a model says."""
        if not self._is_plain or "<" in text:
            return False
        self._note(text)
        self._has_begun = True
        return True

    def feed(self, text: str) -> list[Piece]:
        """The pieces that `text` settles."""
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
        """What is still held, as text: a call without its end is never shown as complete.

        `is_whole`: the model has said all that it wanted to say; then only the end of a call's block may be missing.
        """
        pieces = Pieces()
        self._read(pieces, is_last=True, is_whole=is_whole)
        return self._end(pieces)

    def _end(self, pieces: Pieces) -> list[Piece]:
        found = pieces.to_list()
        self._has_begun = self._has_begun or bool(found)
        is_first = not (self._before.has_words or self._is_reasoning)
        self._is_plain = not (self._cursor.held_chars or self._thinking or self._trims or is_first)
        return found

    def _read(self, pieces: Pieces, *, is_last: bool, is_whole: bool = False) -> None:
        """Reads the text at hand. `is_last`: no more text comes, and nothing is held back."""
        goes_on = True
        while goes_on:
            if self._opener:
                goes_on = self._read_call(pieces, is_last, is_whole)
            elif self._trims:
                goes_on = self._trim(is_last)
            elif self._thinking:
                goes_on = self._read_thinking(pieces, self._thinking, is_last)
            else:
                goes_on = self._read_text(pieces, is_last)

    # Each of these returns whether to go on; if not, all text at hand is read, or what is left of it needs more text.

    def _trim(self, is_last: bool) -> bool:
        cursor = self._cursor
        if line_ends := _LINE_ENDS.match(cursor.text, cursor.at):
            cursor.at = line_ends.end()
        self._trims = cursor.at == len(cursor.text) and not is_last
        return not self._trims

    def _read_thinking(self, pieces: Pieces, thinking: Thinking, is_last: bool) -> bool:
        """Everything up to the closing tag, and that tag."""
        cursor = self._cursor
        is_last = is_last or (cursor.is_marked and cursor.held_chars >= MAX_HELD_CHARS)
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

    def _read_text(self, pieces: Pieces, is_last: bool) -> bool:
        """Everything up to the next tag, and that tag unless a call may begin with it."""
        cursor = self._cursor
        if not (self._before.has_words or self._is_reasoning):
            blanks = _BLANKS.match(cursor.text, cursor.at)
            assert blanks is not None
            if blanks.end() > cursor.at:
                self._give(pieces, blanks.end() - cursor.at)
            if first := _FIRST_TAG.match(cursor.text, cursor.at):
                return self._take_tag(pieces, first[0], is_last)
            if not is_last and cursor.text[cursor.at : cursor.at + _MAX_FIRST_CHARS] in _FIRST_BEGINNINGS:
                return False
        match = (_TAG_OR_LINE_END if self._before.names_tag else _TAG).search(cursor.text, cursor.at)
        end = match.start() if match else len(cursor.text) if is_last else self._find_beginning()
        if end > cursor.at:
            self._give(pieces, end - cursor.at)
        if match is None:
            return False
        if match[0] == "\n":
            self._give(pieces, 1)
            return True
        return self._take_tag(pieces, match[0], is_last)

    def _find_beginning(self) -> int:
        """Where a tag may begin at the end of the text at hand; that end if none does."""
        text = self._cursor.text
        place = text.rfind("<", max(self._cursor.at, len(text) - _MAX_TAG_CHARS))
        return place if place >= 0 and text[place:] in _BEGINNINGS else len(text)

    def _take_tag(self, pieces: Pieces, tag: str, is_last: bool) -> bool:
        """Takes the tag that stands here for what it is."""
        cursor = self._cursor
        if self._before.is_quoted:
            self._give_tag(pieces, tag)
        elif tag in BY_OPENER and cursor.place != self._no_call_at and self._calls.may_begin(tag):
            self._opener = tag
            self._calls.begin(tag)
        else:
            behind = ""
            if tag in _DEPENDENT:
                behind = cursor.text[cursor.at + len(tag) : cursor.at + len(tag) + len(_MESSAGE)]
                if not is_last and _is_open(tag, behind):
                    return False
            self._take_other_tag(pieces, tag, behind)
        return True

    def _take_other_tag(self, pieces: Pieces, tag: str, behind: str) -> None:
        """Takes a tag that begins no call. `behind`: some of the text that follows it, where that counts."""
        is_control = tag in _CONTROL_TOKENS or (tag == _PREAMBLE and behind == _MESSAGE)
        if tag in THINK_TAGS and self._may_think(tag):
            self._begin_thinking(THINK_TAGS[tag])
        elif tag in LONE_CLOSERS and not self._is_prose(behind):
            self._end_lone_thinking(pieces, tag)
        elif is_control or (tag in CLOSERS and self._follows_call):  # which is nothing that anybody said
            self._cursor.at += len(tag)
            self._before.begin_line()
        else:
            self._before.names_tag = self._before.names_tag or tag in THINK_TAGS
            self._give_tag(pieces, tag)

    def _may_think(self, tag: str) -> bool:
        if not self._before.has_words:
            return True
        return self._before.begins_line and self._cursor.place >= self._unclosed_until.get(tag, 0)

    def _begin_thinking(self, tags: ThinkTags) -> None:
        cursor = self._cursor
        if not self._is_reasoning:
            self._thinking = Thinking(tags, is_sure=not self._before.has_words)
            self._trims = True
            if self._before.has_words:
                cursor.set_mark()
        cursor.at += len(tags.opener)

    def _is_prose(self, behind: str) -> bool:
        """Whether a closing tag is only named: in a line that also names its opener, or between blanks."""
        before, ends_line = self._before, behind[:1] in ("", "\n", "\r")
        return before.names_tag or (before.ends_blank and not before.begins_line and not ends_line)

    def _end_lone_thinking(self, pieces: Pieces, closer: str) -> None:
        """All before a closing tag is thinking, as a model does whose prompt ends with the opener. That holds for text
        in one piece: what a stream has given out is text for good, and the tag just goes."""
        self._cursor.at += len(closer)
        if not self._is_reasoning and not self._has_begun:
            pieces.think()
            self._before = TextBefore()
            self._trims = True

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
            self._before.has_words = self._follows_call = True
        else:
            cursor.rewind()
            self._no_call_at = cursor.place
            if tag not in _DEPENDENT:
                self._take_other_tag(pieces, tag, "")
        return True

    def _give_tag(self, pieces: Pieces, tag: str) -> None:
        """Gives out the tag that stands here, which is text after all."""
        if tag in BLOCK_TAGS:
            self._calls.note_text(tag)
        self._give(pieces, len(tag))

    def _give(self, pieces: Pieces, length: int) -> None:
        """Gives out that many of the next characters."""
        cursor = self._cursor
        text = cursor.text[cursor.at : cursor.at + length]
        cursor.at += length
        self._note(text)
        pieces.add(Thought if self._is_reasoning else Text, [text])

    def _note(self, text: str) -> None:
        """Keeps what the text that is given out means for what comes after it."""
        self._before.add(text)
        if self._follows_call:
            self._follows_call = text.isspace()


def _is_open(tag: str, behind: str) -> bool:
    """Whether what follows the tag is needed, but not all there: to tell a closing tag from prose, and a preamble."""
    return (tag in LONE_CLOSERS and not behind) or (
        tag == _PREAMBLE and behind != _MESSAGE and _MESSAGE.startswith(behind)
    )
