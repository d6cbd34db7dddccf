"""Reads and writes the JSON text of the settings file, and says what is wrong with a damaged one.

No error quotes a damaged text, because a key may be in it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from tray_app.settings.settings import Settings

_OWN_NAMES = "|".join(field.name for field in fields(Settings) if "_" in field.name)
"""Names of settings that are hardly used by other programs. "model" and "addr" are too common."""
_OWN_ENTRY = re.compile(rf'"(?:{_OWN_NAMES})"\s*+:'.encode())
_SERVER_KEY_ENTRY = re.compile(rb'"server_api_key"\s*+:\s*+"[^"]|"needs_server_key"\s*+:\s*+true')

_TRAILING_COMMA = "the comma before the bracket is one too many"
_SYNTAX_ERRORS = {
    "Expecting ',' delimiter": "a comma is missing before this place",
    "Expecting ':' delimiter": "a colon is missing before this place",
    "Expecting property name enclosed in double quotes": "a name in double quotes belongs here",
    "Extra data": "the object has ended before this place",
    "Illegal trailing comma before end of array": _TRAILING_COMMA,  # from Python 3.13 on
    "Illegal trailing comma before end of object": _TRAILING_COMMA,
    "Invalid \\escape": "a backslash in a text stands twice: \\\\",
    "Invalid control character at": "a text does not end on its line: a double quote is missing",
    "Unterminated string starting at": "the text that starts here has no end: a double quote is missing",
}
"""The messages of Python's JSON parser, with the sentences that the user sees instead."""


class Damaged(Exception):
    """The text is not a JSON object. The message continues "the file", and says what is wrong."""

    def __init__(self, message: str, data: bytes) -> None:
        super().__init__(message)
        self.looks_like_ours = _OWN_ENTRY.search(data) is not None
        """Tells whether the text names a setting of this program, so that the file is not another program's."""
        self.names_server_key = _SERVER_KEY_ENTRY.search(data) is not None
        """Tells whether the damaged file says that clients must send a server key."""


def decode_settings(data: bytes) -> dict[str, Any]:
    """Returns the JSON object; Damaged if the text is not one."""
    try:
        text = data.decode("utf-8-sig")
        raw = json.loads(text)
    except json.JSONDecodeError as error:
        raise Damaged(_describe(error), data) from None
    except UnicodeDecodeError:
        raise Damaged("is no text in UTF-8", data) from None
    except (ValueError, RecursionError):  # a number of thousands of digits, or brackets that are nested too deep
        raise Damaged("is not valid JSON", data) from None
    if not isinstance(raw, dict):
        raise Damaged("holds no JSON object", data)
    return raw


def encode_settings(raw: Mapping[str, Any]) -> bytes:
    """Returns the text of the file."""
    try:
        text = json.dumps(raw, indent=2, ensure_ascii=False).encode()
    except UnicodeEncodeError:  # half of a surrogate pair under an unknown key, which JSON can only hold as an escape
        text = json.dumps(raw, indent=2).encode()
    return text + b"\n"


def _describe(error: json.JSONDecodeError) -> str:
    """Returns the line and the column, and the mistake if it is a common one."""
    mistake = _find_mistake(error)
    return f"is not valid JSON, line {error.lineno}, column {error.colno}{mistake and f' ({mistake})'}"


def _find_mistake(error: json.JSONDecodeError) -> str:
    before, here = error.doc[: error.pos].rstrip(), error.doc[error.pos : error.pos + 2]
    if not here:
        return "it ends too early" if before else "it is empty"
    if here[0] in "]}" and before.endswith(","):
        return _TRAILING_COMMA
    if here[0] == "#" or here in ("//", "/*"):
        return "JSON has no comments"
    if here[0] in "'‘’“”„":
        return "names and texts stand in straight double quotes"
    return _SYNTAX_ERRORS.get(error.msg, "")
