"""Stop sequences that are closing tags, such as `</block>` of Claude Code's auto mode.

Servers cut the sequence off at which they stop, and some do not say that they stopped there. Once the opening tag
stands in an answer, an answer that ends before the closing tag was stopped by it.
"""

from __future__ import annotations

from collections.abc import Sequence


def opening_tags(stops: Sequence[str]) -> list[str]:
    """The tags that those of the stop sequences would close which are closing tags."""
    return [f"<{stop[2:]}" for stop in stops if stop.startswith("</") and stop.endswith(">")]


def closing_tag(opening: str | None) -> str | None:
    """The stop sequence that closes a tag."""
    return None if opening is None else f"</{opening[1:]}"
