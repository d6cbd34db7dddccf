"""Writes the content blocks of one answer strictly one after another, as Anthropic's API requires.

The first block of the queue is open, and what arrives for it is written at once. The other blocks hold their fragments
until their turn. Text and thinking are over as soon as another block waits. A call is over when its arguments are a
complete object, because calls may come interleaved. Markup is over when it is decided what it is.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Collection

from tray_app.translate.answer.blocks import Block, BlockWriter, Replace
from tray_app.translate.answer.fragments import Fragments
from tray_app.translate.arguments.reader import ArgumentsReader


class BlockQueue:
    """The blocks that are not completely written yet."""

    def __init__(self, writer: BlockWriter) -> None:
        self._writer = writer
        self._blocks: deque[Block] = deque()
        self._is_open = False  # whether the first block has been started
        self._undecided: Counter[str] = Counter()  # kind -> how many blocks of it are markup
        self.newest_kind = ""
        """The kind of the newest block. Empty if there has been none, or while that block is markup."""

    def __str__(self) -> str:
        blocks = ", ".join(map(str, self._blocks))
        return f"{'open' if self._is_open else 'waiting'}: {blocks or 'nothing'}"

    def append(self, block: Block) -> None:
        """Puts a block at the end of the queue, and writes what can be written."""
        self._append(block)
        self.advance()

    def add(self, kind: str, fragment: str) -> None:
        """Adds text to the newest block if that is of this kind, else to a new block."""
        if self.newest_kind != kind:
            self.append(Block(kind))
        self.write(self._blocks[-1], fragment)

    def write(self, block: Block, fragment: str) -> None:
        """Writes the fragment if the block is open, else lets the block hold it."""
        if not fragment:
            return
        if self._is_open and block is self._blocks[0]:
            self._writer.add(fragment)
        else:
            block.held.append(fragment)

    def is_writing(self, kind: str) -> bool:
        """Tells whether the newest block is open and of this kind."""
        return self.newest_kind == kind and self._is_open and len(self._blocks) == 1

    def write_fragments(self, fragments: Fragments) -> None:
        """Writes into the newest block, which is open."""
        self._writer.add_fragments(fragments)

    def advance(self) -> None:
        """Ends the blocks at the front that are over, and opens the next one."""
        while len(self._blocks) > 1 and self._blocks[0].is_over and self._blocks[1].decided_kind:
            self._end_first(is_cut=False)
        if not self._is_open:
            self._open_first()

    def decide(self, kinds: Collection[str], replace: Replace) -> None:
        """Replaces all markup of these kinds. Neighboring texts of one kind become one block."""
        for block in self._take_from_first_markup(kinds):
            for part in block.decide(kinds, replace):
                if part.joins_neighbor and part.kind == self.newest_kind:
                    for fragment in part.held:
                        self.write(self._blocks[-1], fragment)
                else:
                    self._append(part)
        self.advance()

    def unmended_calls(self, cut: Block | None) -> list[ArgumentsReader]:
        """Returns the broken arguments that only the library can repair, at a cost beyond the budget.

        `cut` is the block in which the answer ran out of tokens, if any. It is not repaired.
        """
        readers = (block.unmended for block in self._blocks if block is not cut)
        return [reader for reader in readers if reader is not None]

    def end_all(self, cut: Block | None) -> None:
        """Writes the rest. `cut` is the block in which the answer ran out of tokens, if any."""
        while self._blocks:
            self._end_first(is_cut=self._blocks[0] is cut)

    def _append(self, block: Block) -> None:
        self._blocks.append(block)
        self._undecided[block.kind] += not block.decided_kind
        self.newest_kind = block.decided_kind

    def _take_from_first_markup(self, kinds: Collection[str]) -> list[Block]:
        """Removes and returns the first such markup and all blocks behind it. The blocks before it are not visited."""
        undecided = sum(self._undecided[kind] for kind in kinds)
        taken: list[Block] = []
        while undecided:
            block = self._blocks.pop()
            taken.append(block)
            if not block.decided_kind:
                self._undecided[block.kind] -= 1
                undecided -= block.kind in kinds
        self.newest_kind = self._blocks[-1].decided_kind if self._blocks else ""
        return taken[::-1]

    def _open_first(self) -> None:
        if self._blocks and self._blocks[0].can_start:
            self._blocks[0].start(self._writer)
            self._is_open = True

    def _end_first(self, *, is_cut: bool) -> None:
        if not self._is_open:
            self._open_first()
        if rest := self._blocks.popleft().finish(is_cut=is_cut):
            self._writer.add(rest)
        self._writer.stop()
        self._is_open = False
