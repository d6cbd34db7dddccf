"""The shapes of what upstream sends: one chunk of a streamed chat completion, or a whole one.

Only the fields that are used, each optional, as servers leave out or null almost all of them
(https://platform.openai.com/docs/api-reference/chat-streaming; vLLM's own additions).
"""

from __future__ import annotations

import json
from typing import Any

import msgspec

from tray_app.translate import json_text


class FunctionPart(msgspec.Struct, frozen=True):
    name: str | None = None
    arguments: str | dict[str, Any] | None = None
    """A fragment of JSON text; some servers send the finished object."""


class ToolCallPart(msgspec.Struct, frozen=True):
    index: int | None = None
    id: str | None = None
    function: FunctionPart | None = None


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
    """A chunk or a whole completion; ValueError where it is neither."""
    try:
        return _decoder.decode(payload)
    except (msgspec.DecodeError, RecursionError):  # also raised for half a surrogate pair, which the slow way accepts
        return decode_loosely(payload)


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
    if isinstance(arguments, dict):
        return json.dumps(arguments, ensure_ascii=False)
    return arguments or ""
