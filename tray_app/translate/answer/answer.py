"""Turns the chunks of one answer into content blocks and an ending.

Each part of a chunk passes through these stages:

| field of the chunk       | received by         | filters, in this order              | emitted by                    |
|--------------------------|---------------------|-------------------------------------|-------------------------------|
| `reasoning_content`      | `_receive_thinking` | MarkupReader                        | `emit_thinking`, `emit_markup`|
| `content`                | `_receive_text`     | MarkupReader, StopWatcher, BareJson | `emit_text`, `emit_markup`    |
| think tags in `content`  | `_receive_thinking` | MarkupReader                        | `emit_thinking`, `emit_markup`|
| `refusal`                | `_receive_refusal`  | StopWatcher, BareJson               | `emit_text`                   |
| `tool_calls`             | `_receive_call`     | CallTracker, ArgumentsReader        | `emit_call`, `emit_arguments` |
| `finish_reason`, `usage` | `feed`              | EndingTracker                       | `finish`, as the `Ending`     |

`Receiver` has the stages up to the filters, and `Emitter` those after them. A whole completion is one large chunk, so a
plain answer and a streamed answer are the same by construction.
"""

from __future__ import annotations

from tray_app.errors import UpstreamFault
from tray_app.sentences import EMPTY_ANSWER
from tray_app.translate.answer.blocks import BlockWriter, Call
from tray_app.translate.answer.calls import CallTracker
from tray_app.translate.answer.chunk import Choice, Chunk
from tray_app.translate.answer.emitter import Emitter
from tray_app.translate.answer.ending import Ending, EndingTracker
from tray_app.translate.answer.finish import check_reason
from tray_app.translate.answer.fragments import Fragments
from tray_app.translate.answer.offered_tools import OfferedTools
from tray_app.translate.answer.receiver import Receiver
from tray_app.translate.answer.second_answer import complete_call, leave_out_known
from tray_app.translate.answer.usage import ReportedTokens
from tray_app.translate.arguments.reader import ArgumentsReader
from tray_app.translate.refusal.refusal import explain_stream_error
from tray_app.translate.request.chat import ChatRequest


class Answer:
    """One answer: `feed` takes its chunks, then `finish` is called once."""

    def __init__(self, writer: BlockWriter, request: ChatRequest, message_id: str) -> None:
        self._request = request
        self._tools = OfferedTools(request)
        self._calls = CallTracker(message_id.replace("msg_", "toolu_", 1), request.used_call_ids)
        self._emitter = Emitter(writer, self._calls, self._tools, shows_thinking=request.shows_thinking)
        self._ending = EndingTracker(request)
        self._receiver = Receiver(request, self._tools, self._calls, self._emitter, self._ending)

    def __repr__(self) -> str:
        return f"Answer({self._emitter}; finish={self._ending})"

    def feed(self, chunk: Chunk) -> None:
        """Takes the next chunk, or a whole completion. Raises a ProxyError if upstream failed or gave up."""
        choice, receiver = self._check(chunk), self._receiver
        if chunk.usage is not None:
            self._ending.take_usage(chunk.usage)
        if choice is None or receiver.is_over:
            return
        if choice.delta is not None:
            receiver.receive(choice.delta)
        elif choice.message is not None:
            receiver.receive(choice.message, is_whole=True)
        if choice.usage is not None:
            self._ending.take_usage(choice.usage)
        if choice.finish_reason and not receiver.is_over:
            self._ending.take_reason(choice.finish_reason, receiver.size_bytes)
        if isinstance(choice.stop_reason, str) and not receiver.is_over:
            self._ending.take_stop_sequence(choice.stop_reason)

    def feed_fragments(self, fragments: Fragments) -> None:
        """Takes the next chunks, each of which has nothing but a piece of text, or nothing but a piece of thinking."""
        self._receiver.receive_fragments(fragments)

    def feed_whole(self, completion: Chunk) -> None:
        """Takes a completion that was not streamed. Raises a ProxyError if it carries an error or no answer."""
        self.feed(completion)
        if not completion.choices:
            raise UpstreamFault(EMPTY_ANSWER)

    def supplement(self, completion: Chunk) -> None:
        """Takes the parts that the first answer lacks from a second one. Raises the same errors as `feed`."""
        choice = self._check(completion)
        if choice is None or choice.message is None:
            return
        if self._calls.newest is not None:
            complete_call(self._calls.newest, choice.message, self._tools)
            return
        had_text = self._receiver.has_text
        self._receiver.restart_content()
        self._receiver.receive(leave_out_known(choice.message, had_text=had_text), is_whole=True)
        if completion.usage is not None:
            self._ending.take_missing_usage(completion.usage)
        if choice.finish_reason and not (had_text and self._calls.newest is None):
            self._ending.take_reason(choice.finish_reason, self.size_bytes)

    def finish(self) -> Ending:
        """Closes all blocks, and returns how the answer ended."""
        self._receiver.flush_all(is_whole=self._is_whole)
        self._emitter.emit_markup_as_calls()
        is_runaway = self._is_runaway_in_text
        self._emitter.emit_rest(self._cut_call)
        has_calls = self._calls.newest is not None
        return self._ending.to_ending(self.size_bytes, has_calls=has_calls, is_runaway=is_runaway)

    @property
    def size_bytes(self) -> int:
        """The size of all text, thinking and arguments so far, whether the client gets them or not."""
        return self._receiver.size_bytes

    @property
    def is_over(self) -> bool:
        """Tells whether the answer ended before upstream did: at a stop sequence, or because the model is stuck."""
        return self._receiver.is_over

    @property
    def has_finish(self) -> bool:
        """Tells whether upstream said why it stopped. Without a reason the end of the stream is a cut."""
        return self._ending.has_reason

    @property
    def has_calls(self) -> bool:
        """Tells whether the answer calls a tool. After `finish` this includes calls that the model wrote as text."""
        return self._calls.newest is not None

    @property
    def call_count(self) -> int:
        """The number of tool calls. After `finish` this includes calls that the model wrote as text."""
        return self._calls.count

    @property
    def reported_tokens(self) -> ReportedTokens:
        """The counts of tokens that upstream has reported."""
        return self._ending.reported_tokens

    def lacks_something(self) -> bool:
        """Tells whether upstream finished without text, without the call that it announced, or in the middle of a call.

        May be asked when all chunks were fed, before `finish`.
        """
        self._receiver.flush(is_whole=self._is_whole)
        if not self._is_whole:
            return False
        if self._calls.newest is not None:
            return self._calls.newest.is_truncated
        return not self._emitter.has_markup and (self._ending.announces_call or not self._receiver.has_text)

    def ends_empty(self) -> bool:
        """Tells whether the client would get no block, and without a reason. May be asked when all chunks were fed."""
        self._receiver.flush_all(is_whole=self._is_whole)
        return self._is_whole and self._calls.newest is None and self._emitter.is_empty

    def unmended_calls(self) -> list[ArgumentsReader]:
        """Returns the broken arguments that only the library can repair, at a cost beyond the budget.

        May be asked when all chunks were fed, before `finish`. The caller gives the `unmended` text of each to
        `mend_with_library` elsewhere, and the result to `take_mended`.
        """
        return self._emitter.unmended_calls(self._cut_call)

    @property
    def _is_whole(self) -> bool:
        """Tells whether the model has said all that it wanted to say, provided that upstream has sent all."""
        return not (self._ending.excuses_silence or self.is_over)

    @property
    def _is_runaway_in_text(self) -> bool:
        """Tells whether the model writes white space without end within a string of a call."""
        newest = self._calls.newest
        return newest is not None and newest.is_runaway_in_text

    @property
    def _cut_call(self) -> Call | None:
        """The call in which the answer breaks off, because tokens ran out or the model is stuck, or None."""
        return self._calls.newest if self._ending.is_cut or self._is_runaway_in_text else None

    def _check(self, chunk: Chunk) -> Choice | None:
        """Returns the choice of the chunk, if it has one. Raises a ProxyError if upstream failed or gave up."""
        choice = chunk.choices[0] if chunk.choices else None
        error = chunk.error or (choice and choice.error)
        if error:
            raise explain_stream_error(error, self._request.model, self._request)
        if choice is not None and choice.finish_reason:
            check_reason(choice.finish_reason)
        return choice
