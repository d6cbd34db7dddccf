"""The types of JSON schemas, and the reading of text as a value of one of them."""

from __future__ import annotations

import json
from collections.abc import Set as AbstractSet
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
    """Returns the types of a JSON value. An integer is also a number."""
    if isinstance(value, float) and value.is_integer():
        return _TYPES_OF[int]
    return _TYPES_OF.get(type(value), ())


def fits(value: object, wanted: AbstractSet[str]) -> bool:
    """Returns whether a value has one of the wanted types."""
    return any(name in wanted for name in types_of(value))


def read_as(text: str, wanted: AbstractSet[str]) -> Any:
    """Returns the value of `text` as JSON, or as a word such as True, if it has a wanted type; otherwise `text`."""
    value = read_json(text)
    if value is ...:
        value = {"true": True, "false": False, "none": None}.get(text.strip().lower(), ...)
        if value is ... or STRING in wanted:
            return text
    if isinstance(value, str):
        return text if STRING in wanted else value
    return value if fits(value, wanted) else text


def read_json(text: str) -> Any:
    """Returns the value of a JSON text, or `...` if the text is not JSON."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return ...


def write_json(value: Any) -> Any:
    """Returns the value as JSON text, or the value itself if it is nested too deeply."""
    try:
        return json.dumps(value, ensure_ascii=False)
    except RecursionError:
        return value
