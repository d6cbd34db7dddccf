"""Values and JSON schemas: the type that a tool wants, for a value that came as text."""

from __future__ import annotations

import json
from typing import Any

_TYPES: dict[str, tuple[type, ...]] = {
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "object": (dict,),
    "array": (list,),
    "null": (type(None),),
}


def type_value(text: str, schema: dict[str, Any], name: str) -> Any:
    """`text` as the property `name` of `schema` wants it; as text where that does not fit or nothing is known."""
    properties = schema.get("properties")
    wanted = allowed_types(properties.get(name)) if isinstance(properties, dict) else set()
    if wanted == {"string"}:
        return text
    try:
        value = json.loads(text)
    except ValueError:
        return (
            {"true": True, "false": False, "none": None}.get(text.strip().lower(), text) if _is_word(wanted) else text
        )
    if isinstance(value, str):
        return text if "string" in wanted or not wanted else value
    if not wanted:
        return value if isinstance(value, dict | list) else text
    fits = any(_is_of(value, kind) for kind in wanted)
    return value if fits else text


def allowed_types(schema: object) -> set[str]:
    """The JSON types that a schema admits; empty where it does not say."""
    if not isinstance(schema, dict):
        return set()
    kind = schema.get("type")
    types = (
        {kind}
        if isinstance(kind, str)
        else {k for k in kind if isinstance(k, str)}
        if isinstance(kind, list)
        else set()
    )
    for union in ("anyOf", "oneOf"):
        for option in schema.get(union) or ():
            types |= allowed_types(option)
    choices = schema.get("enum")
    if not types and isinstance(choices, list) and choices and all(isinstance(choice, str) for choice in choices):
        types = {"string"}
    return types


def _is_word(wanted: set[str]) -> bool:
    return bool(wanted & {"boolean", "null"}) and "string" not in wanted


def _is_of(value: object, kind: str) -> bool:
    if isinstance(value, bool):
        return kind == "boolean"
    if kind == "integer" and isinstance(value, float):
        return value.is_integer()
    return isinstance(value, _TYPES.get(kind, ()))
