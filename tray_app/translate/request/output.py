"""What a request asks of its answer as a whole, in `output_config`: how much effort, and which JSON schema it must fit.

https://platform.claude.com/docs/en/build-with-claude/effort and .../structured-outputs
"""

from __future__ import annotations

from typing import Any

from tray_app.catalog import EFFORTS, Model
from tray_app.errors import InvalidRequest
from tray_app.translate import json_text
from tray_app.translate.schema.limits import check_limits
from tray_app.translate.schema.schema import allowed_types

_BRACKETS = {"object": "{", "array": "["}


def read_effort(body: dict[str, Any]) -> str:
    """One of EFFORTS; empty where the client asks for none, or for one that does not exist yet.

    A system message behind what the user said last goes before the request's own field: it is meant for this turn.
    """
    effort = _read_config(body).get("effort")
    if effort is not None and not isinstance(effort, str):
        raise InvalidRequest("output_config.effort: Input should be a valid string")
    return _read_turn_effort(body.get("messages")) or (effort if effort in EFFORTS else "")


def _read_turn_effort(messages: object) -> str:
    for message in reversed(messages if isinstance(messages, list) else []):
        if not isinstance(message, dict) or (message.get("role") == "user" and not _holds_results_only(message)):
            break
        config = message.get("output_config") if message.get("role") == "system" else None
        effort = config.get("effort") if isinstance(config, dict) else None
        if isinstance(effort, str) and effort in EFFORTS:
            return effort
    return ""


def _holds_results_only(message: dict[str, Any]) -> bool:
    content = message.get("content")
    return isinstance(content, list) and all(
        isinstance(block, dict) and block.get("type") == "tool_result" for block in content
    )


def read_format(body: dict[str, Any], model: Model, *, has_tools: bool) -> tuple[dict[str, Any], str]:
    """Request fields for the schema that the answer must fit, and an instruction where a field cannot say it.

    `response_format` binds every word of an answer, so that a model could no longer call a tool.
    """
    schema = _read_schema(body)
    if schema is None:
        return {}, ""
    if model.takes_json_schema and not has_tools:
        return {"response_format": {"type": "json_schema", "json_schema": {"name": "answer", "schema": schema}}}, ""
    return {}, ask_for_json(schema)


def find_brackets(body: dict[str, Any]) -> str:
    """The brackets with which an answer may begin that fits the schema. Empty if there is no schema, or if it admits
    values without brackets; one that does not say its types admits both brackets.
    """
    schema = _read_schema(body)
    if schema is None:
        return ""
    types = allowed_types(schema, schema)
    if types - _BRACKETS.keys():
        return ""
    return "".join(bracket for kind, bracket in _BRACKETS.items() if not types or kind in types)


def ask_for_json(schema: Any) -> str:
    """The instruction to answer with JSON that fits `schema`."""
    text = json_text.encode_valid(schema).decode()
    return f"Answer with nothing but JSON, without a code fence, that fits this JSON schema:\n{text}"


def _read_config(body: dict[str, Any]) -> dict[str, Any]:
    config = body.get("output_config")
    if config is not None and not isinstance(config, dict):
        raise InvalidRequest("output_config: Input should be an object")
    return config or {}


def _read_schema(body: dict[str, Any]) -> dict[str, Any] | None:
    wanted, where = _read_config(body).get("format"), "output_config.format"
    if wanted is None:  # the name it had as a beta
        wanted, where = body.get("output_format"), "output_format"
    if wanted is None:
        return None
    if not isinstance(wanted, dict):
        raise InvalidRequest(f"{where}: Input should be an object")
    if wanted.get("type") != "json_schema":
        raise InvalidRequest(f"{where}.type: Input should be 'json_schema'")
    schema = wanted.get("schema")
    if not isinstance(schema, dict):
        raise InvalidRequest(f"{where}.schema: Input should be a JSON schema object")
    check_limits(schema, f"{where}.schema")
    return schema
