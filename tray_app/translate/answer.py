"""What upstream's chunks say: text, thinking, calls, why the answer ended and what it cost.

A whole completion is one large chunk, so that a plain answer and a streamed one are the same by construction.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import msgspec

from tray_app.errors import UpstreamFault
from tray_app.translate import json_text
from tray_app.translate.arguments import ArgumentsReader
from tray_app.translate.bare_json import BareJson
from tray_app.translate.blocks import TEXT, THINKING, TOOL, Block, BlockQueue, BlockWriter, Call, Markup
from tray_app.translate.calls import CallTracker
from tray_app.translate.chunk import Chunk, FunctionPart, Message, ToolCallPart, Usage, read_arguments
from tray_app.translate.markup import MarkupReader
from tray_app.translate.pieces import Piece, Text, Thought, WrittenCalls
from tray_app.translate.refusal import explain_stream_error
from tray_app.translate.request import ChatRequest
from tray_app.translate.stops import StopWatcher
from tray_app.translate.tokens import estimate_text, size_bytes
from tray_app.translate.tool_names import ToolNames
from tray_app.translate.tools import Tool

_CUTS = ("length", "content_filter", "abort", "error")
"""Upstream's reasons to end an answer before the model did."""


@dataclass(frozen=True, slots=True)
class Ending:
    """What `message_delta` tells: why the answer ended, and Anthropic's usage object."""

    stop_reason: str
    stop_sequence: str | None
    usage: dict[str, int]


class Answer:
    """One answer in the making: feed it chunks, then finish it once.

    Calls that the model wrote as text wait in the queue until it is sure that they are calls: those in content until
    the end, as calls in upstream's own form win over them; those in reasoning until anything else is thought or said.
    """

    def __init__(self, writer: BlockWriter, request: ChatRequest, message_id: str) -> None:
        self._request = request
        self._queue = BlockQueue(writer)
        self._calls = CallTracker(message_id.replace("msg_", "toolu_", 1), request.used_call_ids)
        self._names = ToolNames((sent, tool.name) for sent, tool in request.tools.items())
        self._content = MarkupReader(request.callable_schemas)
        self._reasoning = MarkupReader(request.callable_schemas, is_reasoning=True)
        self._stops = StopWatcher(request.stop_sequences)
        self._json = BareJson(request.json_brackets)
        self._blank: list[str] = []  # pieces of white space that may turn out to stand before a tool call
        self._undecided: set[str] = set()  # the kinds of text that have markup in the queue
        self._has_structured_calls = False
        self._has_text = False
        self.size_bytes = 0
        """Of all that was thought, said and called so far, shown or not."""
        self._finish_reason: str | None = None
        self._stop_sequence: str | None = None
        self._usage: Usage | None = None
        self.is_over = False
        """Whether the answer ended before upstream did: at a stop sequence, or as the model is stuck."""

    def __repr__(self) -> str:
        return f"Answer({self._queue}; finish={self._finish_reason})"

    @property
    def has_finish(self) -> bool:
        """Whether upstream said why it stopped; without it an end of the stream is a cut."""
        return self._finish_reason is not None

    @property
    def lacks_something(self) -> bool:
        """Whether upstream finished without a word, without the call that it announced, or in the middle of one."""
        if self._finish_reason not in (None, "stop", "tool_calls") or self._stop_sequence is not None or self.is_over:
            return False
        if self._calls.newest is not None:
            return self._calls.newest.is_half
        return not self._undecided and (self._finish_reason == "tool_calls" or not self._has_text)

    def supplement(self, completion: Chunk) -> None:
        """Takes from a second answer to the same question what the first one lacks: calls, or all that is said."""
        if completion.error is not None or not completion.choices or completion.choices[0].message is None:
            return
        message = completion.choices[0].message
        if self._calls.newest is not None:
            self._complete_call(self._calls.newest, message)
            return
        if self._has_text:
            message = msgspec.structs.replace(message, content=None)
        # the thinking of the first one was told
        message = msgspec.structs.replace(message, reasoning=None, reasoning_content=None)
        self._take(message, is_whole=True)

    def _complete_call(self, call: Call, message: Message) -> None:
        """The same call may stand whole in a second answer; where it says another thing, the first one is repaired."""
        assert call.arguments is not None
        for part in message.tool_calls or ():
            function = part.function or FunctionPart()
            tool = self._find_tool(function.name or "")
            if tool == call.tool and call.arguments.restart(read_arguments(function.arguments)):
                return

    def feed(self, chunk: Chunk) -> None:
        """Takes the next chunk, or a whole completion. Raises a ProxyError if it carries upstream's error."""
        if chunk.error is not None:
            raise explain_stream_error(chunk.error)
        if chunk.usage is not None:
            self._usage = chunk.usage
        if not chunk.choices or self.is_over:
            return
        choice = chunk.choices[0]
        if choice.delta is not None:
            self._take(choice.delta)
        elif choice.message is not None:
            self._take(choice.message, is_whole=True)
        if choice.finish_reason and not self.is_over:
            self._finish_reason = choice.finish_reason
        if isinstance(choice.stop_reason, str) and not self.is_over:
            self._stop_sequence = choice.stop_reason

    def feed_whole(self, completion: Chunk) -> None:
        """Takes a completion that was not streamed. Raises a ProxyError if it carries an error, or no answer."""
        self.feed(completion)
        if not completion.choices:
            raise UpstreamFault("NVIDIA's answer is empty. Please try again.")

    def finish(self) -> Ending:
        """Closes what is open and says how the answer ended."""
        self._flush(is_whole=self._finish_reason not in _CUTS and self._stop_sequence is None)
        if self._undecided:
            self._queue.decide(self._to_calls, self._undecided)
        if not (self._has_text or self._calls.newest or self._request.shows_thinking or self._finish_reason in _CUTS):
            self._add_text(self._content.unclosed)
        self._queue.end_all(self._cut_call)
        if self._finish_reason == "length":
            reason = "max_tokens"
        elif self._finish_reason == "content_filter":
            reason = "refusal"
        elif self._calls.newest is not None:  # finish_reason is unreliable: "stop" comes with calls, too
            reason = TOOL
        elif self._stop_sequence is not None:
            reason = "stop_sequence"
        else:
            reason = "end_turn"
        return Ending(reason, self._stop_sequence if reason == "stop_sequence" else None, self._count_usage())

    def unmended_calls(self) -> list[ArgumentsReader]:
        """Broken arguments that take too long to mend here; to be asked when all was fed, before `finish`.

        What `mend_with_library` makes of the `unmended` text of each, elsewhere, is for its `take_mended`.
        """
        return self._queue.unmended_calls(self._cut_call)

    @property
    def _cut_call(self) -> Call | None:
        """The call in which the answer ran out of tokens."""
        return self._calls.newest if self._finish_reason == "length" else None

    def _take(self, message: Message, *, is_whole: bool = False) -> None:
        calls = message.tool_calls or ()
        if thinking := message.thinking:
            self.size_bytes += size_bytes(thinking)
            self._take_thinking(thinking)
        if text := message.text:
            self.size_bytes += size_bytes(text)
            if self._content.passes(text):
                self._take_text(text)
            else:
                self._speak(self._content.feed(text))
        for place, part in enumerate(calls):
            # without a word on which call this is, each beside another is a call of its own
            is_bare = part.index is None and not part.upstream_id and len(calls) > 1
            self._take_call(part, place if is_whole or is_bare else part.index)

    def _speak(self, pieces: Iterable[Piece]) -> None:
        for piece in pieces:
            match piece:
                case Text(text):
                    self._take_text(text)
                case Thought(text):  # in think tags; calls in there are calls in reasoning
                    self._take_thinking(text)
                case WrittenCalls():
                    self._add_markup(piece, TEXT)

    def _take_text(self, text: str) -> None:
        self._add_text(self._json.feed(self._stops.feed(text)))
        self._has_text = self._has_text or self._json.holds_words
        if self._stops.matched is not None and not self.is_over:
            self.is_over, self._stop_sequence = True, self._stops.matched

    def _take_thinking(self, text: str) -> None:
        if self._reasoning.passes(text):
            self._add_thought(text)
        else:
            self._think(self._reasoning.feed(text))

    def _think(self, pieces: Iterable[Piece]) -> None:
        for piece in pieces:
            match piece:
                case Thought(text):
                    self._add_thought(text)
                case WrittenCalls():
                    self._add_markup(piece, THINKING)

    def _add_thought(self, text: str) -> None:
        self._go_on_after_thought_calls(text)
        if self._request.shows_thinking:
            self._add(THINKING, text)

    def _add_text(self, text: str) -> None:
        """White space alone makes no block: clients refuse blank text blocks when they come back in the history."""
        self._go_on_after_thought_calls(text)
        is_more_text = self._queue.newest_kind == TEXT
        if is_more_text and not self._blank:
            self._queue.add(TEXT, text)
            return
        self._blank.append(text)
        if is_more_text or (text and not text.isspace()):
            self._has_text = True
            self._add(TEXT, "".join(self._blank))

    def _add(self, kind: str, text: str) -> None:
        self._blank.clear()
        self._queue.add(kind, text)

    def _add_markup(self, written: WrittenCalls, kind: str) -> None:
        if kind == TEXT:
            self._add_text(self._json.flush())
        self._blank.clear()
        self._undecided.add(kind)
        self._queue.append(Markup(kind, written))

    def _go_on_after_thought_calls(self, text: str) -> None:
        """A model that calls stops and waits: a call in its reasoning after which it goes on was only thought of."""
        if THINKING in self._undecided and text and not text.isspace():
            self._undecided.discard(THINKING)
            self._queue.decide(self._to_text, [THINKING])

    def _prefer_structured_calls(self) -> None:
        """Markup beside calls in upstream's own form is text: it may well be the same calls once more."""
        if self._has_structured_calls:
            return
        self._has_structured_calls = True
        self._flush()
        self._content.schemas = self._reasoning.schemas = {}
        if self._undecided:
            self._queue.decide(self._to_text, self._undecided)
            self._undecided.clear()

    def _flush(self, *, is_whole: bool = False) -> None:
        """Takes what the readers still hold: as text, or as the last call if the answer is whole."""
        self._think(self._reasoning.flush(is_whole=is_whole))
        self._speak(self._content.flush(is_whole=is_whole))
        self._think(self._reasoning.flush(is_whole=is_whole))
        self._add_text(self._json.feed(self._stops.flush()))
        self._add_text(self._json.flush())

    def _find_tool(self, name: str) -> Tool:
        return self._request.find_tool(self._names.find(name) or name)

    def _to_text(self, markup: Markup) -> Iterable[Block]:
        if markup.kind == TEXT or self._request.shows_thinking:
            yield Block(markup.kind, held=[markup.written.markup])

    def _to_calls(self, markup: Markup) -> Iterable[Block]:
        for written in markup.written.calls:
            call = self._calls.add()
            call.name(self._find_tool(written.name))
            call.held = [call.feed(json_text.encode(written.arguments).decode()) + call.finish(is_cut=False)]
            yield call

    def _take_call(self, part: ToolCallPart, slot: int | None) -> None:
        function = part.function or FunctionPart()
        arguments = read_arguments(function.arguments)
        if not (part.upstream_id or function.name or arguments):
            return
        self._prefer_structured_calls()
        newest = self._calls.newest
        call = self._calls.find(part, slot)
        if self._calls.newest is not newest:
            self._begin_call(call)
        if function.name and call.tool is None:  # assigned, never appended: some servers repeat it in every chunk
            self._write(call, call.name(self._find_tool(function.name)))
        if arguments:
            self.size_bytes += size_bytes(arguments)
            self._write(call, call.feed(arguments))

    def _begin_call(self, call: Call) -> None:
        self._add_text(self._json.flush())
        self._blank.clear()
        self._queue.append(call)

    def _write(self, call: Call, settled: str) -> None:
        self._queue.write(call, settled)
        while surplus := call.take_surplus():
            tool, call = call.tool, self._calls.split(call)
            self._begin_call(call)
            assert tool is not None
            self._queue.write(call, call.name(tool) + call.feed(*surplus))
        self._queue.advance()
        if call.is_stuck:
            self.is_over = True

    def _count_usage(self) -> dict[str, int]:
        usage = self._usage or Usage()
        prompt = self._request.input_tokens if usage.prompt_tokens is None else usage.prompt_tokens
        output = estimate_text(self.size_bytes) if usage.completion_tokens is None else usage.completion_tokens
        details = usage.prompt_tokens_details
        cached = min((details and details.cached_tokens) or 0, prompt)
        return to_usage(prompt - cached, output, cached)


def to_usage(input_tokens: int, output_tokens: int, cached_tokens: int = 0) -> dict[str, int]:
    """Anthropic's usage object; its input_tokens leave the cached ones out."""
    return {
        "input_tokens": max(0, input_tokens),
        "cache_creation_input_tokens": 0,
        "cache_read_input_tokens": max(0, cached_tokens),
        "output_tokens": max(0, output_tokens),
    }
