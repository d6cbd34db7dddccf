"""The answer to a web search, in Anthropic's shape.

https://docs.anthropic.com/en/docs/agents-and-tools/tool-use/web-search-tool
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from tray_app.errors import SearchFailed
from tray_app.translate import json_text
from tray_app.translate.answer.sse import frame
from tray_app.translate.answer.usage import to_usage
from tray_app.translate.request.chat import ChatRequest
from tray_app.translate.request.search import Search
from tray_app.translate.request.tokens import estimate_text, size_bytes

_ENCRYPTED_CONTENT = "claude-nvidia-tray"
"""Required in each result. Only Anthropic's servers decrypt it; what a page says stands in the text here."""


@dataclass(frozen=True, slots=True)
class SearchResult:
    """One page that was found. `page_age` is for people, such as "3 days ago"."""

    url: str
    title: str
    snippet: str = ""
    page_age: str | None = None


def to_search_message(
    search: Search, found: Sequence[SearchResult] | SearchFailed, chat: ChatRequest, message_id: str
) -> dict[str, Any]:
    """The message that tells what a search found, or why it failed: the call, its result, and both as text.

    The text is what a model goes by: clients hand it on together with the titles and addresses.
    """
    match found:
        case SearchFailed():
            result: Any = {"type": "web_search_tool_result_error", "error_code": found.code}
            text, searches = str(found), 0
        case _:
            result = [_to_result(page) for page in found]
            text, searches = _list_pages(search.query, found), 1
    call_id = message_id.replace("msg_", "srvtoolu_", 1)
    return {
        "id": message_id,
        "type": "message",
        "role": "assistant",
        "model": chat.model.id,
        "content": [
            {"type": "server_tool_use", "id": call_id, "name": "web_search", "input": {"query": search.query}},
            {"type": "web_search_tool_result", "tool_use_id": call_id, "content": result},
            {"type": "text", "text": text},
        ],
        "stop_reason": "end_turn",
        "stop_sequence": None,
        "usage": {
            **to_usage(chat.input_tokens, estimate_text(size_bytes(text))),
            "server_tool_use": {"web_search_requests": searches, "web_fetch_requests": 0},
        },
    }


def to_search_frames(message: dict[str, Any]) -> bytes:
    """The same message as the frames of a stream: the call's input and the text as deltas, the result in its start."""
    call, result, text = message["content"]
    head = {**message, "content": [], "stop_reason": None, "usage": {**message["usage"], "output_tokens": 0}}
    arguments = json_text.encode(call["input"]).decode()
    events: list[dict[str, Any]] = [
        {"type": "message_start", "message": head},
        *_block_events(0, {**call, "input": {}}, {"type": "input_json_delta", "partial_json": arguments}),
        *_block_events(1, result),
        *_block_events(2, {**text, "text": ""}, {"type": "text_delta", "text": text["text"]}),
        {
            "type": "message_delta",
            "delta": {"stop_reason": message["stop_reason"], "stop_sequence": message["stop_sequence"]},
            "usage": message["usage"],
        },
        {"type": "message_stop"},
    ]
    return b"".join(frame(event["type"], json_text.encode(event)) for event in events)


def _block_events(index: int, start: dict[str, Any], *deltas: dict[str, Any]) -> list[dict[str, Any]]:
    return [
        {"type": "content_block_start", "index": index, "content_block": start},
        *({"type": "content_block_delta", "index": index, "delta": delta} for delta in deltas),
        {"type": "content_block_stop", "index": index},
    ]


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
