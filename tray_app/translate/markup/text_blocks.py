"""Keeps track of blocks that turned out to be text: a call within such a block is text as well."""

from __future__ import annotations

from tray_app.translate.markup.grammars import BLOCKS_AROUND


def _list_blocks() -> dict[str, frozenset[str]]:
    blocks: dict[str, frozenset[str]] = {}
    for around in BLOCKS_AROUND.values():
        for opener, closers in around.items():
            for closer in closers:
                blocks[closer] = blocks.get(closer, frozenset()) | {opener}
    return blocks


_BLOCKS_OF = _list_blocks()
"""Closer -> openers of the blocks that it ends."""

BLOCK_TAGS = frozenset(_BLOCKS_OF) | frozenset(opener for around in BLOCKS_AROUND.values() for opener in around)
"""The tags that open or close a block around calls which may also stand alone."""


class TextBlocks:
    """The blocks that are text and still open."""

    def __init__(self) -> None:
        self._openers: set[str] = set()

    def note_text(self, tag: str) -> None:
        """Takes notice that one of `BLOCK_TAGS` was text."""
        if tag in _BLOCKS_OF:
            self._openers -= _BLOCKS_OF[tag]
        elif tag in BLOCK_TAGS:
            self._openers.add(tag)

    def hold(self, opener: str) -> bool:
        """Tells whether a call that begins with this opener is within a block that is text."""
        return not self._openers.isdisjoint(BLOCKS_AROUND.get(opener, {}))
