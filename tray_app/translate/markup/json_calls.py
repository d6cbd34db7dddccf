"""Reads calls that a model wrote as JSON, each an object with the name of the tool and the arguments."""

from __future__ import annotations

import re
from typing import Any

from tray_app.translate.arguments.json_value import skip
from tray_app.translate.json_text import lenient_decoder
from tray_app.translate.markup.cursor import Cursor, Waiting
from tray_app.translate.markup.pieces import WrittenCall
from tray_app.translate.tool_names import ToolNames

_BETWEEN_VALUES = re.compile(r"[\s,;`]*+")
"""Characters between several values, or around a value that is in a code fence."""

_OUTSIDE_STRING = re.compile(r"[^\"<\\]*")
_INSIDE_STRING = re.compile(r"[^\"\\]*")


def skip_json(cursor: Cursor, *, is_in_string: bool) -> Waiting[None]:
    """Steps to the first `<` or backslash outside of strings, where the JSON has ended."""
    while True:
        yield from cursor.skip(_INSIDE_STRING if is_in_string else _OUTSIDE_STRING)
        if cursor.text[cursor.at] == '"':
            is_in_string = not is_in_string
        elif is_in_string:
            cursor.at += 1  # the character behind a backslash does not end the string
            yield from cursor.peek()
        else:
            return
        cursor.at += 1


def read_calls(text: str, names: ToolNames) -> list[WrittenCall]:
    """Returns the calls. The list is empty if the text holds anything else, or a tool that may not be called."""
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
    """Returns the JSON values of a text, which may be in a code fence. The list is empty if it holds anything else.

    Line ends within strings need not be escaped.
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
