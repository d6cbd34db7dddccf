"""Which call a fragment belongs to: servers tell by index, by id, by both or by neither."""

from __future__ import annotations

from tray_app.translate.blocks import Call
from tray_app.translate.chunk import ToolCallPart
from tray_app.translate.mending import LibraryBudget


class CallTracker:
    """The calls of one answer."""

    def __init__(self, id_prefix: str) -> None:
        """`id_prefix` begins the ids of calls that upstream gave none, or one that was used before."""
        self._id_prefix = id_prefix
        self._ids: set[str] = set()
        self._by_slot: dict[int, Call] = {}  # OpenAI's tool index -> a call; what comes for it may go to its successor
        self._by_id: dict[str, Call] = {}  # upstream's id -> a call; what comes for it may go to its successor
        self._budget = LibraryBudget()
        self.newest: Call | None = None

    def find(self, part: ToolCallPart, slot: int | None) -> Call:
        """The call of a fragment, which is `newest` as well if it begins there; a new id or a new index begins one."""
        known = self._by_slot.get(slot) if slot is not None else self._by_id.get(part.id or "", self.newest)
        known = known and _last_successor(known)
        call = self.add(part.id or "") if known is None or _begins_another(known, part) else known
        if part.id:
            self._by_id[part.id] = call
        if slot is not None:
            self._by_slot[slot] = call
        return call

    def add(self, upstream_id: str = "") -> Call:
        """A new call."""
        self.newest = Call(tool_id=self._unique_id(upstream_id), upstream_id=upstream_id, budget=self._budget)
        return self.newest

    def split(self, call: Call) -> Call:
        """A new call of the same tool, which takes what still comes for `call`."""
        other = self.add()
        other.upstream_id = call.upstream_id
        call.successor = other
        return other

    def _unique_id(self, upstream_id: str) -> str:
        """An id that Anthropic's clients take (letters, digits, `_`, `-`) and that this answer has not used."""
        tool_id = "".join(c if c.isascii() and (c.isalnum() or c in "_-") else "_" for c in upstream_id)
        if not tool_id or tool_id in self._ids:
            tool_id = f"{self._id_prefix}_{len(self._ids)}"
        self._ids.add(tool_id)
        return tool_id


def _last_successor(call: Call) -> Call:
    """The call that takes now what comes for `call`; all on the way learn of it, so that no way is walked twice."""
    way: list[Call] = []
    while call.successor is not None:
        way.append(call)
        call = call.successor
    for passed in way:
        passed.successor = call
    return call


def _begins_another(known: Call, part: ToolCallPart) -> bool:
    if part.id and known.upstream_id:
        return part.id != known.upstream_id
    # no ids to go by: a name after complete arguments
    return part.index is None and bool(part.function and part.function.name) and known.is_over
