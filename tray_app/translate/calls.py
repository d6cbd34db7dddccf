"""Which call a fragment belongs to: servers tell by index, by id, by both or by neither."""

from __future__ import annotations

from dataclasses import dataclass

from tray_app.translate.blocks import Call
from tray_app.translate.chunk import ToolCallPart
from tray_app.translate.mending import LibraryBudget


@dataclass(eq=False, slots=True)
class _Line:
    """What upstream sends under one index or id. A model may glue several calls together there."""

    call: Call
    """The newest of them, which takes what still comes."""


class CallTracker:
    """The calls of one answer."""

    def __init__(self, id_prefix: str) -> None:
        """`id_prefix` begins the ids of calls that upstream gave none, or one that was used before."""
        self._id_prefix = id_prefix
        self._lines: dict[str, _Line] = {}  # a call's id as the client sees it -> the line that the call is in
        self._by_slot: dict[int, _Line] = {}  # OpenAI's tool index -> its newest line
        self._by_id: dict[str, _Line] = {}  # upstream's id -> its newest line
        self._newest: _Line | None = None
        self._budget = LibraryBudget()

    @property
    def newest(self) -> Call | None:
        """The call that began last."""
        return self._newest.call if self._newest is not None else None

    def find(self, part: ToolCallPart, slot: int | None) -> Call:
        """The call of a fragment, which is `newest` as well if it begins there; a new id or a new index begins one."""
        line = self._by_slot.get(slot) if slot is not None else self._by_id.get(part.id or "", self._newest)
        if line is None or _begins_another(line.call, part):
            line = self._begin(part.id or "")
        if part.id:
            self._by_id[part.id] = line
        if slot is not None:
            self._by_slot[slot] = line
        return line.call

    def add(self) -> Call:
        """A new call, of which nothing more comes."""
        return self._begin("").call

    def split(self, call: Call) -> Call:
        """A new call of the same tool, which takes what still comes for `call`."""
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
        """An id that Anthropic's clients take (letters, digits, `_`, `-`) and that this answer has not used."""
        tool_id = "".join(c if c.isascii() and (c.isalnum() or c in "_-") else "_" for c in upstream_id)
        if not tool_id or tool_id in self._lines:
            tool_id = f"{self._id_prefix}_{len(self._lines)}"
        return tool_id


def _begins_another(known: Call, part: ToolCallPart) -> bool:
    if part.id and known.upstream_id:
        return part.id != known.upstream_id
    # no ids to go by: a name after complete arguments
    return part.index is None and bool(part.function and part.function.name) and known.is_over
