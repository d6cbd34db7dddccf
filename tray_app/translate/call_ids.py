"""The ids of tool calls, in the form in which clients get them and send them back."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any

MOST_USED_IDS = 10_000
"""So many of a history's newest ids are known: what a server that counts may give again is among them."""

MOST_ID_CHARS = 128
"""A longer id from upstream is not passed on."""


def read_used_ids(newest_blocks: Iterable[dict[str, Any]]) -> list[str]:
    """The ids of the calls in the blocks of a conversation, in the form in which ids are given out.

    The blocks come with the newest first, and so do the ids.
    """
    ids = (tool_id for tool_id in map(clean_id, _find_ids(newest_blocks)) if len(tool_id) <= MOST_ID_CHARS)
    return [*dict.fromkeys(islice(ids, MOST_USED_IDS))]


def _find_ids(blocks: Iterable[dict[str, Any]]) -> Iterator[str]:
    """The ids of calls and also those of results, because a client may have dropped the calls that they belong to."""
    for block in blocks:
        found = block.get("tool_use_id" if block.get("type") == "tool_result" else "id")
        if isinstance(found, str):
            yield found[: MOST_ID_CHARS + 1]


def clean_id(upstream_id: str) -> str:
    """The id in characters that Anthropic's clients take: letters, digits, `_`, `-`."""
    return "".join(c if c.isascii() and (c.isalnum() or c in "_-") else "_" for c in upstream_id[: MOST_ID_CHARS + 1])
