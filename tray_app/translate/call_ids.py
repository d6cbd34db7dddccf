"""The ids of tool calls, in the form in which clients receive them and send them back."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any

MOST_USED_IDS = 10_000
"""How many of a conversation's newest ids are read. Servers that number their calls repeat recent ids only."""

MOST_ID_CHARS = 128
"""The longest id, in characters. A longer one from upstream is replaced."""

_REFUSED = re.compile("[^0-9A-Za-z_-]")


def read_used_ids(newest_blocks: Iterable[dict[str, Any]]) -> list[str]:
    """Returns the ids of the calls in the blocks of a conversation, cleaned as the ids of new calls are.

    Both the blocks and the ids are in the order from newest to oldest.
    """
    ids = (tool_id for tool_id in map(clean_id, _find_ids(newest_blocks)) if len(tool_id) <= MOST_ID_CHARS)
    return [*dict.fromkeys(islice(ids, MOST_USED_IDS))]


def _find_ids(blocks: Iterable[dict[str, Any]]) -> Iterator[str]:
    """Yields the ids of calls and of results, because a client may have dropped the call of a result."""
    for block in blocks:
        found = block.get("tool_use_id" if block.get("type") == "tool_result" else "id")
        if isinstance(found, str):
            yield found[: MOST_ID_CHARS + 1]


def clean_id(upstream_id: str) -> str:
    """Returns the id with each character that Anthropic's clients refuse replaced by `_`.

    They accept ASCII letters, digits, `_` and `-`.
    """
    return _REFUSED.sub("_", upstream_id[: MOST_ID_CHARS + 1])
