"""Reads the arguments of a tool call as a model writes them, in fragments, and returns a JSON object for the client.

What was returned cannot be taken back, so `feed` returns only what is settled (`object_reader.py`). Broken JSON is
held, and `finish` repairs it.
"""

from __future__ import annotations

from typing import Any

from tray_app.translate.arguments.mending import RAW_KEY, LibraryBudget, Meaning, mend_within
from tray_app.translate.arguments.object_reader import ObjectReader, Part
from tray_app.translate.arguments.object_writer import ObjectWriter
from tray_app.translate.arguments.received import Received
from tray_app.translate.schema.schema import NO_PARAMETERS, Parameters

MAX_BLANKS = 500
"""Characters of white space in a row between values. A model that writes so many is in a loop."""

MAX_BLANKS_IN_TEXT = 10_000
"""Characters of white space in a row within a string, or in broken JSON, which may be within a string.

A table or a drawing may hold hundreds in a row, but no file that anybody writes has so many.
"""


class ArgumentsReader:
    """Reads the arguments of one call. The pieces of `feed`, joined with that of `finish`, are one JSON object."""

    def __init__(self, parameters: Parameters = NO_PARAMETERS, budget: LibraryBudget | None = None) -> None:
        """`budget` is shared by the calls of one answer. If it is None, the reader has a budget of its own."""
        self._parameters = parameters
        self._budget = budget or LibraryBudget()
        self._received = Received()
        self._writer = ObjectWriter(parameters)
        self._object = ObjectReader(self._writer)
        self._meaning: Meaning | None = None  # what broken arguments mean; None until that is asked
        self._extra: list[str] = []  # the fragments behind the end of the object
        self._extra_start = 0  # where the other object begins in the first of them

    def __repr__(self) -> str:
        return f"ArgumentsReader({self._object})"

    @property
    def is_complete(self) -> bool:
        """Tells whether what was fed is one whole object."""
        return self._object.is_complete

    @property
    def is_truncated(self) -> bool:
        """Tells whether what was fed breaks off. Broken JSON that ends with a brace does not break off."""
        return self._received.last not in ("", "}") and not self.is_complete

    @property
    def is_runaway(self) -> bool:
        """Tells whether the model is stuck in white space."""
        blanks = self._received.blanks
        if blanks < MAX_BLANKS or self._is_closed:
            return False
        return blanks >= MAX_BLANKS_IN_TEXT or not self._object.may_be_in_text

    @property
    def is_runaway_in_text(self) -> bool:
        """Tells whether the model is stuck in white space within a string, whose rest is therefore unknown."""
        return self._object.may_be_in_text and self.is_runaway

    def feed(self, fragment: str, start: int = 0) -> str:
        """Reads `fragment` from `start` on, and returns the text of the object that this settles. It may be empty."""
        part = self._object.part
        if part is Part.CLOSED:
            self._extra.append(fragment[start:])
            return ""
        if part is not Part.START and not start:
            start = self._received.count_repeated(fragment)
        end = self._object.read(fragment, start)
        if end < len(fragment):
            self._extra, self._extra_start = [fragment], end
        self._received.add(fragment[start:end])
        self._meaning = None
        return self._writer.take()

    def take_extra(self) -> tuple[str, int] | None:
        """Returns the text that holds another object, glued to the closed one, and where that begins. None if there is
        none.

        The text is not cut, because thousands of objects may be glued together.
        """
        if not self._extra:
            return None
        text = self._extra[0] if len(self._extra) == 1 else "".join(self._extra)
        start, self._extra, self._extra_start = self._extra_start, [], 0
        return text, start

    def restart(self, text: str) -> bool:
        """Replaces arguments that broke off by whole ones. Returns False if these do not begin with what was returned
        so far."""
        other = ArgumentsReader(self._parameters, self._budget)
        whole = other.feed(text) + other.finish()
        if not whole.startswith(given := self._writer.text):
            return False
        self._writer.write(whole[len(given) :])
        self._object.part = Part.CLOSED
        return True

    def finish(self, *, is_cut: bool = False) -> str:
        """Returns the rest of the object.

        `is_cut`: the answer ran out of tokens. Then the rest stays as it is: half a call must not look complete.
        """
        if self._object.part is Part.END:
            self._object.write_end()
        elif self._received and (is_cut or self.is_runaway_in_text):
            self._writer.write(self._object.unwritten)
        elif not self._is_closed:
            meant = self._find_meaning().meant
            self._writer.write_meant({RAW_KEY: self._received.text} if meant is None else meant)
        self._object.close()
        return self._writer.take()

    @property
    def unmended(self) -> str:
        """The broken arguments that only the library can repair, if that exceeds the budget. Empty if there are none.

        May be asked when all was fed. The repair may run elsewhere: `mend_with_library`, then `take_mended`.
        """
        return "" if self.is_complete or self.is_runaway_in_text else self._find_meaning().unread

    def take_mended(self, meant: dict[str, Any] | None) -> None:
        """Takes the object that the library made of `unmended`. None if the library could not read that either."""
        self._meaning = Meaning(meant)

    @property
    def _is_closed(self) -> bool:
        return self._object.part is Part.CLOSED

    def _find_meaning(self) -> Meaning:
        """Returns the object that broken or truncated arguments mean."""
        if self._meaning is None:
            is_parameter = self._writer.is_awaited if self._writer.names_parameters else None
            self._meaning = mend_within(self._budget, self._object.to_broken_object(), is_parameter)
        return self._meaning
