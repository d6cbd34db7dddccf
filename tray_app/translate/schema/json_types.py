"""The types that JSON schemas know, and text read as a value of one of them."""

from __future__ import annotations

import json
from collections.abc import Set
from typing import Any

STRING, NULL = "string", "null"

_TYPES_OF: dict[type, tuple[str, ...]] = {
    str: (STRING,),
    int: ("integer", "number"),
    float: ("number",),
    bool: ("boolean",),
    dict: ("object",),
    list: ("array",),
    type(None): (NULL,),
}
TYPES = frozenset(name for names in _TYPES_OF.values() for name in names)


def types_of(value: object) -> tuple[str, ...]:
    """The types that a JSON value has: an integer is a number, too."""
    if isinstance(value, float) and value.is_integer():
        return _TYPES_OF[int]
    return _TYPES_OF.get(type(value), ())


def fits(value: object, wanted: Set[str]) -> bool:
    """Whether a value has one of the wanted types."""
    return any(name in wanted for name in types_of(value))


def read_as(text: str, wanted: Set[str]) -> Any:
    """`text` read as JSON (or a bare word such as True) where that gives one of the wanted types; else `text`."""
    value = read_json(text)
    if value is ...:
        value = {"true": True, "false": False, "none": None}.get(text.strip().lower(), ...)
        if value is ... or STRING in wanted:
            return text
    if isinstance(value, str):
        return text if STRING in wanted else value
    return value if fits(value, wanted) else text


def read_json(text: str) -> Any:
    """The JSON value, or `...` where there is none."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return ...


def write_json(value: Any) -> Any:
    """The value as JSON text; the value itself where it is nested too deeply to be written."""
    try:
        return json.dumps(value, ensure_ascii=False)
    except RecursionError:
        return value
