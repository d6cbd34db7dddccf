"""Stop sequences, watched in the text as it streams by: upstream takes four of them, and does not always say which one
it stopped at."""

from __future__ import annotations

from collections.abc import Sequence


class StopWatcher:
    """Lets text through up to the first stop sequence; holds back only what may be the beginning of one."""

    def __init__(self, stops: Sequence[str]) -> None:
        self._stops = tuple(stop for stop in stops if stop)
        self._held = ""
        self.matched: str | None = None
        """The sequence that was found; no text passes from then on."""

    def feed(self, text: str) -> str:
        """The text that surely stands before any stop sequence."""
        if not self._stops:
            return text
        if self.matched is not None:
            return ""
        text, self._held = self._held + text, ""
        found = [(place + len(stop), place, stop) for stop in self._stops if (place := text.find(stop)) >= 0]
        if found:  # the first one that is complete, as a server would have stopped there
            _, place, self.matched = min(found)
            return text[:place]
        keep = max(count_overlap(text, stop) for stop in self._stops)
        self._held = text[len(text) - keep :]
        return text[: len(text) - keep]

    def flush(self) -> str:
        """What was held back, at the end of the text."""
        held, self._held = self._held, ""
        return held


def count_overlap(text: str, tag: str) -> int:
    """How many characters at the end of `text` could begin `tag`, less than all of it."""
    return next((n for n in range(min(len(text), len(tag) - 1), 0, -1) if text.endswith(tag[:n])), 0)
