"""Reads blocks of calls that a model wrote as text, one after another, while the text arrives.

A reader that gives up goes back behind its opener, so that the openers which it has passed are tried as well. Still the
readers of one grammar read each character a bounded number of times:

- Outside of values and strings no opener can stand, so a reader that meets one there gives up at once.
- Elements: an opener can stand in a value. Two readers that are both within a value wait for the same closer from there
  on, so they end at the same place in the same way. If one gave up, all others that began a value before give up too.
- JSON: an opener can stand in a string, and for the reader that starts there no string has begun. From there on one of
  the two is within a string whenever the other is not, so one of them gives up at the next opener.
"""

from __future__ import annotations

from tray_app.translate.markup.block_reader import BlockReader
from tray_app.translate.markup.cursor import Cursor
from tray_app.translate.markup.drafts import Schemas
from tray_app.translate.markup.grammars import BY_OPENER
from tray_app.translate.markup.pieces import WrittenCall
from tray_app.translate.markup.text_blocks import TextBlocks
from tray_app.translate.tool_names import ToolNames


class CallReader:
    """Reads one block after another, each from behind its opener."""

    def __init__(self, cursor: Cursor) -> None:
        self._cursor = cursor
        self._schemas: Schemas = {}
        self._names = ToolNames(())  # the names of the tools that may be called
        self._block: BlockReader | None = None  # None outside of blocks
        self._gave_up_at: dict[str, int] = {}  # family -> the last place from which on its readers fail
        self._text_blocks = TextBlocks()

    def __repr__(self) -> str:
        return f"CallReader({(self._block and self._block.family) or 'no block'})"

    @property
    def schemas(self) -> Schemas:
        """The schemas of the tools that may be called. Empty if none may be called."""
        return self._schemas

    @schemas.setter
    def schemas(self, schemas: Schemas) -> None:
        self._schemas = schemas
        self._names = ToolNames((name, name) for name in schemas)

    def may_begin(self, opener: str) -> bool:
        """Tells whether calls may begin with this opener. A call within a block that is text is text as well."""
        return bool(self._schemas) and not self._text_blocks.hold(opener)

    def note_text(self, tag: str) -> None:
        """Takes notice that a tag of a block was text."""
        self._text_blocks.note_text(tag)

    def begin(self, opener: str) -> None:
        """Marks the place of the opener, and begins to read the block behind it."""
        self._cursor.set_mark()
        self._cursor.at += len(opener)
        self._block = BlockReader(self._cursor, BY_OPENER[opener], self._schemas, self._names, self._gave_up_at)

    def read(self, *, is_last: bool, is_whole: bool) -> list[WrittenCall] | None:
        """Returns the calls of the block. The list is empty if this is no such block. None if more text is needed.

        `is_last`: no more text comes. `is_whole`: the model has said all that it wanted to say. Then the end of the
        block may be missing: many servers take it for the end of the answer, and do not pass it on.
        """
        block = self._block
        assert block is not None
        calls = block.read()
        if calls is None and not is_last:
            return None
        self._block = None
        if calls is None and is_whole:
            calls = block.end()
        if not calls and (place := block.find_failure(is_at_end=calls is None)):
            self._gave_up_at[block.family] = max(place, self._gave_up_at.get(block.family, 0))
        return calls or []
