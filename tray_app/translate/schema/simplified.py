"""Simplifies a tool's JSON schema for upstream.

NVIDIA's tool parser fails on boolean sub-schemas and on a property named `type`. If a property may be null, the parser
loses the quotes of its strings (user reports, 2026). A simplified schema has none of the three.
"""

from __future__ import annotations

from tray_app.translate.schema.json_types import NULL
from tray_app.translate.schema.limits import Schema
from tray_app.translate.schema.subschemas import sent_names
from tray_app.translate.schema.union_types import UNIONS, as_list

_SCHEMA_MAPS = frozenset({"properties", "patternProperties", "$defs", "definitions", "dependentSchemas"})
_SCHEMA_LISTS = frozenset({"anyOf", "oneOf", "allOf", "prefixItems"})
_SINGLE_SCHEMAS = frozenset(
    {
        *("additionalProperties", "items", "not", "if", "then", "else", "contains", "propertyNames"),
        *("unevaluatedItems", "unevaluatedProperties", "additionalItems"),
    }
)


def simplify(schema: object, *, is_root: bool = False) -> Schema | None:
    """Returns the simplified schema; None for the schema `false`, which no value matches. Other values become `{}`.

    It recurses into each part of the schema, so the caller passes only schemas that are within the limits.
    """
    if not isinstance(schema, dict):
        return None if schema is False else {}
    plain: Schema = {}
    for key, value in schema.items():
        if key in _SCHEMA_MAPS and isinstance(value, dict):
            names = sent_names(value) if key == "properties" else {}
            named = ((names.get(name, name), simplify(part)) for name, part in value.items())
            plain[key] = {name: part for name, part in named if part is not None}
        elif key in _SCHEMA_LISTS and isinstance(value, list):
            if parts := [part for part in map(simplify, value) if part is not None]:
                plain[key] = parts
        elif key in _SINGLE_SCHEMAS and isinstance(value, dict):
            plain[key] = simplify(value)
        elif key not in _SINGLE_SCHEMAS or isinstance(value, list) or (is_root and value is False):
            plain[key] = value
    if isinstance(plain.get("required"), list):
        plain["required"] = _required(plain["required"], schema.get("properties"))
    return _without_null(plain)


def _required(required: list[object], properties: object) -> list[str]:
    """Returns the required names for upstream, without values that are no names and properties that allow no value."""
    properties = properties if isinstance(properties, dict) else {}
    names = sent_names(properties)
    return [names.get(name, name) for name in required if isinstance(name, str) and properties.get(name) is not False]


def _without_null(plain: Schema) -> Schema:
    """Returns the schema without null, unless it allows only null. It may change the given dict."""
    kinds = as_list(plain.get("type"))
    if NULL in kinds and (others := [kind for kind in kinds if kind != NULL]):
        plain["type"] = others[0] if len(others) == 1 and isinstance(others[0], str) else others
    for union in UNIONS:
        options = as_list(plain.get(union))
        others = [option for option in options if option.get("type") != NULL]
        if not others or len(others) == len(options):
            continue
        plain[union] = others
        if len(others) == 1:
            del plain[union]
            others[0].update(plain)
            plain = others[0]
    choices = as_list(plain.get("enum"))
    if None in choices and (others := [choice for choice in choices if choice is not None]):
        plain["enum"] = others
    if plain.get("default", ...) is None:
        del plain["default"]
    return plain
