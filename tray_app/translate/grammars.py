"""The ways in which models write calls: GLM 4.5-4.7, MiniMax M2 and Hermes/Qwen, as in the vendors' chat templates.

Each function reads what follows the opening tag, as far as it has come.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tray_app.translate.schema import type_value

Schemas = Mapping[str, dict[str, Any]]


@dataclass(frozen=True, slots=True)
class WrittenCall:
    """A complete call, its arguments typed by the tool's schema."""

    name: str
    arguments: dict[str, Any]


_CALL_END, _MINIMAX_END = "</tool_call>", "</minimax:tool_call>"
_NAME = re.compile(r"[^\s<]*")
_GLM_ARGUMENT = re.compile(
    r"\s*<arg_key>(?P<key>[^<]*)</arg_key>\s*<arg_value>(?P<value>.*?)</arg_value>(?=\s*(?:<arg_key>|$))", re.S
)
_INVOKE = re.compile(
    r"\s*<invoke name=[\"']?(?P<name>[^\"'>]+)[\"']?>(?P<body>.*?)</invoke>(?=\s*(?:<invoke |$))", re.S
)
_PARAMETER = re.compile(
    r"\s*<parameter name=[\"']?(?P<key>[^\"'>]+)[\"']?>(?P<value>.*?)</parameter>(?=\s*(?:<parameter |$))", re.S
)

Found = tuple[list[WrittenCall], int]
UNDECIDED: Found = ([], -1)


def read_glm_or_hermes(text: str, schemas: Schemas) -> Found | None:
    """The calls at the start of `text` and their length; UNDECIDED while more may come, None where it is none."""
    body = text.lstrip()
    if not body:
        return UNDECIDED
    return _read_hermes(text, schemas) if body[0] == "{" else _read_glm(text, schemas)


def _read_glm(text: str, schemas: Schemas) -> Found | None:
    body = text.lstrip()
    name_match = _NAME.match(body)
    name = name_match[0] if name_match else ""
    rest = body[len(name) :]
    if not rest:
        return UNDECIDED if any(known.startswith(name) for known in schemas) else None
    if name not in schemas:
        return None
    after = rest.lstrip()
    if not any(after.startswith(tag) or tag.startswith(after) for tag in ("<arg_key>", _CALL_END)):
        return None
    offset = len(text) - len(rest)
    end = text.find(_CALL_END, offset)
    while end >= 0:
        arguments = _read_all(_GLM_ARGUMENT, text[offset:end].rstrip())
        if arguments is not None:
            typed = {key.strip(): type_value(value, schemas[name], key.strip()) for key, value in arguments}
            return [WrittenCall(name, typed)], end + len(_CALL_END)
        end = text.find(_CALL_END, end + 1)  # that one stood inside a value
    return UNDECIDED


def _read_hermes(text: str, schemas: Schemas) -> Found | None:
    head = text.lstrip()[1:].lstrip()
    if head and head[0] != '"':
        return None
    end = text.find(_CALL_END)
    while end >= 0:
        try:
            call = json.loads(text[:end])
            name, arguments = call.get("name"), call.get("arguments", call.get("parameters"))
            if isinstance(arguments, str):
                arguments = json.loads(arguments)
        except (ValueError, RecursionError):
            end = text.find(_CALL_END, end + 1)
            continue
        if not isinstance(name, str) or name not in schemas or not isinstance(arguments, dict):
            return None
        return [WrittenCall(name, arguments)], end + len(_CALL_END)
    return UNDECIDED


def read_minimax(text: str, schemas: Schemas) -> Found | None:
    body = text.lstrip()
    head = "<invoke name="
    if not (body.startswith(head) or head.startswith(body)):
        return None
    after_name = re.match(r"<invoke name=[\"']?([^\"'>]*)(.?)", body)
    if after_name:
        name, closing = after_name[1], after_name[2]
        if name not in schemas if closing else not any(known.startswith(name) for known in schemas):
            return None
    end = text.find(_MINIMAX_END)
    while end >= 0:
        calls = _read_invokes(text[:end].rstrip(), schemas)
        if calls is not None:
            return (calls, end + len(_MINIMAX_END)) if calls else None
        end = text.find(_MINIMAX_END, end + 1)
    return UNDECIDED


def _read_invokes(text: str, schemas: Schemas) -> list[WrittenCall] | None:
    """The calls of a MiniMax block; None where the text is not invokes alone, empty where one is not offered."""
    invokes = _read_all(_INVOKE, text, "name", "body")
    if not invokes:
        return None
    calls = []
    for name, body in invokes:
        parameters = _read_all(_PARAMETER, body.rstrip())
        if parameters is None:
            return None
        if name not in schemas:
            return []
        typed = {key: type_value(_trim_line_ends(value), schemas[name], key) for key, value in parameters}
        calls.append(WrittenCall(name, typed))
    return calls


def _read_all(
    pattern: re.Pattern[str], text: str, key: str = "key", value: str = "value"
) -> list[tuple[str, str]] | None:
    """All matches one after another; None if they do not make up the whole text."""
    found: list[tuple[str, str]] = []
    position = 0
    while position < len(text):
        match = pattern.match(text, position)
        if match is None:
            return None if text[position:].strip() else found
        found.append((match[key], match[value]))
        position = match.end()
    return found


def _trim_line_ends(value: str) -> str:
    """MiniMax's template sets a value apart by one line end on either side."""
    return value.removeprefix("\n").removesuffix("\n")
