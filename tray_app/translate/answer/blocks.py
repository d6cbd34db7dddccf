"""The content blocks of an answer: text, thinking, calls, and markup that may be calls or text."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, Protocol

from tray_app.errors import UpstreamFault
from tray_app.translate.answer.fragments import Fragments
from tray_app.translate.arguments.mending import LibraryBudget
from tray_app.translate.arguments.reader import ArgumentsReader
from tray_app.translate.markup.pieces import WrittenCalls
from tray_app.translate.request.tools import Tool

TEXT, THINKING, TOOL = "text", "thinking", "tool_use"
"""Types of content blocks in Anthropic's API."""

_STARTS: dict[str, dict[str, Any]] = {
    TEXT: {"type": TEXT, "text": ""},
    THINKING: {"type": THINKING, "thinking": "", "signature": ""},
}
"""Type of a block -> the block as its first event shows it."""


class BlockWriter(Protocol):
    """Writes blocks to the client: as frames of a stream, or as the content list of a message."""

    def start(self, block: dict[str, Any]) -> None: ...

    def add(self, fragment: str) -> None: ...

    def add_fragments(self, fragments: Fragments) -> None: ...

    def stop(self) -> None: ...


Replace = Callable[["Markup"], "Iterable[Block]"]
"""A function that returns the blocks which take the place of markup."""


@dataclass(slots=True)
class Block:
    """A block of text or thinking."""

    kind: str
    """Its type in Anthropic's API."""
    held: list[str] = field(default_factory=list, kw_only=True)
    """Fragments that wait until the block is open."""

    def __str__(self) -> str:
        return f"{self.kind}({len(self.held)} held)" if self.held else self.kind

    @property
    def decided_kind(self) -> str:
        """The kind, or an empty string while it is not decided."""
        return self.kind

    @property
    def can_start(self) -> bool:
        """Tells whether everything is known that the block's first event contains."""
        return True

    @property
    def is_over(self) -> bool:
        """Tells whether the block is complete as soon as another block waits."""
        return True

    @property
    def joins_neighbor(self) -> bool:
        """Tells whether it becomes one block with a neighbor of the same kind."""
        return True

    @property
    def unmended(self) -> ArgumentsReader | None:
        """Broken arguments that only the library can repair, at a cost beyond the budget. None if there are none."""
        return None

    def start(self, writer: BlockWriter) -> None:
        """Opens the block, and writes what it held."""
        writer.start(self._to_start())
        for fragment in self.held:
            writer.add(fragment)
        self.held.clear()

    def finish(self, *, is_cut: bool) -> str:  # noqa: ARG002 (calls need it)
        """Returns the rest of the block's text. `is_cut`: the answer ran out of tokens in this block."""
        return ""

    def decide(self, kinds: Iterable[str], replace: Replace) -> Iterable[Block]:  # noqa: ARG002 (markup needs it)
        """Returns the blocks that take the place of this one when markup of these kinds is decided."""
        return (self,)

    def _to_start(self) -> dict[str, Any]:
        return _STARTS[self.kind]


@dataclass(slots=True)
class Call(Block):
    """A tool call. Its name may come after its arguments."""

    kind: str = TOOL
    tool_id: str = ""
    """The id under which the client gets the call."""
    upstream_id: str = ""
    """Upstream's id of the call. Empty if upstream gave none."""
    tool: Tool | None = None
    """The tool that is called. None until its name has come."""
    arguments: ArgumentsReader | None = None
    """Reads the arguments. None until the tool is known, because its schema is needed."""
    unread: list[str] = field(default_factory=list)
    """Fragments that came before the tool was known."""
    budget: LibraryBudget = field(default_factory=LibraryBudget)
    """Limits the repair of broken arguments. The calls of one answer share it."""

    def name(self, tool: Tool) -> str:
        """Sets the tool, and returns what can be written of the arguments."""
        self.tool, self.arguments = tool, ArgumentsReader(tool.parameters, self.budget)
        unread, self.unread = "".join(self.unread), []
        return self.arguments.feed(unread)

    def feed(self, fragment: str, start: int = 0) -> str:
        """Takes a fragment of the arguments, from `start` on, and returns what can be written of them."""
        if self.arguments is not None:
            return self.arguments.feed(fragment, start)
        self.unread.append(fragment[start:])
        return ""

    def take_extra(self) -> tuple[str, int] | None:
        """Returns the text that holds another call, glued to this one, and where that begins. None if there is none."""
        return None if self.arguments is None else self.arguments.take_extra()

    def finish(self, *, is_cut: bool) -> str:
        """Returns the rest of the arguments. Raises UpstreamFault if the name never came."""
        if self.arguments is None:
            raise UpstreamFault("NVIDIA's answer holds a tool call without a name. Please try again.")
        return self.arguments.finish(is_cut=is_cut)

    @property
    def can_start(self) -> bool:
        return self.tool is not None

    @property
    def is_over(self) -> bool:
        """Tells whether the arguments are a whole object: calls may come interleaved."""
        return self.arguments is not None and self.arguments.is_complete

    @property
    def joins_neighbor(self) -> bool:
        return False

    @property
    def unmended(self) -> ArgumentsReader | None:
        return self.arguments if self.arguments is not None and self.arguments.unmended else None

    @property
    def is_truncated(self) -> bool:
        """Tells whether the arguments break off."""
        return self.arguments is not None and self.arguments.is_truncated

    @property
    def is_runaway(self) -> bool:
        """Tells whether the model writes white space without end into the arguments."""
        return self.arguments is not None and self.arguments.is_runaway

    @property
    def is_runaway_in_text(self) -> bool:
        """Tells whether that happens within a string, so that the rest of the string is unknown."""
        return self.arguments is not None and self.arguments.is_runaway_in_text

    def _to_start(self) -> dict[str, Any]:
        assert self.tool is not None
        return {"type": TOOL, "id": self.tool_id, "name": self.tool.name, "input": {}}


@dataclass(slots=True)
class Markup(Block):
    """Possible tool calls found in text. They are held until the answer decides: real calls, or text of `kind`."""

    written: WrittenCalls

    def __str__(self) -> str:
        return f"{self.kind} or calls"

    @property
    def decided_kind(self) -> str:
        return ""

    @property
    def can_start(self) -> bool:
        return False

    @property
    def is_over(self) -> bool:
        return False

    @property
    def joins_neighbor(self) -> bool:
        return False

    def decide(self, kinds: Iterable[str], replace: Replace) -> Iterable[Block]:
        return replace(self) if self.kind in kinds else (self,)
