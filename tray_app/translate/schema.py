"""JSON schemas of tools: in the plain form that upstream takes, and its values back in the form that the client wants.

NVIDIA's tool parser breaks on boolean sub-schemas and on a property that is called `type`; where a property may be
null, it loses the quotes of strings (user reports, 2026). So both are written in another way upstream, and undone here.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

Schema = dict[str, Any]

_SCHEMA_MAPS = ("properties", "patternProperties", "$defs", "definitions", "dependentSchemas")
_SCHEMA_LISTS = ("anyOf", "oneOf", "allOf", "prefixItems")
_SINGLE_SCHEMAS = (
    *("additionalProperties", "items", "not", "if", "then", "else", "contains", "propertyNames"),
    *("unevaluatedItems", "unevaluatedProperties", "additionalItems"),
)
_UNIONS = ("anyOf", "oneOf")
_BREAKING_NAME = "type"
_MAX_DEPTH = 16
"""Of references that lead to references, and of unions within unions: a schema may lead to itself."""

_TYPES: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "object": (dict,),
    "array": (list,),
    "null": (type(None),),
}


@dataclass(frozen=True, slots=True)
class Parameters:
    """The parameters of one tool, as the client described them. `sent` is the schema that goes upstream."""

    schema: Schema = field(default_factory=dict)

    @property
    def sent(self) -> Schema:
        """Without boolean sub-schemas, null options and the name `type`. What may be null may also be left out."""
        sent = _simplify(self.schema, is_root=True) or {}
        if left_out := self._required_nullables():
            names = self._sent_names()
            sent["required"] = [name for name in sent["required"] if names.get(name, name) not in left_out]
        if not sent.get("required", True):
            del sent["required"]
        return sent

    def client_name(self, sent_name: str) -> str:
        return self._sent_names().get(sent_name, sent_name)

    def takes_string(self, sent_name: str) -> bool:
        """Whether a string of this parameter is right as it comes."""
        allowed = allowed_types(self._property(sent_name), self.schema)
        return not allowed or "string" in allowed

    def restore(self, sent_name: str, value: Any, raw: str | None = None) -> Any:
        """The value of a parameter as the client wants it; `raw` is its JSON text, where that is at hand."""
        try:
            return _restore(value, self._property(sent_name), self.schema, raw)
        except RecursionError:  # a value nested hundreds of times
            return value

    def rename(self, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """The client's arguments under the names that go upstream, for calls that stand in the history."""
        renamed: dict[str, Any] = _rename(dict(arguments), self.schema, self.schema)
        return renamed

    def missing(self, sent_names: Iterable[str]) -> Iterator[str]:
        """The client's names of parameters that it requires and that may be null, where they were left out."""
        given = {self.client_name(name) for name in sent_names}
        yield from (name for name in self._required_nullables() if name not in given)

    def _property(self, sent_name: str) -> object:
        return _properties(self.schema, self.schema).get(self.client_name(sent_name))

    def _sent_names(self) -> dict[str, str]:
        return {sent: name for name, sent in _names(_properties(self.schema, self.schema)).items()}

    def _required_nullables(self) -> list[str]:
        required = self.schema.get("required")
        properties = _properties(self.schema, self.schema)
        return [
            name
            for name in (required if isinstance(required, list) else ())
            if isinstance(name, str) and "null" in allowed_types(properties.get(name), self.schema)
        ]


NO_PARAMETERS = Parameters()


def type_value(text: str, schema: Schema, name: str) -> Any:
    """`text` as the property `name` of `schema` wants it; as text where that does not fit or nothing is known."""
    wanted = allowed_types(_properties(schema, schema).get(name), schema)
    if not wanted:
        value = _parse(text)
        return value if isinstance(value, dict | list) else text
    return text if "string" in wanted and len(wanted) == 1 else _read_as(text, wanted)


def allowed_types(schema: object, root: Schema, depth: int = 0) -> set[str]:
    """The JSON types that a schema admits; empty where it does not say."""
    schema = _resolve(schema, root)
    kind = schema.get("type")
    types = {kind for kind in ([kind] if isinstance(kind, str) else _list(kind)) if isinstance(kind, str)}
    for union in _UNIONS if depth < _MAX_DEPTH else ():
        options = [allowed_types(option, root, depth + 1) for option in _list(schema.get(union))]
        if all(options):
            types = types.union(*options)
    if not types and (choices := _list(schema.get("enum"))):
        types = {name for name in _TYPES for choice in choices if _is_of(choice, name)}
    return types


def _simplify(schema: object, *, is_root: bool = False) -> Schema | None:
    """None for the schema `false`, which nothing fits."""
    if not isinstance(schema, dict):
        return None if schema is False else {}
    plain: Schema = {}
    for key, value in schema.items():
        if key in _SCHEMA_MAPS and isinstance(value, dict):
            names = _names(value) if key == "properties" else {}
            named = ((names.get(name, name), _simplify(part)) for name, part in value.items())
            plain[key] = {name: part for name, part in named if part is not None}
        elif key in _SCHEMA_LISTS and isinstance(value, list):
            if parts := [part for part in map(_simplify, value) if part is not None]:
                plain[key] = parts
        elif key in _SINGLE_SCHEMAS and isinstance(value, dict):
            plain[key] = _simplify(value)
        elif key not in _SINGLE_SCHEMAS or isinstance(value, list) or (is_root and value is False):
            plain[key] = value
    if isinstance(plain.get("required"), list) and isinstance(schema.get("properties"), dict):
        names = _names(schema["properties"])
        refused = {name for name, part in schema["properties"].items() if part is False}
        required = (name for name in plain["required"] if isinstance(name, str))
        plain["required"] = [names.get(name, name) for name in required if name not in refused]
    return _without_null(plain)


def _without_null(schema: Schema) -> Schema:
    """The schema of the same values less null; of null alone it is left as it is."""
    plain = dict(schema)
    kinds = _list(plain.get("type"))
    if "null" in kinds and (others := [kind for kind in kinds if kind != "null"]):
        plain["type"] = others[0] if len(others) == 1 else others
    for union in _UNIONS:
        options = _list(plain.get(union))
        others = [option for option in options if option.get("type") != "null"]
        if not others or len(others) == len(options):
            continue
        plain[union] = others
        if len(others) == 1:
            del plain[union]
            plain = {**others[0], **plain}
    choices = _list(plain.get("enum"))
    if None in choices and (others := [choice for choice in choices if choice is not None]):
        plain["enum"] = others
    if plain.get("default", ...) is None:
        del plain["default"]
    return plain


def _restore(value: Any, schema: object, root: Schema, raw: str | None = None) -> Any:
    schema = _resolve(schema, root)
    if isinstance(value, dict):
        properties = _properties(schema, root)
        names = {sent: name for name, sent in _names(properties).items()}
        named = {str(names.get(key, key)): item for key, item in value.items()}
        value = {name: _restore(item, properties.get(name), root) for name, item in named.items()}
    elif isinstance(value, list):
        value = [_restore(item, _items(schema, root), root) for item in value]
    allowed = allowed_types(schema, root)
    if not allowed or any(_is_of(value, kind) for kind in allowed):
        return value
    if isinstance(value, str):
        read = _read_as(value, allowed)
        return value if isinstance(read, str) else _restore(read, schema, root)
    if "string" in allowed and value is not None:
        return raw if raw is not None else json.dumps(value, ensure_ascii=False)
    return value


def _rename(value: Any, schema: object, root: Schema) -> Any:
    schema = _resolve(schema, root)
    if isinstance(value, dict):
        properties = _properties(schema, root)
        names = _names(properties)
        return {names.get(key, key): _rename(item, properties.get(key), root) for key, item in value.items()}
    if isinstance(value, list):
        return [_rename(item, _items(schema, root), root) for item in value]
    return value


def _names(properties: Mapping[str, object]) -> dict[str, str]:
    """The client's name -> the one that goes upstream, where they differ."""
    if _BREAKING_NAME not in properties:
        return {}
    sent = _BREAKING_NAME + "_"
    while sent in properties:
        sent += "_"
    return {_BREAKING_NAME: sent}


def _properties(schema: object, root: Schema) -> Mapping[str, Any]:
    """The properties of an object schema, or of the first object among a union's options."""
    schema = _resolve(schema, root)
    if isinstance(schema.get("properties"), dict):
        found: Mapping[str, Any] = schema["properties"]
        return found
    for union in _UNIONS:
        for option in _list(schema.get(union)):
            options = _resolve(option, root).get("properties")
            if isinstance(options, dict):
                return options
    return {}


def _items(schema: Schema, root: Schema) -> object:
    if "items" in schema:
        return schema["items"]
    options = (_resolve(option, root) for union in _UNIONS for option in _list(schema.get(union)))
    return next((option["items"] for option in options if "items" in option), None)


def _resolve(schema: object, root: Schema) -> Schema:
    """The schema that a reference within `root` leads to; an empty one, which admits all, where there is none."""
    for _ in range(_MAX_DEPTH):
        if not isinstance(schema, dict):
            return {}
        reference = schema.get("$ref")
        if not isinstance(reference, str) or not reference.startswith("#/"):
            return schema
        target: object = root
        for step in reference[2:].split("/"):
            target = target.get(step) if isinstance(target, dict) else None
        schema = target
    return {}


def _read_as(text: str, wanted: set[str]) -> Any:
    """`text` read as JSON (or a bare word such as True) where that gives one of the wanted types; else `text`."""
    value = _parse(text)
    if value is ...:
        value = {"true": True, "false": False, "none": None}.get(text.strip().lower(), ...)
        if value is ... or "string" in wanted:
            return text
    if isinstance(value, str):
        return text if "string" in wanted else value
    return value if any(_is_of(value, kind) for kind in wanted) else text


def _parse(text: str) -> Any:
    """The JSON value, or `...` where there is none."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return ...


def _is_of(value: object, kind: str) -> bool:
    if isinstance(value, bool):
        return kind == "boolean"
    if kind == "integer" and isinstance(value, float):
        return value.is_integer()
    return isinstance(value, _TYPES.get(kind, ()))


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []
