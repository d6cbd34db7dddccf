"""Recognises a request that asks for a web search and nothing else.

https://docs.anthropic.com/en/docs/agents-and-tools/tool-use/web-search-tool. Claude Code's WebSearch tool sends such a
request of its own for each search (2.1.330, observed November 2026).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tray_app.translate.request.body import Message, MessagesRequest

_TOOL_TYPE = "web_search_"  # a date follows
_CLAUDE_CODE_ASKS = "Perform a web search for the query: "


@dataclass(frozen=True, slots=True)
class Search:
    """The query of a web search, and the domains to search in or to leave out.

    No domains stand for the whole web. The query is empty if the request has no text.
    """

    query: str
    allowed_domains: tuple[str, ...] = ()
    blocked_domains: tuple[str, ...] = ()


def read_search(request: MessagesRequest) -> Search | None:
    """Returns the search of a request whose only tools are Anthropic's web search; None for other requests."""
    tools, choice = request.tools, request.tool_choice
    if not tools or not all(str(tool.get("type")).startswith(_TOOL_TYPE) for tool in tools):
        return None
    if isinstance(choice, dict) and choice.get("type") == "none":
        return None
    return Search(
        _read_query(request.messages), _texts(tools[0].get("allowed_domains")), _texts(tools[0].get("blocked_domains"))
    )


def _read_query(messages: Sequence[Message]) -> str:
    """Returns the query in Claude Code's sentence, or else the whole last text of the user."""
    for message in reversed(messages):
        if message.role == "user":
            text = "\n".join(block["text"] for block in message.blocks if block["type"] == "text")
            _, _, query = text.rpartition(_CLAUDE_CODE_ASKS)
            if query.strip():
                return query.strip()
    return ""


def _texts(value: object) -> tuple[str, ...]:
    return tuple(item for item in value if isinstance(item, str)) if isinstance(value, list) else ()
