"""Merges our settings into the user's own settings of Claude Code, and takes them out again. It only works on values.

What is merged is recorded: each value with the one that it replaced, each element that was added to a list, and each
object that did not exist before. Undoing changes only what is still as it was written. Everything else is the user's,
also if the user edited it after the merge.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

KeyPath = tuple[str, ...]
"""Names of nested keys, outermost first. The empty path is the whole file."""

_ADDED_TO: frozenset[KeyPath] = frozenset({("permissions", "deny")})
"""Lists of the user to which our elements are added. Any other list is a value of its own."""
_ONLY_IF_ABSENT: frozenset[KeyPath] = frozenset({("statusLine",)})
"""Objects that are written as a whole, and only if the user has none of that name."""


class NotMergeable(ValueError):
    """The user's settings hold something of another type in the place of one of our objects or lists.

    The text is a clause about the file, such as '"env" is not an object'.
    """


@dataclass(frozen=True, slots=True)
class Change:
    """One value that was set."""

    path: KeyPath
    ours: tuple[Any, ...]
    """The values that count as ours at undoing. The first one is the one that was written last."""
    had_old: bool
    old: Any = None
    """The value before; it means something only if `had_old`."""


@dataclass(frozen=True, slots=True)
class Addition:
    """The elements that were added to a list."""

    path: KeyPath
    items: tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Record:
    """Everything that a merge has changed."""

    changes: tuple[Change, ...] = ()
    additions: tuple[Addition, ...] = ()
    created: tuple[KeyPath, ...] = ()
    """The objects and lists that did not exist, outermost first."""

    @property
    def paths(self) -> frozenset[KeyPath]:
        """The paths of all values and lists that were changed."""
        return frozenset([*(change.path for change in self.changes), *(added.path for added in self.additions)])


def merge(
    users: Mapping[str, Any], ours: Mapping[str, Any], leave: frozenset[KeyPath]
) -> tuple[dict[str, Any], Record]:
    """Returns the user's settings with ours in them, and the record. NotMergeable if the types do not fit.

    The values at the paths of `leave` stay as they are.
    """
    merged = copy.deepcopy(dict(users))
    changes: list[Change] = []
    additions: list[Addition] = []
    created: list[KeyPath] = []
    for path, value in _list_leaves(ours, ()):
        if path in leave or (path in _ONLY_IF_ABSENT and path[0] in users):
            continue
        parent = _enter(merged, path[:-1], created)
        name = path[-1]
        if path in _ADDED_TO:
            if name not in parent:
                created.append(path)
            known = parent.setdefault(name, [])
            if not isinstance(known, list):
                raise NotMergeable(f'"{".".join(path)}" is not a list')
            if items := tuple(item for item in value if not any(is_same(item, other) for other in known)):
                known.extend(items)
                additions.append(Addition(path, items))
        elif name not in parent or not is_same(parent[name], value):
            changes.append(Change(path, (value,), name in parent, parent.get(name)))
            parent[name] = copy.deepcopy(value)
    return merged, Record(tuple(changes), tuple(additions), tuple(created))


def undo(current: Mapping[str, Any], record: Record) -> dict[str, Any]:
    """Returns the settings without what is still ours in them. The user's later edits stay."""
    left = copy.deepcopy(dict(current))
    emptied: set[KeyPath] = set()  # the objects and lists out of which something was taken
    for change in record.changes:
        parent, name = _find(left, change.path[:-1]), change.path[-1]
        if not isinstance(parent, dict) or not _is_ours(parent, change):
            continue
        if change.had_old:
            parent[name] = copy.deepcopy(change.old)
        else:
            del parent[name]
            emptied.add(change.path[:-1])
    for addition in record.additions:
        known = _find(left, addition.path)
        if isinstance(known, list):
            for item in addition.items:
                if (index := _last_index(known, item)) is not None:
                    del known[index]
                    emptied.add(addition.path)
    for path in reversed(record.created):
        parent = _find(left, path[:-1])
        if path in emptied and isinstance(parent, dict) and parent.get(path[-1]) in ({}, []):
            del parent[path[-1]]
            emptied.add(path[:-1])
    return left


def find_yielded(current: Mapping[str, Any], record: Record) -> frozenset[KeyPath]:
    """Returns the recorded paths whose value is no longer ours, because the user changed or removed it."""
    yielded = set()
    for change in record.changes:
        parent = _find(current, change.path[:-1])
        if not isinstance(parent, dict) or not _is_ours(parent, change):
            yielded.add(change.path)
    for addition in record.additions:
        known = _find(current, addition.path)
        if not isinstance(known, list) or any(_last_index(known, item) is None for item in addition.items):
            yielded.add(addition.path)
    return frozenset(yielded)


def join(record: Record, earlier: Record) -> Record:
    """Returns the record for the time in which the settings hold either what `earlier` says, or what `record` says."""
    before = {change.path: change for change in earlier.changes}
    changes = [
        replace(change, ours=(*change.ours, *before.pop(change.path).ours)) if change.path in before else change
        for change in record.changes
    ]
    additions = (*record.additions, *(item for item in earlier.additions if item not in record.additions))
    return Record((*changes, *before.values()), additions, join_created(record, earlier))


def join_created(record: Record, earlier: Record) -> tuple[KeyPath, ...]:
    """Returns what one of the two has created, outermost first."""
    return tuple(sorted({*record.created, *earlier.created}, key=lambda path: (len(path), path)))


def is_same(one: Any, other: Any) -> bool:
    """Tells whether two JSON values are the same. Unlike ==, it tells true from 1, and ignores the order of keys."""
    return json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)


def _list_leaves(ours: Mapping[str, Any], above: KeyPath) -> Iterator[tuple[KeyPath, Any]]:
    for name, value in ours.items():
        path = (*above, name)
        if isinstance(value, dict) and path not in _ONLY_IF_ABSENT:
            yield from _list_leaves(value, path)
        else:
            yield path, value


def _enter(settings: dict[str, Any], path: KeyPath, created: list[KeyPath]) -> dict[str, Any]:
    """Returns the object at the path. It is created if it is missing."""
    found = settings
    for length, name in enumerate(path, 1):
        if name not in found:
            created.append(path[:length])
        found = found.setdefault(name, {})
        if not isinstance(found, dict):
            raise NotMergeable(f'"{".".join(path[:length])}" is not an object')
    return found


def _find(settings: Any, path: KeyPath) -> Any:
    """Returns the value at the path; None if there is none."""
    for name in path:
        settings = settings.get(name) if isinstance(settings, dict) else None
    return settings


def _is_ours(parent: dict[str, Any], change: Change) -> bool:
    name = change.path[-1]
    return name in parent and any(is_same(parent[name], value) for value in change.ours)


def _last_index(items: list[Any], item: Any) -> int | None:
    return next((index for index in reversed(range(len(items))) if is_same(items[index], item)), None)
