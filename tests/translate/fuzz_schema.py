"""Invariants for any tool schema and any arguments, for the property tests and for a coverage-guided fuzzer.

The fuzzer, in an environment with atheris beside the program's own packages: `python -m tests.translate.fuzz_schema
[libFuzzer options]`, for example `-max_total_time=300`.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

from tests.support.fuzzing import fuzz
from tray_app.errors import InvalidRequest
from tray_app.translate import json_text
from tray_app.translate.request.tools import read_tools
from tray_app.translate.schema.schema import LEFT_OUT, Parameters, type_value

NAMES = ["a", "b", "type", "type_", "node"]
LEAVES = [
    *("string", "integer", "number", "boolean", "object", "array", "null", "odd", "#", "#/$defs/node", "#/nowhere"),
    *("a", "type", "5", "True", '["1", {"type_": 2}]', '"x"', "\ud83d", None, True, False, 5, 1.5, -0.0),
]
KEYS = [
    *("type", "properties", "required", "items", "anyOf", "oneOf", "allOf", "enum", "$ref", "$defs", "default"),
    *("additionalProperties", "prefixItems", "patternProperties", "not"),
]
_MOST_LEVELS = 80
"""More levels than a schema may have."""

_SCHEMA_MAPS = ("properties", "patternProperties", "$defs")
_SCHEMA_LISTS = ("anyOf", "oneOf", "allOf", "prefixItems")
_SINGLE_SCHEMAS = ("items", "additionalProperties", "not")


def check_all(data: bytes) -> None:
    """Raises AssertionError if an invariant does not hold."""
    rest = iter(data)
    schema, arguments = read_value(rest), read_value(rest)
    check_tool(schema, arguments)
    check_text(schema, arguments)


def read_value(rest: Iterator[int], levels: int = 0) -> Any:
    """Returns a JSON value of words from schemas. The bytes choose them, and after their end the value is text."""
    kind, size = divmod(next(rest, 0), 5)
    if kind % 8 < 3 or levels == _MOST_LEVELS:
        return LEAVES[next(rest, 0) % len(LEAVES)]
    if kind % 8 == 3:
        return [read_value(rest, levels + 1) for _ in range(size)]
    words = KEYS if kind % 8 < 6 else NAMES
    return {words[next(rest, 0) % len(words)]: read_value(rest, levels + 1) for _ in range(size)}


def check_tool(schema: Any, arguments: Any) -> None:
    """Checks that a schema is simplified or refused by its name, and that any value is renamed and restored."""
    before = copy.deepcopy((schema, arguments))
    try:
        offer = read_tools([{"name": "T", "input_schema": schema}])
    except InvalidRequest as refusal:
        if not refusal.message.startswith("tools.0.input_schema: "):
            raise
        return
    [tool] = offer.functions
    json_text.encode(tool)
    check_plain(tool["function"]["parameters"], is_root=True)
    parameters = offer.tools["T"].parameters
    for name in NAMES:
        check_value(parameters, name, arguments)
        if parameters.takes_string(name):
            assert parameters.restore(name, "5") == "5"
    if isinstance(arguments, dict):
        renamed = parameters.rename(arguments)
        json_text.encode(renamed)
        if "type_" not in arguments:
            assert [parameters.client_name(name) for name in renamed] == list(arguments)
        missing = list(parameters.missing(renamed))
        assert len(set(missing)) == len(missing)
        assert not list(parameters.missing([*renamed, *missing]))
    assert (schema, arguments) == before


def check_value(parameters: Parameters, name: str, value: Any) -> None:
    """Checks that a restored value is JSON or LEFT_OUT, and that restoring it again does not change it."""
    restored = parameters.restore(name, value)
    if restored is LEFT_OUT:
        assert value is None or isinstance(value, str | float)
        return
    json_text.encode(restored)
    assert json_text.encode(parameters.restore(name, restored)) == json_text.encode(restored)


def check_text(schema: Any, value: Any) -> None:
    """Checks that text becomes a value of the schema's type, and stays unchanged if it does not match."""
    if isinstance(schema, dict):
        text = json_text.encode(value).decode()
        for name in NAMES:
            typed = type_value(text, schema, name)
            assert typed == text or json_text.encode(typed) == json_text.encode(value)


def check_plain(schema: Any, *, is_root: bool = False) -> None:
    """Checks that none of the forms that break NVIDIA's tool parser is left."""
    assert isinstance(schema, dict)
    for key, value in schema.items():
        if key in ("type", "enum", "anyOf", "oneOf") and isinstance(value, list):
            nulls = [_is_null(key, option) for option in value]
            assert all(nulls) or not any(nulls)
    assert schema.get("default", ...) is not None
    if isinstance(schema.get("required"), list):
        assert all(isinstance(name, str) for name in schema["required"])
    if isinstance(schema.get("properties"), dict):
        assert "type" not in schema["properties"]
    for part in _parts(schema, is_root):
        check_plain(part)


def _is_null(key: str, option: Any) -> bool:
    if key == "type":
        return bool(option == "null")
    return option is None if key == "enum" else bool(option.get("type") == "null")


def _parts(schema: dict[str, Any], is_root: bool) -> Iterator[Any]:
    for key in _SCHEMA_MAPS:
        yield from schema[key].values() if isinstance(schema.get(key), dict) else ()
    for key in _SCHEMA_LISTS:
        yield from schema[key] if isinstance(schema.get(key), list) else ()
    for key in _SINGLE_SCHEMAS:
        if key in schema and not isinstance(schema[key], list) and not (is_root and schema[key] is False):
            yield schema[key]


if __name__ == "__main__":
    fuzz(check_all)
