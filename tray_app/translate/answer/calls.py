"""Finds out which call a fragment belongs to, and chooses the id under which the client gets the call.

Servers distinguish calls by index, by id, by both or by neither. A call keeps upstream's id if possible: the id comes
back in the history, and a model such as Kimi expects its own ids there. It is not possible if the conversation has the
id already, because some servers count anew in each answer (`call_0`, `functions.Read:0`). Clients would take the second
call with an id for the first one, and ask again and again. Such a call gets an id made of the message's id, which is
unique. For this the ids in the history must be known: see `read_used_ids`.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from tray_app.translate.answer.blocks import Call
from tray_app.translate.answer.chunk import ToolCallPart
from tray_app.translate.arguments.mending import LibraryBudget
from tray_app.translate.call_ids import MOST_ID_CHARS, clean_id


@dataclass(eq=False, slots=True)
class _Line:
    """The fragments that upstream sends under one index or id. They may be several calls, glued together."""

    call: Call
    """The newest of these calls, which takes the next fragment."""


class CallTracker:
    """The calls of one answer."""

    def __init__(self, id_prefix: str, used_ids: Collection[str] = frozenset()) -> None:
        """`id_prefix` begins the ids that are made here. `used_ids` are the ids in the history."""
        self._id_prefix = id_prefix
        self._used_ids = used_ids
        self._lines: dict[str, _Line] = {}  # a call's id as the client sees it -> the line that the call is in
        self._by_slot: dict[int, _Line] = {}  # OpenAI's tool index -> its newest line
        self._by_id: dict[str, _Line] = {}  # upstream's id -> its newest line
        self._newest: _Line | None = None
        self._budget = LibraryBudget()

    @property
    def count(self) -> int:
        """The number of calls so far."""
        return len(self._lines)

    @property
    def newest(self) -> Call | None:
        """The call that began last. None if there is no call."""
        return self._newest.call if self._newest is not None else None

    def find(self, part: ToolCallPart, slot: int | None) -> Call:
        """Returns the call of a fragment. If a call begins with the fragment, it is `newest` too."""
        line = self._by_slot.get(slot) if slot is not None else self._by_id.get(part.upstream_id, self._newest)
        if line is None or _begins_another(line.call, part):
            line = self._begin(part.upstream_id)
        if part.upstream_id:
            self._by_id[part.upstream_id] = line
        if slot is not None:
            self._by_slot[slot] = line
        return line.call

    def add(self) -> Call:
        """Returns a new call, to which no fragment will belong."""
        return self._begin("").call

    def split(self, call: Call) -> Call:
        """Returns a new call, which takes the next fragments of `call`."""
        line = self._newest = self._lines[call.tool_id]
        line.call = self._make_call("")
        line.call.upstream_id = call.upstream_id
        self._lines[line.call.tool_id] = line
        return line.call

    def _begin(self, upstream_id: str) -> _Line:
        line = self._newest = _Line(self._make_call(upstream_id))
        self._lines[line.call.tool_id] = line
        return line

    def _make_call(self, upstream_id: str) -> Call:
        return Call(tool_id=self._unique_id(upstream_id), upstream_id=upstream_id, budget=self._budget)

    def _unique_id(self, upstream_id: str) -> str:
        tool_id = clean_id(upstream_id)
        if not tool_id or len(tool_id) > MOST_ID_CHARS or tool_id in self._lines or tool_id in self._used_ids:
            tool_id = f"{self._id_prefix}_{len(self._lines)}"
        return tool_id


def _begins_another(known: Call, part: ToolCallPart) -> bool:
    """Tells whether a fragment under the index or id of a known call begins another call."""
    if part.upstream_id and known.upstream_id:
        return part.upstream_id != known.upstream_id
    # without ids, a name after complete arguments begins another call
    return part.index is None and bool(part.function and part.function.name) and known.is_over
