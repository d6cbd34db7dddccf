"""What upstream's chunks say: text, thinking, calls, why the answer ended and what it cost.

A whole completion is one large chunk, so that a plain answer and a streamed one are the same by construction.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import msgspec

from tray_app.errors import UpstreamFault
from tray_app.translate import json_text
from tray_app.translate.answer.bare_json import BareJson
from tray_app.translate.answer.block_queue import BlockQueue
from tray_app.translate.answer.blocks import TEXT, THINKING, Block, BlockWriter, Call, Markup
from tray_app.translate.answer.calls import CallTracker
from tray_app.translate.answer.chunk import Choice, Chunk, FunctionPart, Message, ToolCallPart, read_arguments
from tray_app.translate.answer.finish import STOP, TOOL_CALLS, WINDOW, Finish, check_reason
from tray_app.translate.answer.stops import StopWatcher
from tray_app.translate.answer.tag_stops import closing_tag, opening_tags
from tray_app.translate.answer.usage import TokenCount
from tray_app.translate.arguments.reader import ArgumentsReader
from tray_app.translate.markup.pieces import Piece, Text, Thought, WrittenCalls
from tray_app.translate.markup.reader import MarkupReader
from tray_app.translate.refusal.refusal import explain_stream_error
from tray_app.translate.request.chat import ChatRequest
from tray_app.translate.request.tokens import size_bytes
from tray_app.translate.request.tools import Tool
from tray_app.translate.tool_names import ToolNames


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
        self._opened_tags = StopWatcher(opening_tags(request.stop_sequences))
        self._json = BareJson(request.json_brackets)
        self._blank: list[str] = []  # pieces of white space that may turn out to stand before a tool call
        self._undecided: set[str] = set()  # the kinds of text that have markup in the queue
        self._has_structured_calls = False
        self._has_text = False
        self.size_bytes = 0
        """Of all that was thought, said and called so far, shown or not."""
        self._finish = Finish(request.stop_sequences)
        self._tokens = TokenCount()
        self.is_over = False
        """Whether the answer ended before upstream did: at a stop sequence, or as the model is stuck."""

    def __repr__(self) -> str:
        return f"Answer({self._queue}; finish={self._finish.meaning})"

    @property
    def has_finish(self) -> bool:
        """Whether upstream said why it stopped; without it an end of the stream is a cut."""
        return self._finish.meaning is not None

    @property
    def _is_whole(self) -> bool:
        """Whether the model has said all that it wanted to say, if upstream has."""
        return not (self._finish.excuses_silence or self.is_over)

    def lacks_something(self) -> bool:
        """To be asked when upstream has said all: whether it finished without a word, without the call that it
        announced, or in the middle of one."""
        self._flush(is_whole=self._is_whole)
        if not self._is_whole:
            return False
        if self._calls.newest is not None:
            return self._calls.newest.is_truncated
        return not self._undecided and (self._finish.meaning == TOOL_CALLS or not self._has_text)

    def ends_empty(self) -> bool:
        """To be asked when upstream has said all: whether the client is shown nothing, and without a reason."""
        self._flush_all()
        if not self._is_whole:
            return False
        return self._calls.newest is None and not self._undecided and not self._queue.newest_kind

    def supplement(self, completion: Chunk) -> None:
        """Takes from a second answer to the same question what the first one lacks. Raises as `feed` does."""
        choice = self._check(completion)
        if choice is None or choice.message is None:
            return
        message = choice.message
        if self._calls.newest is not None:
            self._complete_call(self._calls.newest, message)
            return
        if had_text := self._has_text:
            message = msgspec.structs.replace(message, content=None, refusal=None)
        # the thinking of the first one was told
        message = msgspec.structs.replace(message, reasoning=None, reasoning_content=None)
        self._content = MarkupReader(self._content.schemas)  # the first one may have left a think tag open
        self._take(message, is_whole=True)
        if completion.usage is not None and not self._tokens.has_output:
            self._tokens.take(completion.usage)
        if choice.finish_reason and not (had_text and self._calls.newest is None):
            self._end(choice.finish_reason)

    def _complete_call(self, call: Call, message: Message) -> None:
        """The same call may stand whole in a second answer; where it says another thing, the first one is repaired."""
        assert call.arguments is not None
        for part in message.calls:
            function = part.function or FunctionPart()
            tool = self._find_tool(function.name or "")
            if tool == call.tool and call.arguments.restart(read_arguments(function.arguments)):
                return

    def feed(self, chunk: Chunk) -> None:
        """Takes the next chunk, or a whole completion. Raises a ProxyError if upstream failed, or gave up."""
        choice = self._check(chunk)
        if chunk.usage is not None:
            self._tokens.take(chunk.usage)
        if choice is None or self.is_over:
            return
        if choice.delta is not None:
            self._take(choice.delta)
        elif choice.message is not None:
            self._take(choice.message, is_whole=True)
        if choice.usage is not None:
            self._tokens.take(choice.usage)
        if choice.finish_reason and not self.is_over:
            self._end(choice.finish_reason)
        if isinstance(choice.stop_reason, str) and not self.is_over:
            self._finish.stop_sequence = choice.stop_reason

    def feed_whole(self, completion: Chunk) -> None:
        """Takes a completion that was not streamed. Raises a ProxyError if it carries an error, or no answer."""
        self.feed(completion)
        if not completion.choices:
            raise UpstreamFault("NVIDIA's answer is empty. Please try again.")

    def finish(self) -> Ending:
        """Closes what is open and says how the answer ended."""
        self._flush_all()
        if self._undecided:
            self._queue.decide(self._undecided, self._to_calls)
        if self._finish.meaning == STOP and self._finish.stop_sequence is None:
            self._finish.stop_sequence = closing_tag(self._opened_tags.matched)
        is_runaway = self._is_runaway_in_text
        self._queue.end_all(self._cut_call)
        has_calls = self._calls.newest is not None
        reason = "max_tokens" if is_runaway else self._finish.stop_reason(has_calls=has_calls)
        usage = self._tokens.to_usage(self._request.input_tokens, self.size_bytes)
        return Ending(reason, self._finish.stop_sequence if reason == "stop_sequence" else None, usage)

    def _check(self, chunk: Chunk) -> Choice | None:
        """The choice that the chunk is about, if any. Raises a ProxyError if upstream failed, or gave up."""
        choice = chunk.choices[0] if chunk.choices else None
        error = chunk.error or (choice and choice.error)
        if error:
            raise explain_stream_error(error, self._request.model, self._request)
        if choice is not None and choice.finish_reason:
            check_reason(choice.finish_reason)
        return choice

    def _end(self, reason: str) -> None:
        self._finish.take(reason)
        if self._finish.meaning == WINDOW and not self.size_bytes:  # the prompt filled it
            raise explain_stream_error({"code": reason}, self._request.model, self._request)

    def unmended_calls(self) -> list[ArgumentsReader]:
        """Broken arguments that take too long to mend here; to be asked when all was fed, before `finish`.

        What `mend_with_library` makes of the `unmended` text of each, elsewhere, is for its `take_mended`.
        """
        return self._queue.unmended_calls(self._cut_call)

    @property
    def _is_runaway_in_text(self) -> bool:
        """Whether the model writes blanks without end within a string of a call."""
        newest = self._calls.newest
        return newest is not None and newest.is_runaway_in_text

    @property
    def _cut_call(self) -> Call | None:
        """The call in which the answer ends in the middle: it ran out of tokens, or the model is stuck."""
        return self._calls.newest if self._finish.is_cut or self._is_runaway_in_text else None

    def _take(self, message: Message, *, is_whole: bool = False) -> None:
        calls = message.calls
        if thinking := message.thinking:
            self.size_bytes += size_bytes(thinking)
            self._take_thinking(thinking)
        if text := message.text:
            self.size_bytes += size_bytes(text)
            if self._content.passes(text):
                self._take_text(text)
            else:
                self._speak(self._content.feed(text))
        if refusal := message.refused_with:
            self.size_bytes += size_bytes(refusal)
            self._finish.is_refused = True
            self._take_text(refusal)
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
        self._opened_tags.feed(text)
        self._add_text(self._json.feed(self._stops.feed(text)))
        self._has_text = self._has_text or self._json.holds_words
        if self._stops.matched is not None and not self.is_over:
            self.is_over, self._finish.stop_sequence = True, self._stops.matched

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
            self._queue.decide([THINKING], self._to_text)

    def _prefer_structured_calls(self) -> None:
        """Markup beside calls in upstream's own form is text: it may well be the same calls once more."""
        if self._has_structured_calls:
            return
        self._has_structured_calls = True
        self._flush()
        self._content.schemas = self._reasoning.schemas = {}
        if self._undecided:
            self._queue.decide(self._undecided, self._to_text)
            self._undecided.clear()

    def _flush(self, *, is_whole: bool = False) -> None:
        """Takes what the readers still hold: as text, or as the last call if the answer is whole."""
        self._think(self._reasoning.flush(is_whole=is_whole))
        self._speak(self._content.flush(is_whole=is_whole))
        self._think(self._reasoning.flush(is_whole=is_whole))
        self._add_text(self._json.feed(self._stops.flush()))
        self._add_text(self._json.flush())

    def _flush_all(self) -> None:
        """Likewise, at the end. If all that was said is in a think tag that never closed, a client that is shown no
        thinking gets that as text."""
        self._flush(is_whole=self._is_whole)
        is_silent = not (self._has_text or self._undecided or self._calls.newest or self._request.shows_thinking)
        if is_silent and self._is_whole:
            self._add_text(self._content.unclosed)

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
        while extra := call.take_extra():
            tool, call = call.tool, self._calls.split(call)
            self._begin_call(call)
            assert tool is not None
            self._queue.write(call, call.name(tool) + call.feed(*extra))
        self._queue.advance()
        if call.is_runaway:
            self.is_over = True
