"""The menu as com.canonical.dbusmenu has it: a table of nodes, and the answers to the questions of panels.

Panels keep a copy of the menu and address its items by number. A number always stands for the same place in the menu
and the same kind of item. So a new text or check mark is a small message that leaves an open menu open, and only a new
layout is fetched again. An item of another kind at the same place gets another number, because some panels would keep
the check box of an item that no longer has one.

Nothing here uses D-Bus. Values have the form that jeepney reads and writes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import count
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from pystray import Menu, MenuItem

INTERFACE = "com.canonical.dbusmenu"
ROOT_ID = 0

# Name -> types of the arguments in and out. Source: dbus-menu.xml of https://github.com/AyatanaIndicators/libdbusmenu
METHODS = {
    "GetLayout": ("i i as", "u (ia{sv}av)"),
    "GetGroupProperties": ("ai as", "a(ia{sv})"),
    "GetProperty": ("i s", "v"),
    "Event": ("i s v u", ""),
    "EventGroup": ("a(isvu)", "ai"),
    "AboutToShow": ("i", "b"),
    "AboutToShowGroup": ("ai", "ai ai"),
}
SIGNALS = {"ItemsPropertiesUpdated": "a(ia{sv}) a(ias)", "LayoutUpdated": "u i", "ItemActivationRequested": "i u"}

Variant: TypeAlias = tuple[str, Any]  # a D-Bus signature and a value of that type
Properties: TypeAlias = dict[str, Variant]
Layout: TypeAlias = tuple[int, Properties, list[tuple[str, "Layout"]]]

PROPERTIES: Properties = {
    "Version": ("u", 3),
    "Status": ("s", "normal"),
    "TextDirection": ("s", "ltr"),
    "IconThemePath": ("as", []),
}
_KIND_PROPERTIES = ("type", "toggle-type", "children-display")
"""The properties that together make up the kind of an item."""
_SUBMENU: Properties = {"children-display": ("s", "submenu")}


@dataclass(frozen=True, slots=True)
class Node:
    """One node of the menu. The root and separators have no item."""

    properties: Properties
    children: tuple[int, ...] = ()
    item: MenuItem | None = None


@dataclass(frozen=True, slots=True)
class Change:
    """The differences that an update has found."""

    layout: bool = False
    """Tells whether items have appeared, have gone, or are of another kind. Panels then fetch the whole menu again."""
    updated: tuple[tuple[int, Properties], ...] = ()
    """New values of properties, by node. Empty if the layout has changed."""
    removed: tuple[tuple[int, list[str]], ...] = ()
    """Names of properties that nodes no longer have. Panels do not notice that when they fetch the layout."""

    def __bool__(self) -> bool:
        return bool(self.layout or self.updated or self.removed)


class MenuTable:
    """The menu as panels know it, by node id. Only one thread may use it."""

    def __init__(self) -> None:
        self.revision = 1
        self._nodes = {ROOT_ID: Node(_SUBMENU)}
        self._ids: dict[tuple[object, ...], int] = {}  # (place, with an index for each level, and kind) -> id
        self._next_id = count(ROOT_ID + 1)

    def update(self, menu: Menu | None) -> Change:
        """Reads each text, check mark and state of `menu` again. Returns what differs from the last time."""
        old, new = self._nodes, dict(self._read(ROOT_ID, (), _SUBMENU, None, menu))
        self._nodes = new
        pairs = [(id_, old[id_].properties, node.properties) for id_, node in new.items() if id_ in old]
        removed = tuple((id_, names) for id_, was, now in pairs if (names := [k for k in was if k not in now]))
        if {id_: node.children for id_, node in old.items()} != {id_: node.children for id_, node in new.items()}:
            self.revision += 1
            return Change(layout=True, removed=removed)
        updated = ((id_, {k: v for k, v in now.items() if was.get(k) != v}) for id_, was, now in pairs)
        return Change(updated=tuple(u for u in updated if u[1]), removed=removed)

    def layout(self, id_: int, depth: int = -1, names: Sequence[str] = ()) -> Layout:
        """Returns the node and `depth` levels below it (-1: all), with the named properties (no names: all)."""
        below = [("(ia{sv}av)", self.layout(child, depth - 1, names)) for child in self._nodes[id_].children]
        return id_, self._select(id_, names), below if depth else []

    def group_properties(self, ids: Iterable[int], names: Sequence[str] = ()) -> list[tuple[int, Properties]]:
        """Returns the named properties (no names: all) of these nodes (no ids: all). Unknown ids are left out."""
        return [(id_, self._select(id_, names)) for id_ in ids or self._nodes if id_ in self._nodes]

    def item(self, id_: int) -> MenuItem | None:
        """Returns the item with this id; None for the root, for separators, and for ids that are not in the menu."""
        return self._nodes[id_].item if id_ in self._nodes else None

    def unknown(self, ids: Iterable[int]) -> list[int]:
        """Returns those of the ids that are not in the menu."""
        return [id_ for id_ in ids if id_ not in self._nodes]

    def answer(self, method: str, arguments: Sequence[Any]) -> tuple[Any, ...]:
        """Returns the answer to a method of the interface. LookupError if the node or the method is unknown.

        The methods AboutToShow and AboutToShowGroup are not here, because the menu must be read again before them.
        """
        match method, *arguments:
            case "GetLayout", id_, depth, names:
                return self.revision, self.layout(id_, depth, names)
            case "GetGroupProperties", ids, names:
                return (self.group_properties(ids, names),)
            case "GetProperty", id_, name:
                return (self._nodes[id_].properties[name],)
            case "Event", id_, *_ if id_ in self._nodes:
                return ()
            case "EventGroup", events:
                return (self.unknown(id_ for id_, *_ in events),)
        raise LookupError(method)

    def _select(self, id_: int, names: Sequence[str]) -> Properties:
        return {k: v for k, v in self._nodes[id_].properties.items() if not names or k in names}

    def _read(
        self, id_: int, place: tuple[int, ...], properties: Properties, item: MenuItem | None, menu: Menu | None
    ) -> Iterator[tuple[int, Node]]:
        children = []
        for index, child in _visible_items(menu) if menu is not None else ():
            there, described = (*place, index), _describe(child)
            kind = tuple(described.get(name) for name in _KIND_PROPERTIES)
            child_id = self._ids.get((*there, kind)) or self._ids.setdefault((*there, kind), next(self._next_id))
            children.append(child_id)
            yield from self._read(child_id, there, described, child, child.submenu if child else None)
        yield id_, Node(properties, tuple(children), item)


def _visible_items(menu: Menu) -> Iterator[tuple[int, MenuItem | None]]:
    """Yields the visible items (None: a separator), each with its index among all items, hidden ones among them."""
    everything = tuple(menu.items)
    rest = enumerate(everything)
    # pystray leaves out hidden items, and separators without items between them.
    for visible in type(menu)(*everything):
        index = next(index for index, item in rest if item is visible)
        yield index, None if visible is menu.SEPARATOR else visible


def _describe(item: MenuItem | None) -> Properties:
    if item is None:
        return {"type": ("s", "separator")}
    properties: Properties = {"label": ("s", item.text.replace("_", "__"))}  # a single _ would mark an access key
    if not item.enabled:
        properties["enabled"] = ("b", False)
    if (checked := item.checked) is not None:
        properties["toggle-type"] = ("s", "radio" if item.radio else "checkmark")
        properties["toggle-state"] = ("i", int(bool(checked)))
    if item.submenu is not None:
        properties |= _SUBMENU
    return properties
