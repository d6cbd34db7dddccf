"""Reads the body of a client's request. All errors about its shape are raised here, once."""

from __future__ import annotations

import re
from typing import Any

import msgspec

from tray_app.errors import InvalidRequest, ThreadUnsupported
from tray_app.translate import json_text
from tray_app.translate.request.body import Message, MessagesRequest
from tray_app.translate.schema.limits import check_limits

MOST_NAME_CHARS = 256
"""Anthropic's own limit for the name of a model."""
MOST_STOP_SEQUENCES = 500
MOST_STOP_CHARS = 50_000
"""Limits for the number of stop sequences and for their characters in all. Clients send far less.

They exist because every piece of an answer is searched for all stop sequences.
"""

_WANTED = {
    "model": "a valid string",
    "messages": "a list",
    "messages.*": "an object",
    "messages.*.role": "'user' or 'assistant'",
    "max_tokens": "a valid integer",
    "stream": "a valid boolean",
    "thinking": "an object",
    "tools": "a list",
    "tools.*": "an object",
    "stop_sequences": "a list of strings",
    "temperature": "a valid number",
    "top_p": "a valid number",
    "top_k": "a valid integer",
    "output_config": "an object",
    "output_config.effort": "a valid string",
    "output_config.format": "an object",
    "output_config.format.type": "'json_schema'",
    "output_config.format.schema": "a JSON schema object",
    "output_format": "an object",
    "output_format.type": "'json_schema'",
    "output_format.schema": "a JSON schema object",
}
"""The value that each typed field must have, in the words of Anthropic's API. `*` stands for the index in a list."""
_REQUIRED = ("model", "messages")
_REQUIRED_STRINGS = {"text": ("text",), "tool_use": ("id", "name"), "tool_result": ("tool_use_id",)}
"""Type of a block -> its fields that must be strings."""
_MISSING = re.compile(r"Object missing required field `(\w+)`")
_INDEX = re.compile(r"\[(\d+)\]")
_NUMBER = re.compile(r"\b\d+\b")


def read_request(body: dict[str, Any]) -> MessagesRequest:
    """Returns a decoded body as a typed request. InvalidRequest names the field that is wrong."""
    if isinstance(body.get("thread"), dict):
        raise ThreadUnsupported("thread: This gateway keeps no conversations. Send all messages, without `thread`.")
    try:
        request = _convert(body)
    except msgspec.ValidationError as error:
        raise InvalidRequest(_explain(str(error))) from None
    except RecursionError:
        raise InvalidRequest("The request is nested too deeply.") from None
    check_fields(request)
    if not request.messages:
        raise InvalidRequest("messages: at least one message is required")
    for n, message in enumerate(request.messages):
        check_message(message, f"messages.{n}")
    return request


def _convert(body: dict[str, Any]) -> MessagesRequest:
    try:
        return msgspec.convert(body, MessagesRequest)
    except UnicodeEncodeError:  # the name of a field holds half of a surrogate pair
        return msgspec.convert(json_text.decode(json_text.encode_valid(body)), MessagesRequest)


def _explain(error: str) -> str:
    """Returns msgspec's error in the words of Anthropic's API."""
    message, _, place = error.rpartition(" - at `$")
    if not message:
        message, place = error, ""
    place = _INDEX.sub(r".\1", place.removesuffix("`")).removeprefix(".")
    missing = _MISSING.match(message)
    if missing:
        place = f"{place}.{missing[1]}".removeprefix(".")
    if place in _REQUIRED and (missing or message.endswith("got `null`")):
        return f"{place}: Field required"
    return f"{place}: Input should be {_WANTED[_NUMBER.sub('*', place)]}"


def check_fields(request: MessagesRequest) -> None:
    """Raises InvalidRequest if a field of the right type, other than `messages`, has a value that is not allowed."""
    if len(request.model) > MOST_NAME_CHARS:
        raise InvalidRequest(f"model: String should have at most {MOST_NAME_CHARS} characters")
    if request.max_tokens is not None and request.max_tokens < 0:
        raise InvalidRequest("max_tokens: Input should be greater than or equal to 0")
    if not all(isinstance(stop, str) for stop in request.stop_sequences or ()):
        raise InvalidRequest("stop_sequences: Input should be a list of strings")
    stops = request.stops
    if len(stops) > MOST_STOP_SEQUENCES or sum(map(len, stops)) > MOST_STOP_CHARS:
        raise InvalidRequest(
            f"stop_sequences: List should have at most {MOST_STOP_SEQUENCES} strings, of {MOST_STOP_CHARS} "
            "characters in all"
        )
    if request.system is not None:
        _check_content(request.system, "system")
    if request.answer_schema is not None:
        is_current = request.output_config is not None and request.output_config.format is not None
        field = "output_config.format" if is_current else "output_format"
        check_limits(request.answer_schema, f"{field}.schema")


def check_message(message: Message, where: str) -> None:
    """Raises InvalidRequest if the content of a message is malformed. `where` is the place of the message."""
    # a system message may be without content and set only the effort of the turn
    if message.content is not None or message.role != "system":
        _check_content(message.content, f"{where}.content")


def _check_content(content: object, where: str, *, is_result: bool = False) -> None:
    """Raises InvalidRequest if a content value is malformed. `where` is the value's place in the request.

    `is_result` is true for the content of a tool's result. Results within results are not checked.
    """
    if content is None:
        raise InvalidRequest(f"{where}: Field required")
    if isinstance(content, str):
        return
    if not isinstance(content, list):
        raise InvalidRequest(f"{where}: Input should be a string or a list of content blocks")
    for n, block in enumerate(content):
        if not isinstance(block, dict) or not isinstance(block.get("type"), str):
            raise InvalidRequest(f"{where}.{n}: Input should be a content block, an object with a `type`")
        for name in _REQUIRED_STRINGS.get(block["type"], ()):
            if not isinstance(block.get(name), str):
                raise InvalidRequest(f"{where}.{n}.{name}: Input should be a valid string")
        if block["type"] == "tool_result" and block.get("content") is not None and not is_result:
            _check_content(block["content"], f"{where}.{n}.content", is_result=True)
