"""Reads the parts of one JSON schema. It follows references, and reads each part only once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from tray_app.translate.schema.json_types import NULL, TYPES
from tray_app.translate.schema.limits import Schema
from tray_app.translate.schema.union_types import UNIONS, Types, as_list, find_types

_BREAKING_NAME = "type"


def sent_names(properties: Mapping[str, object]) -> dict[str, str]:
    """Returns the client's names of properties -> the names for upstream, as far as they differ."""
    if _BREAKING_NAME not in properties:
        return {}
    sent = _BREAKING_NAME + "_"
    while sent in properties:
        sent += "_"
    return {_BREAKING_NAME: sent}


@dataclass(frozen=True, slots=True)
class Shape:
    """The members of the objects and lists that match a schema."""

    properties: Mapping[str, object] = field(default_factory=dict)
    """The client's name of a property -> its schema."""
    others: object = None
    """The schema of properties that the schema does not name; None if there is none."""
    required: frozenset[str] = frozenset()
    """The client's names of the properties that are required."""
    items: object = None
    """The schema of a list's items; None if there is none."""
    sent_names: Mapping[str, str] = field(default_factory=dict)
    """The client's name of a property -> the name for upstream, if they differ."""
    client_names: Mapping[str, str] = field(default_factory=dict)
    """The name for upstream -> the client's name of a property, if they differ."""


class Subschemas:
    """The types and shapes of the parts of a schema. A part is read on first use, and the result is kept.

    Parts are identified by `id()`, so they must belong to the root, which keeps them alive.
    """

    def __init__(self, root: Schema) -> None:
        self._root = root
        self._nothing: Schema = {}
        """Stands for values that are no schema, and for references without a target. It allows every value."""
        # the keys of the three tables are ids of parts
        self._targets: dict[int, Schema] = {}
        self._types: dict[int, Types] = {id(self._nothing): None}
        self._shapes: dict[int, Shape] = {id(self._nothing): Shape()}

    def types(self, schema: object) -> frozenset[str]:
        """Returns the JSON types that a schema allows; empty if it names none."""
        part = self._resolve(schema)
        if id(part) not in self._types:
            find_types(part, self._resolve, self._types)
        return self._types[id(part)] or frozenset()

    def may_be_left_out(self, schema: object, name: str) -> bool:
        """Returns whether a property of this name is optional and must not be null."""
        shape = self.shape(schema)
        part = self._resolve(shape.properties.get(name))
        types = self.types(part)
        refuses_null = bool(types) and types <= TYPES and NULL not in types and part.get("nullable") is not True
        return refuses_null and name not in shape.required

    def shape(self, schema: object) -> Shape:
        """Returns the shape that the schema and the options of its unions describe together.

        If several of them describe the same property, the first one counts.
        """
        part = self._resolve(schema)
        if id(part) not in self._shapes:
            self._shapes[id(part)] = self._read_shape(part)
        return self._shapes[id(part)]

    def _read_shape(self, part: Schema) -> Shape:
        candidates = [part, *(self._resolve(option) for union in UNIONS for option in as_list(part.get(union)))]
        properties: dict[str, object] = {}
        for one in reversed(candidates):
            if isinstance(one.get("properties"), dict):
                properties |= one["properties"]
        names = sent_names(properties)
        return Shape(
            properties,
            next((one["additionalProperties"] for one in candidates if "additionalProperties" in one), None),
            frozenset(name for one in candidates for name in as_list(one.get("required")) if isinstance(name, str)),
            next((one["items"] for one in candidates if "items" in one), None),
            names,
            {sent: name for name, sent in names.items()},
        )

    def _resolve(self, schema: object) -> Schema:
        """Returns the target of a reference, which may be reached over other references; any other schema itself."""
        passed: list[int] = []
        while isinstance(schema, dict) and (reference := _local_reference(schema)):
            if id(schema) in self._targets:
                schema = self._targets[id(schema)]
            else:
                passed.append(id(schema))
                self._targets[id(schema)] = self._nothing  # the target of references that form a circle
                schema = self._follow(reference)
        target = schema if schema and isinstance(schema, dict) else self._nothing
        self._targets.update(dict.fromkeys(passed, target))
        return target

    def _follow(self, reference: str) -> object:
        """Returns the value at a path in the root such as `#/$defs/node`; None if there is none."""
        target: object = self._root
        for step in reference.split("/")[1:]:
            target = target.get(step) if isinstance(target, dict) else None
        return target


def _local_reference(schema: Schema) -> str:
    """Returns the path within the root to which a schema refers; empty if the schema is no reference."""
    reference = schema.get("$ref")
    return reference if isinstance(reference, str) and (reference == "#" or reference.startswith("#/")) else ""
