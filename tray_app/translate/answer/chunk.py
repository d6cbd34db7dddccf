"""Decodes what upstream sends: one chunk of a streamed chat completion, or a whole completion.

The structs have only the fields that are used. All fields are optional, because servers leave out almost any of them,
or send null. https://platform.openai.com/docs/api-reference/chat-streaming lists the fields; vLLM adds some.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import msgspec

from tray_app.errors import UpstreamFault
from tray_app.translate import json_text
from tray_app.translate.answer.reported_usage import Usage
from tray_app.translate.refusal.error_body import MAX_ERROR_BYTES, is_error

MAX_CHUNK_BYTES = 2 * 1024 * 1024
"""Largest chunk that is read. The longest answer of any model, 131,072 tokens, has 0.6 MB, or 1.2 MB if all of it is
escapes such as \\u4e2d. Decoding 2 MB holds up the event loop for up to 7 ms."""

_SMALL_BYTES = 64 * 1024
"""Largest payload that is decoded unchecked. It takes less than 10 ms, even with 22,000 empty objects."""

_MOST_VALUES = 20_000
"""Most values in a larger payload. Decoding a value takes up to 0.5 us, and an honest payload is large because of its
text."""

_NO_MARKS = bytes(set(range(256)) - set(b",[{"))
_NO_MARKS_OR_QUOTES = bytes(set(range(256)) - set(b',[{"'))


class FunctionPart(msgspec.Struct, frozen=True):
    """A part of the function of a tool call."""

    name: str | None = None
    arguments: str | dict[str, Any] | None = None
    """A fragment of JSON text. Some servers send the finished object instead."""


class ToolCallPart(msgspec.Struct, frozen=True):
    """A part of a tool call."""

    index: int | None = None
    id: str | int | None = None
    """A text, or a number on some servers."""
    function: FunctionPart | None = None

    @property
    def upstream_id(self) -> str:
        """The id as text. Empty if there is none."""
        return "" if self.id is None else str(self.id)


class Message(msgspec.Struct, frozen=True):
    """The `delta` of a chunk or the `message` of a whole completion."""

    content: str | list[Any] | None = None
    reasoning_content: str | None = None
    reasoning: str | None = None
    refusal: Any = None
    tool_calls: list[ToolCallPart] | None = None
    function_call: FunctionPart | None = None
    """The only call, in the form that OpenAI used before there could be several."""

    @property
    def calls(self) -> Sequence[ToolCallPart]:
        """The parts of tool calls, in either form."""
        if self.tool_calls or self.function_call is None:
            return self.tool_calls or ()
        return (ToolCallPart(index=0, function=self.function_call),)

    @property
    def thinking(self) -> str:
        """The thinking. vLLM 0.12 to 0.14 sends the same text in both fields, so only one of them is read."""
        return self.reasoning_content or self.reasoning or ""

    @property
    def refused_with(self) -> str:
        """The text with which the model refuses to answer. Empty if it does not refuse."""
        return self.refusal if isinstance(self.refusal, str) else ""

    @property
    def text(self) -> str:
        """The text of the content, which some servers send as a list of parts."""
        content = self.content
        if not content:
            return ""
        if isinstance(content, str):
            return content
        parts = (part.get("text") for part in content if isinstance(part, dict))
        return "".join(part for part in parts if isinstance(part, str))


class Choice(msgspec.Struct, frozen=True):
    """The answer in a chunk. Upstream is asked for one answer only."""

    delta: Message | None = None
    message: Message | None = None
    finish_reason: str | None = None
    stop_reason: str | int | None = None
    """vLLM sends the stop sequence that matched, or the id of the token that ended the answer."""
    usage: Usage | None = None
    """Kimi's own API sends the usage here."""
    error: Any = None


class Chunk(msgspec.Struct, frozen=True):
    """One chunk of a stream, or a whole completion."""

    choices: list[Choice] | None = None
    usage: Usage | None = None
    error: Any = None
    """The whole payload, if that is an error."""


_decoder = msgspec.json.Decoder(Chunk)


def decode_chunk(payload: bytes) -> Chunk:
    """Returns a chunk or a whole completion. Raises ValueError if the payload is neither, or has too many values."""
    if len(payload) > _SMALL_BYTES and _has_too_many_values(payload):
        raise ValueError(f"more than {_MOST_VALUES} values")
    try:
        chunk = _decoder.decode(payload)
    except (msgspec.DecodeError, RecursionError):  # half a surrogate pair also raises it
        return decode_loosely(payload)
    return chunk if chunk.choices and chunk.error is None else _find_error(chunk, payload)


def _has_too_many_values(payload: bytes) -> bool:
    """Tells whether the JSON, which need not be valid, has more than _MOST_VALUES values.

    Each value but the first follows a comma or an opening bracket. Commas and brackets within strings do not count.
    """
    if len(payload.translate(None, _NO_MARKS)) <= _MOST_VALUES:
        return False
    # without escaped backslashes and quotes, each quote begins or ends a string
    unescaped = payload.replace(b"\\\\", b"").replace(b'\\"', b"")
    marks = unescaped.translate(None, _NO_MARKS_OR_QUOTES)
    if marks.count(b'"') > 4 * _MOST_VALUES:  # a value and its key have four quotes
        return True
    return sum(map(len, marks.split(b'"')[::2])) > _MOST_VALUES


def decode_loosely(payload: bytes) -> Chunk:
    """Decodes with the standard library's parser, which is slower, and takes numbers in any notation."""
    try:
        return _find_error(msgspec.convert(json_text.decode(payload), Chunk, strict=False), payload)
    except msgspec.ValidationError as error:
        raise ValueError(str(error)) from error
    except RecursionError as error:
        raise ValueError("nested too deeply") from error


def _find_error(chunk: Chunk, payload: bytes) -> Chunk:
    """Returns the chunk. If the payload is an error, in any of many shapes, it becomes the error of the chunk."""
    if len(payload) > MAX_ERROR_BYTES:
        return chunk
    try:
        value = json_text.decode(payload)
    except (ValueError, RecursionError):  # the fault is in a field that chunks do not have
        return chunk
    is_chunk = bool(chunk.choices) or chunk.usage is not None
    return msgspec.structs.replace(chunk, error=value if is_error(value, is_chunk=is_chunk) else None)


def read_arguments(arguments: str | dict[str, Any] | None) -> str:
    """Returns the arguments of a call as JSON text. Some servers send an object."""
    if not isinstance(arguments, dict):
        return arguments or ""
    try:
        return json.dumps(arguments, ensure_ascii=False)
    except RecursionError:  # encoding needs a few more levels of the stack than decoding
        raise UpstreamFault("NVIDIA's answer is malformed: a call is nested too deeply. Please try again.") from None
