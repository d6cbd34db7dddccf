"""Reads what a request asks of its answer as a whole: the effort, and the JSON schema that it must match.

https://platform.claude.com/docs/en/build-with-claude/effort and .../structured-outputs
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tray_app.catalog import EFFORTS, Model
from tray_app.translate import json_text
from tray_app.translate.request.body import Message, MessagesRequest
from tray_app.translate.schema.schema import allowed_types

_BRACKETS = {"object": "{", "array": "["}


def read_effort(request: MessagesRequest) -> str:
    """Returns one of EFFORTS; empty if the client asks for none or for an unknown one.

    A system message after the user's last words takes precedence over the request's field, as it is about this turn.
    """
    return _read_turn_effort(request.messages) or (request.effort if request.effort in EFFORTS else "")


def _read_turn_effort(messages: Sequence[Message]) -> str:
    for message in reversed(messages):
        if message.role == "user" and not _holds_results_only(message):
            break
        config = message.output_config if message.role == "system" else None
        effort = config.get("effort") if isinstance(config, dict) else None
        if isinstance(effort, str) and effort in EFFORTS:
            return effort
    return ""


def _holds_results_only(message: Message) -> bool:
    return all(block["type"] == "tool_result" for block in message.blocks)


def read_format(schema: dict[str, Any] | None, model: Model, *, has_tools: bool) -> tuple[dict[str, Any], str]:
    """Returns the request fields for the answer's schema, and an instruction for the model if no field can be used.

    With tools no field can be used: `response_format` applies to the whole answer, and would forbid calls.
    """
    if schema is None:
        return {}, ""
    if model.takes_json_schema and not has_tools:
        return {"response_format": {"type": "json_schema", "json_schema": {"name": "answer", "schema": schema}}}, ""
    return {}, ask_for_json(schema)


def find_brackets(schema: dict[str, Any] | None) -> str:
    """Returns the brackets with which an answer that matches the schema may begin.

    It is empty if there is no schema, or if the schema allows values without brackets, such as numbers. A schema that
    does not name its types is taken to mean an object or an array.
    """
    if schema is None:
        return ""
    types = allowed_types(schema, schema)
    if types - _BRACKETS.keys():
        return ""
    return "".join(bracket for kind, bracket in _BRACKETS.items() if not types or kind in types)


def ask_for_json(schema: Any) -> str:
    """Returns the instruction to answer with JSON that matches `schema`."""
    text = json_text.encode_valid(schema).decode()
    return f"Answer with nothing but JSON, without a code fence, that fits this JSON schema:\n{text}"
