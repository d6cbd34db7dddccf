"""Finds the JSON types of a schema that is a union of others. These may be unions, too, or refer back to the first."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tray_app.translate.schema.json_types import TYPES, types_of
from tray_app.translate.schema.limits import Schema

UNIONS = ("anyOf", "oneOf")
_OTHER = frozenset({"other"})
"""Stands for every unknown word under `type`, so that the number of types is bounded."""
_ALONE = {name: frozenset({name}) for name in TYPES}

Types = frozenset[str] | None
"""The types that a schema allows; None if it names none."""


def find_types(schema: Schema, resolve: Callable[[object], Schema], known: dict[int, Types]) -> None:
    """Adds the types of a schema, and of all schemas in its unions, to `known` under the id of each.

    A schema names its types by `type` and by each union whose options all name theirs. Without both, its `enum` counts.
    An option that refers back to its own union allows what the other options allow. The work is proportional to the
    number of options: each schema loses its unions at most once, and gains each of the few types at most once.
    """
    parts, uses = _collect(schema, resolve, known)
    if uses:
        _drop_silent_unions(parts, uses, known)
        _spread_types(parts, uses, known)
    for key, part in parts.items():
        known[key] = part.types if part.says_types else None


class _Part:
    """A schema whose types are being searched."""

    __slots__ = ("_choices", "key", "types", "unions")

    def __init__(self, schema: Schema) -> None:
        self.key = id(schema)
        self.types = _read_words(schema.get("type"))
        """The types found so far."""
        self.unions = tuple(union for union in UNIONS if union in schema and as_list(schema[union]))
        """The unions without an option that is known to name no types."""
        self._choices = as_list(schema.get("enum"))
        self._read_choices()

    @property
    def says_types(self) -> bool:
        """Returns whether the schema names types, as far as is known."""
        return bool(self.types or self.unions)

    def drop(self, union: str) -> None:
        """Removes a union, because one of its options names no types."""
        self.unions = tuple(other for other in self.unions if other != union)
        self._read_choices()

    def _read_choices(self) -> None:
        if self._choices and not self.says_types:
            self.types = frozenset(name for choice in self._choices for name in types_of(choice))


def _read_words(kind: object) -> frozenset[str]:
    """Returns the types under `type`, which is a word or a list of words."""
    if isinstance(kind, str):
        return _ALONE.get(kind, _OTHER)
    return frozenset().union(*(_ALONE.get(word, _OTHER) for word in as_list(kind) if isinstance(word, str)))


_Parts = dict[int, _Part]
_Uses = dict[int, list[tuple[_Part, str]]]
"""Id of a schema -> the parts that have it as an option, each with the name of the union."""


def _collect(schema: Schema, resolve: Callable[[object], Schema], known: dict[int, Types]) -> tuple[_Parts, _Uses]:
    """Returns the schema and the schemas in its unions, as far as their types are unknown, and where they are used."""
    parts: _Parts = {}
    uses: _Uses = {}
    unread = [schema]
    while unread:
        schema = unread.pop()
        if id(schema) in parts or id(schema) in known:
            continue
        part = parts[id(schema)] = _Part(schema)
        for union in part.unions:
            for option in map(resolve, schema[union]):
                uses.setdefault(id(option), []).append((part, union))
                unread.append(option)
    return parts, uses


def _drop_silent_unions(parts: _Parts, uses: _Uses, known: dict[int, Types]) -> None:
    """Removes each union with an option that names no types. A schema without unions may then name none itself."""
    silent = [key for key in uses if (known[key] is None if key in known else not parts[key].says_types)]
    while silent:
        for part, union in uses.get(silent.pop(), ()):
            if union in part.unions:
                part.drop(union)
                if not part.says_types:
                    silent.append(part.key)


def _spread_types(parts: _Parts, uses: _Uses, known: dict[int, Types]) -> None:
    """Adds the types of each option to the schemas whose unions contain it, until nothing changes."""
    grown = list(uses)
    while grown:
        key = grown.pop()
        types = parts[key].types if key in parts else known[key] or frozenset()
        for part, union in uses.get(key, ()):
            if union in part.unions and not types <= part.types:
                part.types |= types
                grown.append(part.key)


def as_list(value: object) -> list[Any]:
    """Returns the list itself, or an empty list if the value is not a list."""
    return value if isinstance(value, list) else []
