"""Turns filtered text, thinking and calls into content blocks.

Two rules hold text and calls back:

- White space alone makes no block, because clients refuse blank text blocks when they come back in the history.
- Calls that the model wrote as text wait until it is sure that they are calls. Those in the content wait until the end,
  because calls in upstream's own form win over them. Those in the reasoning wait until the model goes on: a model that
  calls stops and waits, so a call after which it goes on was only thought of.
"""

from __future__ import annotations

from collections.abc import Iterable

from tray_app.translate import json_text
from tray_app.translate.answer.block_queue import BlockQueue
from tray_app.translate.answer.blocks import TEXT, THINKING, Block, BlockWriter, Call, Markup
from tray_app.translate.answer.calls import CallTracker
from tray_app.translate.answer.fragments import Fragments
from tray_app.translate.answer.offered_tools import OfferedTools
from tray_app.translate.arguments.reader import ArgumentsReader
from tray_app.translate.markup.pieces import WrittenCalls


class Emitter:
    """Writes the blocks of one answer."""

    def __init__(self, writer: BlockWriter, calls: CallTracker, tools: OfferedTools, *, shows_thinking: bool) -> None:
        self._queue = BlockQueue(writer)
        self._calls = calls
        self._tools = tools
        self._shows_thinking = shows_thinking
        self._blank: list[str] = []  # white space that is dropped if a call follows
        self._undecided: set[str] = set()  # the kinds of text that have markup in the queue
        self.has_text = False
        """Tells whether any text was emitted that is not blank."""

    def __str__(self) -> str:
        return str(self._queue)

    @property
    def has_markup(self) -> bool:
        """Tells whether calls that were written as text wait for a decision."""
        return bool(self._undecided)

    @property
    def is_empty(self) -> bool:
        """Tells whether the client would get no block at all."""
        return not (self._undecided or self._queue.newest_kind)

    def emit_text(self, text: str) -> None:
        """Adds text to the open text block, or begins one."""
        if self._undecided:
            self._refute_thought_calls(text)
        is_more_text = self._queue.newest_kind == TEXT
        if is_more_text and not self._blank:
            self._queue.add(TEXT, text)
            return
        self._blank.append(text)
        if is_more_text or (text and not text.isspace()):
            self.has_text = True
            self._queue.add(TEXT, "".join(self._blank))
            self._blank.clear()

    def is_writing(self, kind: str) -> bool:
        """Tells whether more text of this kind would be written at once, and nothing else would change."""
        return not (self._undecided or self._blank) and self._queue.is_writing(kind)

    def emit_fragments(self, fragments: Fragments) -> None:
        """Adds more text of the kind that is being written."""
        self._queue.write_fragments(fragments)

    def emit_thinking(self, text: str) -> None:
        """Adds thinking to the open thinking block, or begins one."""
        if self._undecided:
            self._refute_thought_calls(text)
        if self._shows_thinking:
            self._blank.clear()
            self._queue.add(THINKING, text)

    def emit_markup(self, kind: str, written: WrittenCalls) -> None:
        """Adds calls that were written in text of this kind. It is decided later whether they are calls."""
        self._blank.clear()
        self._undecided.add(kind)
        self._queue.append(Markup(kind, written))

    def emit_call(self, call: Call) -> None:
        """Begins the block of a call."""
        self._blank.clear()
        self._queue.append(call)

    def emit_arguments(self, call: Call, settled: str) -> None:
        """Adds arguments to the block of a call. If that completes the call, the blocks behind it are written."""
        self._queue.write(call, settled)
        self._queue.advance()

    def emit_markup_as_text(self) -> None:
        """Decides that all calls which were written as text are text."""
        self._decide(self._undecided, as_calls=False)

    def emit_markup_as_calls(self) -> None:
        """Decides that all calls which were written as text are calls."""
        self._decide(self._undecided, as_calls=True)

    def emit_rest(self, cut: Call | None) -> None:
        """Ends all blocks. `cut` is the call in which the answer ended in the middle, if any."""
        self._queue.end_all(cut)

    def unmended_calls(self, cut: Call | None) -> list[ArgumentsReader]:
        """Returns the broken arguments that only the library can repair, at a cost beyond the budget."""
        return self._queue.unmended_calls(cut)

    def _refute_thought_calls(self, text: str) -> None:
        if THINKING in self._undecided and text and not text.isspace():
            self._decide({THINKING}, as_calls=False)

    def _decide(self, kinds: set[str], *, as_calls: bool) -> None:
        if kinds:
            self._queue.decide(kinds, self._to_calls if as_calls else self._to_text)
            self._undecided = self._undecided - kinds

    def _to_text(self, markup: Markup) -> Iterable[Block]:
        if markup.kind == TEXT or self._shows_thinking:
            yield Block(markup.kind, held=[markup.written.markup])

    def _to_calls(self, markup: Markup) -> Iterable[Block]:
        for written in markup.written.calls:
            call = self._calls.add()
            call.name(self._tools.find(written.name))
            arguments = json_text.encode(written.arguments).decode()
            call.held = [call.feed(arguments) + call.finish(is_cut=False)]
            yield call
