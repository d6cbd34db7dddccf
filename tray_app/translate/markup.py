"""Tool calls and think tags that a model wrote as text, found again as the text streams by.

A model's own markup reaches the client as text where the server's parser missed it: a call that is never run, thinking
that is shown. The reader holds text back only while it can still become markup, and gives it back unchanged when it
cannot: prose that quotes a tag is prose. What a backtick, a quote or a code fence introduces counts as quoted.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from tray_app.translate.grammars import UNDECIDED, Schemas, WrittenCall, read_glm_or_hermes, read_minimax
from tray_app.translate.stops import count_overlap

MAX_HELD_CHARS = 1_000_000
"""A call longer than this is given back as text: nothing may be held without end."""


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

_CALL_OPENERS = ("<tool_call>", "<minimax:tool_call>")
_THINK_OPENERS = {"<think>": "</think>", "<mm:think>": "</mm:think>"}
_THINK_CLOSERS = tuple(_THINK_OPENERS.values())
_CONTROL_TOKENS = (
    *("<|observation|>", "<|user|>", "<|assistant|>", "<|system|>", "<|endoftext|>"),
    *("<|im_start|>", "<|im_end|>"),
)
_TAGS = (*_CALL_OPENERS, *_THINK_OPENERS, *_THINK_CLOSERS, *_CONTROL_TOKENS)
_QUOTES = "`'\""
_FENCE_TICKS = 3
_FENCE = re.compile("`{3,}")


class MarkupReader:
    """Reads one channel of an answer, content or reasoning. The pieces, joined, are the text less its markup."""

    def __init__(self, schemas: Schemas, *, is_reasoning: bool = False) -> None:
        self.schemas = schemas
        """Name -> input schema of the tools that may be called; empty where none may."""
        self._is_reasoning = is_reasoning
        self._held = ""  # not decided yet: the start of a tag, or all of a call so far
        self._think_end = ""  # the closing tag that is waited for; empty outside of think tags
        self._trims = False  # line ends beside a think tag are part of it
        self._last = ""  # the last character given out, to tell what is quoted
        self._backticks = 0  # at the end of what was given out
        self._is_fenced = False
        self._has_begun = False  # whether anything was given out before the text that is being fed

    def __repr__(self) -> str:
        state = f"until {self._think_end}" if self._think_end else "text"
        return f"MarkupReader({state}, held={self._held[:40]!r})"

    def passes(self, text: str) -> bool:
        """Whether `text` is all text, and settled: the fast way past `feed`, for almost all that a model says."""
        if self._held or self._think_end or self._trims or "<" in text:
            return False
        self._note(text)
        self._has_begun = True
        return True

    def feed(self, text: str) -> list[Piece]:
        """The pieces that `text` settles."""
        self._held += text
        return self._read(is_last=False)

    def flush(self) -> list[Piece]:
        """What is still held, as text: a call without its end is never shown as complete."""
        return self._read(is_last=True)

    def _read(self, *, is_last: bool) -> list[Piece]:
        pieces: list[Piece] = []
        while self._held:
            if self._ends_unopened_thinking():
                pieces = [Thought(piece.text) if isinstance(piece, Text) else piece for piece in pieces]
                continue
            if self._trims:
                self._held = self._held.lstrip("\n")
                self._trims = not self._held
                continue
            before = self._held
            pieces += self._read_thinking(is_last) if self._think_end else self._read_text(is_last)
            if self._held == before:
                break
        self._has_begun = self._has_begun or bool(pieces)
        return pieces

    def _ends_unopened_thinking(self) -> bool:
        """Takes a closing tag that makes all before it thinking, as a model does whose prompt ends with the opener.

        That holds for text in one piece. What a stream has given out is text for good, and the tag just goes.
        """
        if self._has_begun or self._think_end or self._is_reasoning or self._is_quoted():
            return False
        tag = next((tag for tag in _THINK_CLOSERS if self._held.startswith(tag)), "")
        self._held = self._held[len(tag) :]
        self._trims = self._trims or bool(tag)
        return bool(tag)

    def _read_thinking(self, is_last: bool) -> list[Piece]:
        inside, end, rest = self._held.partition(self._think_end)
        if end:
            self._held, self._think_end, self._trims = rest, "", True
        else:
            keep = 0 if is_last else count_overlap(inside, self._think_end)
            self._held = inside[len(inside) - keep :]
            inside = inside[: len(inside) - keep]
        return [Thought(inside)] if inside else []

    def _read_text(self, is_last: bool) -> list[Piece]:
        """Everything up to the next tag, and the tag if it is settled what it is."""
        start = self._held.find("<")
        if start != 0:
            text = self._held if start < 0 else self._held[:start]
            self._held = self._held[len(text) :]
            return [self._give(text)]
        tag = next((tag for tag in _TAGS if self._held.startswith(tag)), "")
        if not tag:
            could_be = not is_last and any(tag.startswith(self._held) for tag in _TAGS)
            return [] if could_be else self._give_up_to_next_tag()
        if self._is_quoted():
            return self._give_up_to_next_tag()
        if tag in _CALL_OPENERS:
            return self._read_call(tag, is_last)
        self._held = self._held[len(tag) :]
        if tag in _THINK_OPENERS and not self._is_reasoning:
            self._think_end = _THINK_OPENERS[tag]
            self._trims = True
        return []  # a closing tag without its opener and control tokens are nothing that anybody said

    def _read_call(self, opener: str, is_last: bool) -> list[Piece]:
        read = read_minimax if opener == "<minimax:tool_call>" else read_glm_or_hermes
        found = read(self._held[len(opener) :], self.schemas) if self.schemas else None
        if found is None or (found == UNDECIDED and (is_last or len(self._held) > MAX_HELD_CHARS)):
            return self._give_up_to_next_tag()
        if found == UNDECIDED:
            return []
        calls, length = found
        markup, self._held = self._held[: len(opener) + length], self._held[len(opener) + length :]
        self._last = ""
        return [WrittenCalls(tuple(calls), markup)]

    def _give_up_to_next_tag(self) -> list[Piece]:
        """The tag in front is text after all, and so is what follows until something else may begin."""
        end = self._held.find("<", 1)
        text = self._held if end < 0 else self._held[:end]
        self._held = self._held[len(text) :]
        return [self._give(text)]

    def _give(self, text: str) -> Piece:
        self._note(text)
        return Thought(text) if self._is_reasoning else Text(text)

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
