"""Tool calls and think tags that a model wrote as text, found again as the text streams by.

A model's own markup reaches the client as text where the server's parser missed it: a call that is never run, thinking
that is shown. The reader holds text back only while it can still become markup, and gives it back unchanged when it
cannot: prose that quotes a tag is prose. What a backtick, a quote or a code fence introduces counts as quoted.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from tray_app.translate.call_reader import CallReader
from tray_app.translate.cursor import Cursor
from tray_app.translate.grammars import BLOCKS_AROUND, BY_OPENER, Schemas, WrittenCall

MAX_HELD_CHARS = 1_000_000
"""A call longer than this is given back as text: nothing may be held without end."""

_STEP_CHARS = 65_536
"""Of a long text, so many characters are read at a time: a call that is too long is noticed soon."""


@dataclass(frozen=True, slots=True)
class Text:
    text: str


@dataclass(frozen=True, slots=True)
class Thought:
    text: str


@dataclass(frozen=True, slots=True)
class WrittenCalls:
    """The calls of one piece of markup, and the markup as the model wrote it."""

    calls: tuple[WrittenCall, ...]
    markup: str


Piece = Text | Thought | WrittenCalls

_THINK_OPENERS = {"<think>": "</think>", "<mm:think>": "</mm:think>", "<|channel|>analysis": "<|end|>"}
_THINK_CLOSERS = ("</think>", "</mm:think>")
_CONTROL_TOKENS = (
    *("<|observation|>", "<|user|>", "<|assistant|>", "<|system|>", "<|endoftext|>"),
    *("<|im_start|>", "<|im_end|>"),
    *("<|start|>assistant", "<|channel|>final", "<|message|>", "<|end|>", "<|return|>"),
)
_BLOCK_CLOSERS = frozenset(closer for blocks in BLOCKS_AROUND.values() for closer in blocks.values())
TAGS = (*BY_OPENER, *_BLOCK_CLOSERS, *_THINK_OPENERS, *_THINK_CLOSERS, *_CONTROL_TOKENS)
"""What may be markup. Each begins with `<` and holds no other."""
_TAG = re.compile("|".join(map(re.escape, TAGS)))
_MAX_TAG_CHARS = max(map(len, TAGS))
_BEGINNINGS = frozenset(tag[:length] for tag in TAGS for length in range(1, len(tag)))
_LINE_ENDS = re.compile("\n*")
_QUOTES = "`'\""
_FENCE_TICKS = 3
_FENCE = re.compile("`{3,}")


class MarkupReader:
    """Reads one channel of an answer, content or reasoning. The pieces, joined, are the text less its markup."""

    def __init__(self, schemas: Schemas, *, is_reasoning: bool = False) -> None:
        self._is_reasoning = is_reasoning
        self._cursor = Cursor()  # not decided yet: the start of a tag, or all of a call so far
        self._calls = CallReader(self._cursor)
        self._opener = ""  # of the call that is being read; empty outside of calls
        self._think_end = ""  # the closing tag that is waited for; empty outside of think tags
        self._trims = False  # line ends beside a think tag are part of it
        self._last = ""  # the last character given out, to tell what is quoted
        self._backticks = 0  # at the end of what was given out
        self._is_fenced = False
        self._has_begun = False  # whether anything was given out before the text that is being fed
        self._is_plain = True  # whether nothing is held, and the next text stands in no tag
        self.schemas = schemas

    def __repr__(self) -> str:
        state = self._calls if self._opener else f"until {self._think_end}" if self._think_end else "text"
        return f"MarkupReader({state}, {self._cursor})"

    @property
    def schemas(self) -> Schemas:
        """Name -> input schema of the tools that may be called; empty if none may."""
        return self._calls.schemas

    @schemas.setter
    def schemas(self, schemas: Schemas) -> None:
        self._calls.schemas = schemas

    def passes(self, text: str) -> bool:
        """Whether `text` is all text, and settled: the fast way past `feed`, for almost all that a model says."""
        if not self._is_plain or "<" in text:
            return False
        self._note(text)
        self._has_begun = True
        return True

    def feed(self, text: str) -> list[Piece]:
        """The pieces that `text` settles."""
        pieces = _Pieces()
        start = 0
        while start < len(text):
            end = start + _STEP_CHARS
            if self._opener:
                end = min(end, start + MAX_HELD_CHARS - self._cursor.held_chars)
            self._cursor.push(text[start:end])
            self._read(pieces, is_last=False)
            start = end
        return self._end(pieces)

    def flush(self) -> list[Piece]:
        """What is still held, as text: a call without its end is never shown as complete."""
        pieces = _Pieces()
        self._read(pieces, is_last=True)
        return self._end(pieces)

    def _end(self, pieces: _Pieces) -> list[Piece]:
        found = pieces.to_list()
        self._has_begun = self._has_begun or bool(found)
        self._is_plain = not (self._cursor.held_chars or self._think_end or self._trims)
        return found

    def _read(self, pieces: _Pieces, *, is_last: bool) -> None:
        """Reads the text at hand. `is_last`: no more text comes, and nothing is held back."""
        goes_on = True
        while goes_on:
            if self._opener:
                goes_on = self._read_call(pieces, is_last)
            elif self._trims:
                goes_on = self._trim()
            elif self._think_end:
                goes_on = self._read_thinking(pieces, is_last)
            else:
                goes_on = self._read_text(pieces, is_last)

    # Each of these returns whether to go on; if not, all text at hand is read, or what is left of it needs more text.

    def _trim(self) -> bool:
        cursor = self._cursor
        if line_ends := _LINE_ENDS.match(cursor.text, cursor.at):
            cursor.at = line_ends.end()
        self._trims = cursor.at == len(cursor.text)
        return not self._trims

    def _read_thinking(self, pieces: _Pieces, is_last: bool) -> bool:
        """Everything up to the closing tag, and that tag."""
        cursor = self._cursor
        found = cursor.text.find(self._think_end, cursor.at)
        end = found if found >= 0 else len(cursor.text) if is_last else self._find_beginning(self._think_end.startswith)
        if end > cursor.at:
            pieces.add(Thought, [cursor.text[cursor.at : end]])
            cursor.at = end
        if found < 0:
            return False
        cursor.at += len(self._think_end)
        self._think_end, self._trims = "", True
        return True

    def _read_text(self, pieces: _Pieces, is_last: bool) -> bool:
        """Everything up to the next tag, and that tag unless a call may begin with it."""
        cursor = self._cursor
        match = _TAG.search(cursor.text, cursor.at)
        end = (
            match.start() if match else len(cursor.text) if is_last else self._find_beginning(_BEGINNINGS.__contains__)
        )
        self._give(pieces, end - cursor.at)
        if match is None:
            return False
        tag = match[0]
        is_call = tag in BY_OPENER and self._calls.may_begin(tag)
        if self._is_quoted() or tag in _BLOCK_CLOSERS or (tag in BY_OPENER and not is_call):
            self._give_tag(pieces, tag)
        elif is_call:
            self._opener = tag
            self._calls.begin(tag)
        else:
            cursor.at += len(tag)
            self._take_tag(pieces, tag)
        return True

    def _find_beginning(self, is_beginning: Callable[[str], bool]) -> int:
        """Where a tag may begin at the end of the text at hand; that end if none does."""
        text = self._cursor.text
        place = text.rfind("<", max(self._cursor.at, len(text) - _MAX_TAG_CHARS))
        return place if place >= 0 and is_beginning(text[place:]) else len(text)

    def _take_tag(self, pieces: _Pieces, tag: str) -> None:
        """A think tag or a control token, which is nothing that anybody said."""
        if self._is_reasoning:
            return
        if tag in _THINK_OPENERS:
            self._think_end, self._trims = _THINK_OPENERS[tag], True
        elif tag in _THINK_CLOSERS and not self._has_begun:
            # All before a closing tag is thinking, as a model does whose prompt ends with the opener. That holds for
            # text in one piece: what a stream has given out is text for good, and the tag just goes.
            pieces.think()
            self._trims = True

    def _read_call(self, pieces: _Pieces, is_last: bool) -> bool:
        cursor = self._cursor
        calls = self._calls.read(is_last=is_last or cursor.held_chars >= MAX_HELD_CHARS)
        if calls is None:
            return False
        if calls:
            pieces.add_calls(WrittenCalls(tuple(calls), cursor.release()))
            self._last = ""
        else:
            cursor.rewind()
            self._give_tag(pieces, self._opener)
        self._opener = ""
        return True

    def _give_tag(self, pieces: _Pieces, tag: str) -> None:
        """Gives out the tag that stands here, which is text after all."""
        self._calls.note_text(tag)
        self._give(pieces, len(tag))

    def _give(self, pieces: _Pieces, length: int) -> None:
        """Gives out that many of the next characters."""
        start = self._cursor.at
        self._cursor.at += length
        text = self._cursor.text[start : start + length]
        if text:
            self._note(text)
            pieces.add(Thought if self._is_reasoning else Text, [text])

    def _note(self, text: str) -> None:
        """Keeps what the text that is given out means for what comes after it."""
        self._last = text[-1]
        if "`" not in text and not self._backticks:
            return
        run = "`" * self._backticks + text
        fences = len(_FENCE.findall(run)) - (self._backticks == _FENCE_TICKS)
        self._is_fenced ^= fences % 2 == 1
        self._backticks = min(_FENCE_TICKS, len(run) - len(run.rstrip("`")))

    def _is_quoted(self) -> bool:
        return self._is_fenced or (self._last != "" and self._last in _QUOTES)


@dataclass(slots=True)
class _Run:
    """Text or thinking without anything in between."""

    kind: type[Text] | type[Thought]
    texts: list[str]


class _Pieces:
    """The pieces that one feed settles; neighbours of one kind are one piece."""

    def __init__(self) -> None:
        self._runs: list[_Run | WrittenCalls] = []
        self._without_text = 0  # so many of the first runs are calls or thinking

    def add(self, kind: type[Text] | type[Thought], texts: list[str]) -> None:
        last = self._runs[-1] if self._runs else None
        if isinstance(last, _Run) and last.kind is kind:
            last.texts += texts
        else:
            self._runs.append(_Run(kind, texts))

    def add_calls(self, calls: WrittenCalls) -> None:
        self._runs.append(calls)

    def think(self) -> None:
        """Makes thinking of all text so far."""
        later = []
        while len(self._runs) > self._without_text:
            later.append(self._runs.pop())
        for run in reversed(later):
            if isinstance(run, _Run):
                self.add(Thought, run.texts)
            else:
                self.add_calls(run)
        self._without_text = len(self._runs)

    def to_list(self) -> list[Piece]:
        return [run.kind("".join(run.texts)) if isinstance(run, _Run) else run for run in self._runs]
