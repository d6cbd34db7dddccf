"""Calls that a model wrote as JSON: each an object with the name of its tool and the arguments."""

from __future__ import annotations

import re
from typing import Any

from tray_app.translate.arguments.json_value import skip
from tray_app.translate.json_text import lenient_decoder
from tray_app.translate.markup.grammars import WrittenCall
from tray_app.translate.tool_names import ToolNames

_BETWEEN_VALUES = re.compile(r"[\s,;`]*+")
"""What stands between several values, or around one that is in a code fence."""


def read_calls(text: str, names: ToolNames) -> list[WrittenCall]:
    """The calls; none if the text holds anything else, or if one of them may not be called."""
    calls: list[WrittenCall] = []
    for value in read_values(text):
        for call in value if isinstance(value, list) else [value]:
            if (written := _read_call(call, names)) is None:
                return []
            calls.append(written)
    return calls


def _read_call(call: Any, names: ToolNames) -> WrittenCall | None:
    if isinstance(call, dict) and isinstance(call.get("function"), dict):  # OpenAI's own form
        call = call["function"]
    if not isinstance(call, dict) or not isinstance(call.get("name"), str):
        return None
    arguments: Any = next((call[key] for key in ("arguments", "parameters", "input") if key in call), {})
    if isinstance(arguments, str):
        values = read_values(arguments) if arguments.strip() else [{}]
        arguments = values[0] if len(values) == 1 else values
    arguments = {} if arguments is None else arguments
    name = names.find(call["name"])
    return WrittenCall(name, arguments) if name and isinstance(arguments, dict) else None


def read_values(text: str) -> list[Any]:
    """The JSON values in a text, one behind another, perhaps in a code fence; none if it holds anything else.

    Line ends within their strings need not be escaped.
    """
    values: list[Any] = []
    place = skip(_BETWEEN_VALUES, text, 0)
    while place < len(text):
        try:
            value, place = lenient_decoder.raw_decode(text, place)
        except (ValueError, RecursionError):
            return []
        values.append(value)
        place = skip(_BETWEEN_VALUES, text, place)
    return values
