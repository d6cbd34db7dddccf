"""Builds the answer to a web search, in Anthropic's shape.

https://docs.anthropic.com/en/docs/agents-and-tools/tool-use/web-search-tool
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from tray_app.errors import SearchFailed
from tray_app.translate.answer.envelope import wrap_content
from tray_app.translate.answer.usage import to_usage
from tray_app.translate.request.chat import ChatRequest
from tray_app.translate.request.search import Search
from tray_app.translate.request.tokens import estimate_text, size_bytes

_ENCRYPTED_CONTENT = "claude-nvidia-tray"
"""A field that each result must have. Only Anthropic's servers decrypt it. Here the text says what the pages say."""


@dataclass(frozen=True, slots=True)
class SearchResult:
    """One page that was found."""

    url: str
    title: str
    snippet: str = ""
    page_age: str | None = None
    """Text for people, such as "3 days ago". None if the age is not known."""


def to_search_message(
    search: Search, found: Sequence[SearchResult] | SearchFailed, chat: ChatRequest, message_id: str
) -> dict[str, Any]:
    """Returns the message that says what a search found, or why it failed: the call, its result, and both as text.

    The model reads the text: clients pass it on together with the titles and addresses.
    """
    match found:
        case SearchFailed():
            result: Any = {"type": "web_search_tool_result_error", "error_code": found.code}
            text, searches = str(found), 0
        case _:
            result = [_to_result(page) for page in found]
            text, searches = _list_pages(search.query, found), 1
    call_id = message_id.replace("msg_", "srvtoolu_", 1)
    content: list[dict[str, Any]] = [
        {"type": "server_tool_use", "id": call_id, "name": "web_search", "input": {"query": search.query}},
        {"type": "web_search_tool_result", "tool_use_id": call_id, "content": result},
        {"type": "text", "text": text},
    ]
    usage = {
        **to_usage(chat.input_tokens, estimate_text(size_bytes(text))),
        "server_tool_use": {"web_search_requests": searches, "web_fetch_requests": 0},
    }
    return wrap_content(chat, message_id, content, usage, "end_turn")


def _to_result(page: SearchResult) -> dict[str, Any]:
    return {
        "type": "web_search_result",
        "url": page.url,
        "title": page.title,
        "encrypted_content": _ENCRYPTED_CONTENT,
        "page_age": page.page_age,
    }


def _list_pages(query: str, pages: Sequence[SearchResult]) -> str:
    if not pages:
        return f'The web search for "{query}" found nothing.'
    lines = [f'The web search for "{query}" found:']
    for number, page in enumerate(pages, 1):
        facts = (f"{number}. {page.title}", page.url, page.page_age, page.snippet)
        lines.append("\n   ".join(fact for fact in facts if fact))
    return "\n\n".join(lines)
