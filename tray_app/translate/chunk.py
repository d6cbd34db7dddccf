"""The shapes of what upstream sends: one chunk of a streamed chat completion, or a whole one.

Only the fields that are used, each optional, as servers leave out or null almost all of them
(https://platform.openai.com/docs/api-reference/chat-streaming; vLLM's own additions).
"""

from __future__ import annotations

import json
from typing import Any

import msgspec

from tray_app.errors import UpstreamFault
from tray_app.translate import json_text

MAX_CHUNK_BYTES = 2 * 1024 * 1024
"""The longest answer of any model, 131,072 tokens, is 0.6 MB, and 1.2 MB if it is all escapes such as \\u4e2d.

A chunk is decoded without a pause, which takes up to 7 ms for 2 MB.
"""

_SMALL_BYTES = 64 * 1024
"""A payload up to this size takes less than 10 ms, whatever it holds: 22,000 empty objects in the slow way."""

_MOST_VALUES = 20_000
"""A larger payload is honest only if it is large because of its text: decoding costs up to 0.5 us for each value."""

_NO_MARKS = bytes(set(range(256)) - set(b",[{"))
_NO_MARKS_OR_QUOTES = bytes(set(range(256)) - set(b',[{"'))


class FunctionPart(msgspec.Struct, frozen=True):
    name: str | None = None
    arguments: str | dict[str, Any] | None = None
    """A fragment of JSON text; some servers send the finished object."""


class ToolCallPart(msgspec.Struct, frozen=True):
    index: int | None = None
    id: str | int | None = None
    """Some servers number their calls."""
    function: FunctionPart | None = None

    @property
    def upstream_id(self) -> str:
        """Empty if there is none."""
        return "" if self.id is None else str(self.id)


class Message(msgspec.Struct, frozen=True):
    """The `delta` of a chunk or the `message` of a whole completion."""

    content: str | list[Any] | None = None
    reasoning_content: str | None = None
    reasoning: str | None = None
    tool_calls: list[ToolCallPart] | None = None

    @property
    def thinking(self) -> str:
        """vLLM 0.12-0.14 sends both fields with the same text: never both."""
        return self.reasoning_content or self.reasoning or ""

    @property
    def text(self) -> str:
        content = self.content
        if not content:
            return ""
        if isinstance(content, str):
            return content
        parts = (part.get("text") for part in content if isinstance(part, dict))
        return "".join(part for part in parts if isinstance(part, str))


class Choice(msgspec.Struct, frozen=True):
    delta: Message | None = None
    message: Message | None = None
    finish_reason: str | None = None
    stop_reason: str | int | None = None
    """vLLM: the stop sequence that matched, or the id of the token that ended the answer."""


class PromptDetails(msgspec.Struct, frozen=True):
    cached_tokens: int | None = None


class Usage(msgspec.Struct, frozen=True):
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    prompt_tokens_details: PromptDetails | None = None


class Chunk(msgspec.Struct, frozen=True):
    choices: list[Choice] | None = None
    usage: Usage | None = None
    error: Any = None


_decoder = msgspec.json.Decoder(Chunk)


def decode_chunk(payload: bytes) -> Chunk:
    """A chunk or a whole completion; ValueError if it is neither, or holds more values than any completion."""
    if len(payload) > _SMALL_BYTES and _has_too_many_values(payload):
        raise ValueError(f"more than {_MOST_VALUES} values")
    try:
        return _decoder.decode(payload)
    except (msgspec.DecodeError, RecursionError):  # also raised for half a surrogate pair, which the slow way accepts
        return decode_loosely(payload)


def _has_too_many_values(payload: bytes) -> bool:
    """Whether the JSON, which need not be valid, holds more than _MOST_VALUES values.

    Each value but the first comes after a comma, or opens an object or an array; within a string these say nothing.
    """
    if len(payload.translate(None, _NO_MARKS)) <= _MOST_VALUES:
        return False
    # once escaped backslashes and quotes are gone, each quote begins or ends a string
    unescaped = payload.replace(b"\\\\", b"").replace(b'\\"', b"")
    marks = unescaped.translate(None, _NO_MARKS_OR_QUOTES)
    if marks.count(b'"') > 4 * _MOST_VALUES:  # of a value and its key
        return True
    return sum(map(len, marks.split(b'"')[::2])) > _MOST_VALUES


def decode_loosely(payload: bytes) -> Chunk:
    """The plain twin of the fast decoder: the standard library's parser, and numbers in any notation."""
    try:
        return msgspec.convert(json_text.decode(payload), Chunk, strict=False)
    except msgspec.ValidationError as error:
        raise ValueError(str(error)) from error
    except RecursionError as error:
        raise ValueError("nested too deeply") from error


def read_arguments(arguments: str | dict[str, Any] | None) -> str:
    """The JSON text of a call's arguments, whichever way the server sends them."""
    if not isinstance(arguments, dict):
        return arguments or ""
    try:
        return json.dumps(arguments, ensure_ascii=False)
    except RecursionError:  # the decoder got by with a few levels less of the stack
        raise UpstreamFault("NVIDIA's answer is malformed: a call is nested too deeply. Please try again.") from None
