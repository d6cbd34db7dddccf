"""The answer to a request for a web search. NVIDIA has no web search, so such a request is never sent upstream.

No search backend is shipped, so the answer is a refusal that says what works instead. To plug one in, write a class
with the method of `SearchBackend` and pass it on where `app` makes its ProxyService.
"""

from __future__ import annotations

import asyncio
import logging
import uuid
from collections.abc import Sequence
from typing import Protocol

from aiohttp import web

from tray_app.errors import SearchFailed
from tray_app.proxy.exchange.ready_reply import ready_reply
from tray_app.translate.answer.web_search import SearchResult, to_search_message
from tray_app.translate.request.chat import ChatRequest
from tray_app.translate.request.search import Search

log = logging.getLogger(__name__)

MAX_RESULTS = 10
"""The most pages that an answer lists."""
_TIMEOUT_S = 30
"""Longest time that a backend may take for one search."""

_NO_BACKEND = (
    "Nothing was searched: the gateway in use, Claude NVIDIA Tray, has no web search, and another try will not change "
    "that. What works instead: fetch a page whose address is known (the WebFetch tool), or ask the user for an address "
    "or for the facts. Tell the user that nothing was looked up."
)


class SearchBackend(Protocol):
    """Finds pages. It is made in the main thread, but `search` runs in the proxy thread's event loop."""

    async def search(
        self, query: str, *, allowed_domains: Sequence[str], blocked_domains: Sequence[str], max_results: int
    ) -> Sequence[SearchResult]:
        """Returns at most `max_results` pages, the best first. Raises SearchFailed if the search fails.

        If there are `allowed_domains`, all pages are from these or their subdomains. None is from `blocked_domains`.
        """


async def answer_search(search: Search, chat: ChatRequest, backend: SearchBackend | None) -> web.Response:
    """Returns the answer to a request that asks for a search only. A failed search is an answer, too, not an error."""
    found = await _find(search, backend)
    message = to_search_message(search, found, chat, f"msg_{uuid.uuid4().hex}")
    # The query is the user's own text, so it is not logged.
    log.info("web search: %s", found.code if isinstance(found, SearchFailed) else f"{len(found)} pages")
    return ready_reply(message, is_stream=chat.is_stream)


async def _find(search: Search, backend: SearchBackend | None) -> Sequence[SearchResult] | SearchFailed:
    if backend is None:
        return SearchFailed(_NO_BACKEND)
    if not search.query:
        return SearchFailed("Nothing was searched: the request has no text to search for.", "invalid_tool_input")
    try:
        async with asyncio.timeout(_TIMEOUT_S):
            found = await backend.search(
                search.query,
                allowed_domains=search.allowed_domains,
                blocked_domains=search.blocked_domains,
                max_results=MAX_RESULTS,
            )
        return found[:MAX_RESULTS]
    except SearchFailed as failure:
        return failure
    except TimeoutError:
        return SearchFailed("The web search took too long and was given up. It can be tried again.")
    # The backend is not our code. Its error text may quote the query, so it is not logged.
    except Exception as error:  # noqa: BLE001
        log.warning("the search backend failed: %s", type(error).__name__)
        return SearchFailed("The web search failed. It can be tried again.")
