"""The shapes of what upstream sends: one chunk of a streamed chat completion, or a whole one.

Only the fields that are used, each optional, as servers leave out or null almost all of them
(https://platform.openai.com/docs/api-reference/chat-streaming; vLLM's own additions).
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import msgspec

from tray_app.errors import UpstreamFault
from tray_app.translate import json_text
from tray_app.translate.refusal.error_body import MAX_ERROR_BYTES, is_error

MAX_CHUNK_BYTES = 2 * 1024 * 1024
"""The longest answer of any model, 131,072 tokens, is 0.6 MB, and 1.2 MB if it is all escapes such as \\u4e2d.

A chunk is decoded without a pause, which takes up to 7 ms for 2 MB.
"""

_MOST_TOKENS = 10_000_000
"""No window holds more; what is above it is no count."""

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
    refusal: Any = None
    tool_calls: list[ToolCallPart] | None = None
    function_call: FunctionPart | None = None
    """What `tool_calls` was before there could be several."""

    @property
    def calls(self) -> Sequence[ToolCallPart]:
        if self.tool_calls or self.function_call is None:
            return self.tool_calls or ()
        return (ToolCallPart(index=0, function=self.function_call),)

    @property
    def thinking(self) -> str:
        """vLLM 0.12-0.14 sends both fields with the same text: never both."""
        return self.reasoning_content or self.reasoning or ""

    @property
    def refused_with(self) -> str:
        """What the model says instead of an answer."""
        return self.refusal if isinstance(self.refusal, str) else ""

    @property
    def text(self) -> str:
        content = self.content
        if not content:
            return ""
        if isinstance(content, str):
            return content
        parts = (part.get("text") for part in content if isinstance(part, dict))
        return "".join(part for part in parts if isinstance(part, str))


class CacheDetails(msgspec.Struct, frozen=True):
    cached_tokens: int | None = None


class Usage(msgspec.Struct, frozen=True):
    """Counts of tokens, under the names of several servers; those that cannot be true count as not given."""

    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    prompt_tokens_details: CacheDetails | None = None
    input_tokens: Any = None
    output_tokens: Any = None
    input_tokens_details: Any = None
    cached_tokens: Any = None
    prompt_cache_hit_tokens: Any = None
    cache_read_input_tokens: Any = None
    """Anthropic: not part of `input_tokens`, just as those of `cache_creation_input_tokens` are not."""
    cache_creation_input_tokens: Any = None

    @property
    def prompt(self) -> int | None:
        """All tokens of the prompt, those in a cache included; None if that is not told."""
        if count := _first_count(self.prompt_tokens):
            return count
        parts = (self.input_tokens, self.cache_read_input_tokens, self.cache_creation_input_tokens)
        return sum(_first_count(part) or 0 for part in parts) or None

    @property
    def cached(self) -> int:
        details, others = self.prompt_tokens_details, self.input_tokens_details
        return (
            _first_count(
                details and details.cached_tokens,
                others.get("cached_tokens") if isinstance(others, dict) else None,
                self.prompt_cache_hit_tokens,
                self.cached_tokens,
                self.cache_read_input_tokens,
            )
            or 0
        )

    @property
    def output(self) -> int | None:
        """None if it is not told."""
        return _first_count(self.completion_tokens, self.output_tokens)


def _first_count(*values: Any) -> int | None:
    """The first that can be a number of tokens of something."""
    return next((value for value in values if isinstance(value, int) and 0 < value <= _MOST_TOKENS), None)


class Choice(msgspec.Struct, frozen=True):
    delta: Message | None = None
    message: Message | None = None
    finish_reason: str | None = None
    stop_reason: str | int | None = None
    """vLLM: the stop sequence that matched, or the id of the token that ended the answer."""
    usage: Usage | None = None
    """Kimi's own API counts here."""
    error: Any = None


class Chunk(msgspec.Struct, frozen=True):
    choices: list[Choice] | None = None
    usage: Usage | None = None
    error: Any = None
    """All of the payload if it is an error."""


_decoder = msgspec.json.Decoder(Chunk)


def decode_chunk(payload: bytes) -> Chunk:
    """A chunk or a whole completion; ValueError if it is neither, or holds more values than any completion."""
    if len(payload) > _SMALL_BYTES and _has_too_many_values(payload):
        raise ValueError(f"more than {_MOST_VALUES} values")
    try:
        chunk = _decoder.decode(payload)
    except (msgspec.DecodeError, RecursionError):  # also raised for half a surrogate pair, which the slow way accepts
        return decode_loosely(payload)
    return chunk if chunk.choices and chunk.error is None else _find_error(chunk, payload)


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
        return _find_error(msgspec.convert(json_text.decode(payload), Chunk, strict=False), payload)
    except msgspec.ValidationError as error:
        raise ValueError(str(error)) from error
    except RecursionError as error:
        raise ValueError("nested too deeply") from error


def _find_error(chunk: Chunk, payload: bytes) -> Chunk:
    """The chunk, which may be an error in any of many shapes, with the whole payload as its error if it is one."""
    if len(payload) > MAX_ERROR_BYTES:
        return chunk
    try:
        value = json_text.decode(payload)
    except (ValueError, RecursionError):  # in a field that chunks do not have
        return chunk
    is_chunk = bool(chunk.choices) or chunk.usage is not None
    return msgspec.structs.replace(chunk, error=value if is_error(value, is_chunk=is_chunk) else None)


def read_arguments(arguments: str | dict[str, Any] | None) -> str:
    """The JSON text of a call's arguments, whichever way the server sends them."""
    if not isinstance(arguments, dict):
        return arguments or ""
    try:
        return json.dumps(arguments, ensure_ascii=False)
    except RecursionError:  # the decoder got by with a few levels less of the stack
        raise UpstreamFault("NVIDIA's answer is malformed: a call is nested too deeply. Please try again.") from None
