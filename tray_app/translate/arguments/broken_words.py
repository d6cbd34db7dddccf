"""Reads the smallest parts of JSON that a model has broken: words, numbers, and the text of a string."""

from __future__ import annotations

import re
from json import loads
from typing import Any

from tray_app.translate.json_text import read_int

_INT = re.compile(r"[+-]?\d++")
_NUMBER = re.compile(r"[+-]?(?:\d++(?:\.\d*+)?|\.\d++)(?:[eE][+-]?\d++)?")
_WORDS = {
    "true": True,
    "True": True,
    "false": False,
    "False": False,
    **dict.fromkeys(("null", "None", "NaN", "Infinity", "-Infinity", "undefined")),
}

_UNFIT = re.compile(r'((?:[^"\\]++|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*+)("|\\.?|\Z)', re.DOTALL)
"""Matches to the next character that must not stand in a JSON string as it is."""


def read_word(word: str) -> Any:
    """Returns the value of a word or number. Raises ValueError if it is neither."""
    if word in _WORDS:
        return _WORDS[word]
    if _INT.fullmatch(word):
        return read_int(word)
    if _NUMBER.fullmatch(word):
        return float(word)
    raise ValueError("neither a word of JSON nor a number")


def decode_string(text: str) -> str:
    """Returns the string that stands between quotes as `text`. Quotes and backslashes in it need not be escaped."""
    decoded: str = loads(f'"{_UNFIT.sub(_escape, text)}"', strict=False)
    return decoded


def _escape(unfit: re.Match[str]) -> str:
    good, bad = unfit[1], unfit[2]
    if bad == '"':
        return good + '\\"'
    if bad in ("", "\\"):  # the text ends, perhaps in the middle of an escape
        return good
    return good + (bad[1] if bad == "\\'" else "\\" + bad)
