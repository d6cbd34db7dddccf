"""The machine that turns upstream's chunks into Anthropic's content blocks.

State: a queue of blocks. The first is open, and what arrives for it is written at once; the others are held until
their turn, since Anthropic's blocks come strictly one after another. A text or thinking block is over as soon as
another block waits; a tool call only when its arguments are a complete JSON object, as calls may come interleaved.

A whole completion is one large chunk, so that a plain answer and a streamed one are the same by construction.
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from tray_app.errors import UpstreamFault
from tray_app.translate.chunk import Chunk, FunctionPart, Message, ToolCallPart, Usage, read_arguments
from tray_app.translate.refusal import explain_stream_error
from tray_app.translate.tokens import estimate_text, size_bytes

TEXT, THINKING, TOOL = "text", "thinking", "tool_use"

SIGNATURE = "claude-nvidia-tray"
"""Ends a thinking block. Only Anthropic's servers check it, and the history comes back to us."""


class BlockWriter(Protocol):
    """Where blocks go: frames of a stream, or the content list of a message."""

    def start(self, kind: str, tool_id: str = "", tool_name: str = "") -> None: ...

    def add(self, fragment: str) -> None: ...

    def stop(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Ending:
    """What `message_delta` tells: why the answer ended, and Anthropic's usage object."""

    stop_reason: str
    stop_sequence: str | None
    usage: dict[str, int]


@dataclass(slots=True)
class _Block:
    kind: str
    tool_id: str = ""
    tool_name: str = ""
    upstream_id: str = ""
    held: list[str] = field(default_factory=list)
    """Fragments that wait for the block's turn."""
    arguments: list[str] = field(default_factory=list)
    """All fragments of a call so far, to tell whether it is complete."""

    def is_over(self) -> bool:
        """Whether nothing more can come for this block once another one waits."""
        return self.kind != TOOL or (bool(self.tool_name) and _is_object("".join(self.arguments)))


class Answer:
    """One answer in the making: feed it chunks, then finish it once."""

    def __init__(
        self,
        writer: BlockWriter,
        *,
        tool_names: Mapping[str, str],
        shows_thinking: bool,
        input_tokens: int,
        tool_id_prefix: str,
    ) -> None:
        """`tool_names`: sent name -> client's name. `input_tokens`: estimate, for where upstream reports no usage.

        `tool_id_prefix` begins the ids of calls that upstream gave none, or one that was used before.
        """
        self._writer = writer
        self._tool_names = tool_names
        self._shows_thinking = shows_thinking
        self._input_tokens = input_tokens
        self._tool_id_prefix = tool_id_prefix
        self._blocks: deque[_Block] = deque()
        self._is_open = False  # whether the first block of the queue has been started
        self._slots: dict[int, _Block] = {}  # OpenAI's tool index -> its newest call
        self._calls: dict[str, _Block] = {}  # upstream's id -> its newest call
        self._last_call: _Block | None = None
        self._tool_ids: set[str] = set()
        self._blank = ""  # white space that may turn out to stand before a tool call
        self._size_bytes = 0
        self._finish_reason: str | None = None
        self._stop_sequence: str | None = None
        self._usage: Usage | None = None

    def __repr__(self) -> str:
        state = "open" if self._is_open else "waiting"
        blocks = [f"{block.kind}{f'({len(block.held)} held)' if block.held else ''}" for block in self._blocks]
        return f"Answer({state}: {', '.join(blocks) or 'nothing'}; finish={self._finish_reason})"

    @property
    def has_finish(self) -> bool:
        """Whether upstream said why it stopped; without it an end of the stream is a cut."""
        return self._finish_reason is not None

    def feed(self, chunk: Chunk) -> None:
        """Takes the next chunk, or a whole completion. Raises a ProxyError if it carries upstream's error."""
        if chunk.error is not None:
            raise explain_stream_error(chunk.error)
        if chunk.usage is not None:
            self._usage = chunk.usage
        if not chunk.choices:
            return
        choice = chunk.choices[0]
        if choice.delta is not None:
            self._take(choice.delta)
        elif choice.message is not None:
            self._take(choice.message, is_whole=True)
        if choice.finish_reason:
            self._finish_reason = choice.finish_reason
        if isinstance(choice.stop_reason, str):
            self._stop_sequence = choice.stop_reason

    def finish(self) -> Ending:
        """Closes what is open and says how the answer ended."""
        while self._blocks:
            self._end_first()
        if self._finish_reason == "length":
            reason = "max_tokens"
        elif self._finish_reason == "content_filter":
            reason = "refusal"
        elif self._last_call is not None:  # finish_reason is unreliable: "stop" comes with calls, too
            reason = TOOL
        elif self._stop_sequence is not None:
            reason = "stop_sequence"
        else:
            reason = "end_turn"
        return Ending(reason, self._stop_sequence if reason == "stop_sequence" else None, self._count_usage())

    def _take(self, message: Message, *, is_whole: bool = False) -> None:
        thinking = message.thinking
        if thinking:
            self._size_bytes += size_bytes(thinking)
            if self._shows_thinking:
                self._add(THINKING, thinking)
        text = message.text
        if text:
            self._size_bytes += size_bytes(text)
            self._add_text(text)
        if message.tool_calls:
            for place, part in enumerate(message.tool_calls):
                # without a word on which call this is, each beside another is a call of its own
                is_bare = part.index is None and not part.id and len(message.tool_calls) > 1
                self._take_call(part, place if is_whole or is_bare else part.index)

    def _add_text(self, text: str) -> None:
        """White space alone makes no block: clients refuse blank text blocks when they come back in the history."""
        if self._blocks and self._blocks[-1].kind == TEXT:
            self._add(TEXT, text)
            return
        self._blank += text
        if not self._blank.isspace():
            self._add(TEXT, self._blank)

    def _add(self, kind: str, fragment: str) -> None:
        """Adds to the newest block if it is of this kind, else to a new one."""
        self._blank = ""
        if not self._blocks or self._blocks[-1].kind != kind:
            self._blocks.append(_Block(kind))
            self._advance()
        self._write(self._blocks[-1], fragment)

    def _take_call(self, part: ToolCallPart, slot: int | None) -> None:
        function = part.function or FunctionPart()
        arguments = read_arguments(function.arguments)
        if not (part.id or function.name or arguments):
            return
        block = self._find_call(part, slot)
        if function.name and not block.tool_name:  # assigned, never appended: some servers repeat it in every chunk
            block.tool_name = self._tool_names.get(function.name, function.name)
            self._advance()
        if arguments:
            self._size_bytes += size_bytes(arguments)
            block.arguments.append(arguments)
            self._write(block, arguments)
            if len(self._blocks) > 1:
                self._advance()

    def _find_call(self, part: ToolCallPart, slot: int | None) -> _Block:
        """The call that a fragment belongs to; a new id or a new index begins a new one."""
        known = self._slots.get(slot) if slot is not None else self._calls.get(part.id or "", self._last_call)
        if known is None or self._begins_another(known, part):
            known = _Block(TOOL, tool_id=self._unique_id(part.id), upstream_id=part.id or "")
            self._blank = ""
            self._blocks.append(known)
            self._last_call = known
        if part.id:
            self._calls[part.id] = known
        if slot is not None:
            self._slots[slot] = known
        return known

    @staticmethod
    def _begins_another(known: _Block, part: ToolCallPart) -> bool:
        if part.id and known.upstream_id:
            return part.id != known.upstream_id
        # no ids to go by: a name after complete arguments
        return (
            part.index is None and bool(part.function and part.function.name) and _is_object("".join(known.arguments))
        )

    def _unique_id(self, upstream_id: str | None) -> str:
        """An id that Anthropic's clients take (letters, digits, `_`, `-`) and that this answer has not used."""
        tool_id = "".join(c if c.isascii() and (c.isalnum() or c in "_-") else "_" for c in upstream_id or "")
        if not tool_id or tool_id in self._tool_ids:
            tool_id = f"{self._tool_id_prefix}_{len(self._tool_ids)}"
        self._tool_ids.add(tool_id)
        return tool_id

    def _write(self, block: _Block, fragment: str) -> None:
        if self._is_open and block is self._blocks[0]:
            self._writer.add(fragment)
        else:
            block.held.append(fragment)

    def _advance(self) -> None:
        """Ends first blocks that are over, and opens the one whose turn has come."""
        while len(self._blocks) > 1 and self._blocks[0].is_over():
            self._end_first()
        if self._blocks and not self._is_open:
            self._open_first()

    def _open_first(self) -> None:
        block = self._blocks[0]
        if block.kind == TOOL and not block.tool_name:
            return  # its name is still to come
        self._writer.start(block.kind, block.tool_id, block.tool_name)
        self._is_open = True
        for fragment in block.held:
            self._writer.add(fragment)
        block.held.clear()

    def _end_first(self) -> None:
        if not self._is_open:
            self._open_first()
        block = self._blocks.popleft()
        if not self._is_open:
            raise UpstreamFault("NVIDIA's answer holds a tool call without a name. Please try again.")
        if block.kind == TOOL and not block.arguments:
            self._writer.add("{}")
        self._writer.stop()
        self._is_open = False

    def _count_usage(self) -> dict[str, int]:
        usage = self._usage or Usage()
        prompt = self._input_tokens if usage.prompt_tokens is None else usage.prompt_tokens
        output = estimate_text(self._size_bytes) if usage.completion_tokens is None else usage.completion_tokens
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


def _is_object(text: str) -> bool:
    if not text.rstrip().endswith("}"):  # cheap, and mostly the answer
        return False
    try:
        value: Any = json.loads(text)
    except (ValueError, RecursionError):
        return False
    return isinstance(value, dict)
