"""Stop sequences that are closing tags, such as `</block>` of Claude Code's auto mode.

Servers cut off the sequence at which they stop, and some do not say that they stopped there. If an answer has the
opening tag and ends before the closing tag, the closing tag stopped it.
"""

from __future__ import annotations

from collections.abc import Sequence


def opening_tags(stops: Sequence[str]) -> list[str]:
    """Returns the opening tags for those stop sequences that are closing tags."""
    return [f"<{stop[2:]}" for stop in stops if stop.startswith("</") and stop.endswith(">")]


def closing_tag(opening: str | None) -> str | None:
    """Returns the stop sequence that closes a tag. None if there is no tag."""
    return None if opening is None else f"</{opening[1:]}"
