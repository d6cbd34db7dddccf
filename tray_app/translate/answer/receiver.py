"""Receives the parts of a message, and passes each through its filters. `answer.py` has the table of all stages."""

from __future__ import annotations

from collections.abc import Iterable

from tray_app.translate.answer.bare_json import BareJson
from tray_app.translate.answer.blocks import TEXT, THINKING, Call
from tray_app.translate.answer.calls import CallTracker
from tray_app.translate.answer.chunk import FunctionPart, Message, ToolCallPart, read_arguments
from tray_app.translate.answer.emitter import Emitter
from tray_app.translate.answer.ending import EndingTracker
from tray_app.translate.answer.fragments import Fragments
from tray_app.translate.answer.offered_tools import OfferedTools
from tray_app.translate.answer.stops import StopWatcher
from tray_app.translate.markup.pieces import Piece, Text, Thought, WrittenCalls
from tray_app.translate.markup.reader import MarkupReader
from tray_app.translate.request.chat import ChatRequest
from tray_app.translate.request.tokens import size_bytes


class Receiver:
    """The stages of one answer that stand before its emitter."""

    def __init__(
        self, request: ChatRequest, tools: OfferedTools, calls: CallTracker, emitter: Emitter, ending: EndingTracker
    ) -> None:
        self._tools = tools
        self._calls = calls
        self._emitter = emitter
        self._ending = ending
        self._shows_thinking = request.shows_thinking
        self._content = MarkupReader(request.callable_schemas)
        self._reasoning = MarkupReader(request.callable_schemas, is_reasoning=True)
        self._stops = StopWatcher(request.stop_sequences)
        self._json = BareJson(request.json_brackets)
        self._is_unfiltered = not (request.stop_sequences or request.json_brackets)
        self._has_structured_calls = False  # whether upstream sent a call in the fields made for it
        self.size_bytes = 0
        """The size of all text, thinking and arguments so far, whether the client gets them or not."""
        self.is_over = False
        """Tells whether the answer ended before upstream did: at a stop sequence, or because the model is stuck."""

    @property
    def has_text(self) -> bool:
        """Tells whether the answer has text that is not blank."""
        return self._emitter.has_text or self._json.holds_words

    def restart_content(self) -> None:
        """Forgets a think tag that is still open in the content, because another answer follows."""
        self._content = MarkupReader(self._content.schemas)

    def receive_fragments(self, fragments: Fragments) -> None:
        """Takes several messages, each of which has nothing but a piece of text, or nothing but a piece of thinking."""
        reader = self._reasoning if fragments.is_thinking else self._content
        kind = THINKING if fragments.is_thinking else TEXT
        if self._is_unfiltered and self._emitter.is_writing(kind) and reader.passes(fragments.text):
            self.size_bytes += fragments.size_bytes
            self._emitter.emit_fragments(fragments)
            return
        receive = self._receive_thinking if fragments.is_thinking else self._receive_text
        for piece in fragments.pieces:
            if not self.is_over:
                self.size_bytes += len(piece)
                receive(piece.decode())

    def receive(self, message: Message, *, is_whole: bool = False) -> None:
        """Takes one message. `is_whole`: it is a whole completion, not a part of one."""
        if thinking := message.thinking:
            self.size_bytes += size_bytes(thinking)
            self._receive_thinking(thinking)
        if text := message.text:
            self.size_bytes += size_bytes(text)
            self._receive_text(text)
        if refusal := message.refused_with:
            self.size_bytes += size_bytes(refusal)
            self._receive_refusal(refusal)
        if calls := message.calls:
            for place, part in enumerate(calls):
                # several calls in one chunk, none of which has an index or an id, are different calls
                is_bare = part.index is None and not part.upstream_id and len(calls) > 1
                self._receive_call(part, place if is_whole or is_bare else part.index)

    def flush(self, *, is_whole: bool = False) -> None:
        """Emits what the filters hold: as text, or as the last call if the model has said all (`is_whole`)."""
        self._emit_reasoning(self._reasoning.flush(is_whole=is_whole))
        self._emit_content(self._content.flush(is_whole=is_whole))
        self._emit_reasoning(self._reasoning.flush(is_whole=is_whole))
        self._emitter.emit_text(self._json.feed(self._stops.flush()))
        self._end_json()

    def flush_all(self, *, is_whole: bool) -> None:
        """Emits what the filters hold at the end of the answer.

        If all of the answer is in a think tag that never closed, a client that is shown no thinking gets it as text.
        """
        self.flush(is_whole=is_whole)
        has_shown = self.has_text or self._emitter.has_markup or self._calls.newest or self._shows_thinking
        if is_whole and not (has_shown or self.is_over):
            self._emitter.emit_text(self._content.unclosed)

    def _receive_thinking(self, text: str) -> None:
        if self._reasoning.passes(text):
            self._emitter.emit_thinking(text)
        else:
            self._emit_reasoning(self._reasoning.feed(text))

    def _emit_reasoning(self, pieces: Iterable[Piece]) -> None:
        for piece in pieces:
            match piece:
                case Thought(text):
                    self._emitter.emit_thinking(text)
                case WrittenCalls():
                    self._emitter.emit_markup(THINKING, piece)

    def _receive_text(self, text: str) -> None:
        if self._content.passes(text):
            self._emit_text(text)
        else:
            self._emit_content(self._content.feed(text))

    def _emit_content(self, pieces: Iterable[Piece]) -> None:
        for piece in pieces:
            match piece:
                case Text(text):
                    self._emit_text(text)
                case Thought(text):
                    self._receive_thinking(text)
                case WrittenCalls():
                    self._end_json()
                    self._emitter.emit_markup(TEXT, piece)

    def _receive_refusal(self, text: str) -> None:
        self._ending.take_refusal()
        self._emit_text(text)

    def _emit_text(self, text: str) -> None:
        """Emits the part of the text that stop sequences and the format of the answer let pass."""
        self._ending.opened_tags.feed(text)
        self._emitter.emit_text(self._json.feed(self._stops.feed(text)))
        if self._stops.matched is not None and not self.is_over:
            self.is_over = True
            self._ending.take_stop_sequence(self._stops.matched)

    def _end_json(self) -> None:
        """Emits the held text as it is, if no JSON came. Text after this is read anew."""
        self._emitter.emit_text(self._json.flush())

    def _receive_call(self, part: ToolCallPart, slot: int | None) -> None:
        function = part.function or FunctionPart()
        arguments = read_arguments(function.arguments)
        if not (part.upstream_id or function.name or arguments):
            return
        if not self._has_structured_calls:
            self._prefer_structured_calls()
        newest = self._calls.newest
        call = self._calls.find(part, slot)
        if self._calls.newest is not newest:
            self._emit_call(call)
        if function.name and call.tool is None:  # some servers repeat the name in every chunk
            self._emit_arguments(call, call.name(self._tools.find(function.name)))
        if arguments:
            self.size_bytes += size_bytes(arguments)
            self._emit_arguments(call, call.feed(arguments))

    def _emit_call(self, call: Call) -> None:
        self._end_json()
        self._emitter.emit_call(call)

    def _emit_arguments(self, call: Call, settled: str) -> None:
        """Emits arguments, and the calls that the model glued to this one."""
        self._emitter.emit_arguments(call, settled)
        while extra := call.take_extra():
            tool, call = call.tool, self._calls.split(call)
            self._emit_call(call)
            assert tool is not None
            self._emitter.emit_arguments(call, call.name(tool) + call.feed(*extra))
        if call.is_runaway:
            self.is_over = True

    def _prefer_structured_calls(self) -> None:
        """Decides that markup is text: it may repeat the calls that upstream sends in the fields made for them."""
        self._has_structured_calls = True
        self.flush()
        self._content.schemas = self._reasoning.schemas = {}
        self._emitter.emit_markup_as_text()
