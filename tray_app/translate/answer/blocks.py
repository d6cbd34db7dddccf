"""The content blocks of one answer, told strictly one after another as Anthropic's API has it.

State: a queue. Its first block is open, and what arrives for it is written at once; the others are held until their
turn. Text and thinking are over as soon as another block waits; a call only when its arguments are a complete object,
as calls may come interleaved; markup only when it is decided what it is.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field
from typing import Protocol

from tray_app.errors import UpstreamFault
from tray_app.translate.arguments.mending import LibraryBudget
from tray_app.translate.arguments.reader import ArgumentsReader
from tray_app.translate.markup.pieces import WrittenCalls
from tray_app.translate.request.tools import Tool

TEXT, THINKING, TOOL = "text", "thinking", "tool_use"


class BlockWriter(Protocol):
    """Where blocks go: frames of a stream, or the content list of a message."""

    def start(self, kind: str, tool_id: str = "", tool_name: str = "") -> None: ...

    def add(self, fragment: str) -> None: ...

    def stop(self) -> None: ...


@dataclass(slots=True)
class Block:
    """Text or thinking."""

    kind: str
    held: list[str] = field(default_factory=list, kw_only=True)
    """Fragments that wait for the block's turn."""

    @property
    def is_over(self) -> bool:
        """Whether nothing more can come for this block once another one waits."""
        return True

    @property
    def can_start(self) -> bool:
        return True

    def __str__(self) -> str:
        return f"{self.kind}({len(self.held)} held)" if self.held else self.kind


@dataclass(slots=True)
class Call(Block):
    """A tool call; its name may come after its arguments."""

    kind: str = TOOL
    tool_id: str = ""
    upstream_id: str = ""
    tool: Tool | None = None
    arguments: ArgumentsReader | None = None
    """There once the tool is known."""
    unread: list[str] = field(default_factory=list)
    """Fragments that came before the tool was known."""
    budget: LibraryBudget = field(default_factory=LibraryBudget)
    """For mending broken arguments; the calls of one answer share it."""

    def name(self, tool: Tool) -> str:
        """Takes the tool, and returns what can be written of the arguments."""
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
        """The text that holds another call, glued to this one, and where that begins; None where there is none."""
        return None if self.arguments is None else self.arguments.take_extra()

    @property
    def is_over(self) -> bool:
        return self.arguments is not None and self.arguments.is_complete

    @property
    def can_start(self) -> bool:
        return self.tool is not None

    @property
    def is_truncated(self) -> bool:
        """Whether its arguments break off."""
        return self.arguments is not None and self.arguments.is_truncated

    @property
    def is_runaway_in_text(self) -> bool:
        """Whether it ends in white space without end within a string, so that nobody knows its rest."""
        return self.arguments is not None and self.arguments.is_runaway_in_text

    @property
    def is_runaway(self) -> bool:
        """Whether the model writes white space without end in here."""
        return self.arguments is not None and self.arguments.is_runaway

    def finish(self, *, is_cut: bool) -> str:
        """What completes the arguments. `is_cut`: the answer ran out of tokens in them."""
        if self.arguments is None:
            raise UpstreamFault("NVIDIA's answer holds a tool call without a name. Please try again.")
        return self.arguments.finish(is_cut=is_cut)


@dataclass(slots=True)
class Markup(Block):
    """Calls that the model wrote as text, before it is decided whether they are calls. `kind`: what they are else."""

    written: WrittenCalls

    @property
    def is_over(self) -> bool:
        return False

    @property
    def can_start(self) -> bool:
        return False

    def __str__(self) -> str:
        return f"{self.kind} or calls"


def _kind_of(block: Block) -> str:
    """Empty where that is undecided."""
    return "" if isinstance(block, Markup) else block.kind


class BlockQueue:
    """The blocks that are not told yet, the first of them perhaps half."""

    def __init__(self, writer: BlockWriter) -> None:
        self._writer = writer
        self._blocks: deque[Block] = deque()
        self._is_open = False  # whether the first block has been started
        self._undecided: Counter[str] = Counter()  # how many blocks of each kind are markup
        self.newest_kind = ""
        """Of the block that was added last; empty where there is none, or where it is undecided."""

    def __str__(self) -> str:
        blocks = ", ".join(map(str, self._blocks))
        return f"{'open' if self._is_open else 'waiting'}: {blocks or 'nothing'}"

    def append(self, block: Block) -> None:
        self._append(block)
        self.advance()

    def _append(self, block: Block) -> None:
        self._blocks.append(block)
        self._undecided[block.kind] += isinstance(block, Markup)
        self.newest_kind = _kind_of(block)

    def add(self, kind: str, fragment: str) -> None:
        """Adds text to the newest block if it is of this kind, else to a new one."""
        if self.newest_kind != kind:
            self.append(Block(kind))
        self.write(self._blocks[-1], fragment)

    def write(self, block: Block, fragment: str) -> None:
        """Writes the fragment if the block is open, else holds it."""
        if not fragment:
            return
        if self._is_open and block is self._blocks[0]:
            self._writer.add(fragment)
        else:
            block.held.append(fragment)

    def advance(self) -> None:
        """Ends first blocks that are over, and opens the one whose turn has come."""
        while len(self._blocks) > 1 and self._blocks[0].is_over and not isinstance(self._blocks[1], Markup):
            self._end_first(is_cut=False)
        if self._blocks and not self._is_open:
            self._open_first()

    def decide(self, replace: Callable[[Markup], Iterable[Block]], kinds: Collection[str]) -> None:
        """Puts other blocks in the place of all markup of these kinds; neighbours of one kind become one block."""
        for block in self._take_from_first_markup(kinds):
            for part in replace(block) if isinstance(block, Markup) and block.kind in kinds else (block,):
                is_more_text = part.kind != TOOL and not isinstance(part, Markup)
                if is_more_text and part.kind == self.newest_kind:
                    for fragment in part.held:
                        self.write(self._blocks[-1], fragment)
                else:
                    self._append(part)
        self.advance()

    def _take_from_first_markup(self, kinds: Collection[str]) -> list[Block]:
        """Takes the first such markup and all that is behind it; what is before it is not gone through."""
        undecided = sum(self._undecided[kind] for kind in kinds)
        taken: list[Block] = []
        while undecided:
            block = self._blocks.pop()
            taken.append(block)
            self._undecided[block.kind] -= isinstance(block, Markup)
            undecided -= isinstance(block, Markup) and block.kind in kinds
        self.newest_kind = _kind_of(self._blocks[-1]) if self._blocks else ""
        return taken[::-1]

    def unmended_calls(self, cut: Block | None) -> list[ArgumentsReader]:
        """The arguments that only the library can read, and not here. `cut`: the block in which the answer ran out."""
        calls = (block for block in self._blocks if isinstance(block, Call) and block is not cut)
        return [call.arguments for call in calls if call.arguments is not None and call.arguments.unmended]

    def end_all(self, cut: Block | None) -> None:
        """Tells the rest. `cut`: the block in which the answer ran out of tokens."""
        while self._blocks:
            self._end_first(is_cut=self._blocks[0] is cut)

    def _open_first(self) -> None:
        block = self._blocks[0]
        if not block.can_start:
            return
        if isinstance(block, Call) and block.tool is not None:
            self._writer.start(TOOL, block.tool_id, block.tool.name)
        else:
            self._writer.start(block.kind)
        self._is_open = True
        for fragment in block.held:
            self._writer.add(fragment)
        block.held.clear()

    def _end_first(self, *, is_cut: bool) -> None:
        if not self._is_open:
            self._open_first()
        block = self._blocks.popleft()
        if isinstance(block, Call) and (rest := block.finish(is_cut=is_cut)):
            self._writer.add(rest)
        self._writer.stop()
        self._is_open = False
