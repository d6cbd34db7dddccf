"""Which JSON types a schema admits that is a union of others, each of which may be a union, too, or lead back to it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tray_app.translate.schema.json_types import TYPES, types_of
from tray_app.translate.schema.limits import Schema

UNIONS = ("anyOf", "oneOf")
_OTHER = frozenset({"other"})
"""Stands for every word under `type` that JSON schemas do not know, so that the number of types is bounded."""
_ALONE = {name: frozenset({name}) for name in TYPES}

Types = frozenset[str] | None
"""None for a schema that does not say which types it admits."""


def find_types(schema: Schema, resolve: Callable[[object], Schema], known: dict[int, Types]) -> None:
    """Adds the types of a schema, and of all schemas that its unions lead to, to `known` under the id of each.

    A schema says its types by `type` and by those unions of which every option says them; if it has neither, by `enum`.
    An option that leads back to its own union admits what the other options admit. The work grows with the number of
    options, as each schema is found to say nothing at most once, and gains each of the few types at most once.
    """
    parts, uses = _collect(schema, resolve, known)
    if uses:
        _drop_silent_unions(parts, uses, known)
        _spread_types(parts, uses, known)
    for key, part in parts.items():
        known[key] = part.types if part.says_types else None


class _Part:
    """A schema whose types are being found."""

    __slots__ = ("_choices", "key", "types", "unions")

    def __init__(self, schema: Schema) -> None:
        self.key = id(schema)
        self.types = _read_words(schema.get("type"))
        """Those that are found so far."""
        self.unions = tuple(union for union in UNIONS if union in schema and as_list(schema[union]))
        """Those of which no option is known to say nothing."""
        self._choices = as_list(schema.get("enum"))
        self._read_choices()

    @property
    def says_types(self) -> bool:
        return bool(self.types or self.unions)

    def drop(self, union: str) -> None:
        """Forgets a union of which an option says nothing."""
        self.unions = tuple(other for other in self.unions if other != union)
        self._read_choices()

    def _read_choices(self) -> None:
        if self._choices and not self.says_types:
            self.types = frozenset(name for choice in self._choices for name in types_of(choice))


def _read_words(kind: object) -> frozenset[str]:
    """The types that stand under `type`: one word, or a list of words."""
    if isinstance(kind, str):
        return _ALONE.get(kind, _OTHER)
    return frozenset().union(*(_ALONE.get(word, _OTHER) for word in as_list(kind) if isinstance(word, str)))


_Parts = dict[int, _Part]
_Uses = dict[int, list[tuple[_Part, str]]]
"""The id of a schema -> the parts that have it as an option, and in which of their unions."""


def _collect(schema: Schema, resolve: Callable[[object], Schema], known: dict[int, Types]) -> tuple[_Parts, _Uses]:
    """The schema and those that its unions lead to, as far as they are not known."""
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
    """Drops each union of which an option says nothing. A schema that loses its last union may say nothing, too."""
    silent = [key for key in uses if (known[key] is None if key in known else not parts[key].says_types)]
    while silent:
        for part, union in uses.get(silent.pop(), ()):
            if union in part.unions:
                part.drop(union)
                if not part.says_types:
                    silent.append(part.key)


def _spread_types(parts: _Parts, uses: _Uses, known: dict[int, Types]) -> None:
    """Gives the types of each option to the schemas whose unions hold it, until none gains any."""
    grown = list(uses)
    while grown:
        key = grown.pop()
        types = parts[key].types if key in parts else known[key] or frozenset()
        for part, union in uses.get(key, ()):
            if union in part.unions and not types <= part.types:
                part.types |= types
                grown.append(part.key)


def as_list(value: object) -> list[Any]:
    """The list itself; an empty one where the value is none."""
    return value if isinstance(value, list) else []
