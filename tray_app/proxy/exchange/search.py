"""Web search, answered here: NVIDIA's models have none, so such a request never goes upstream.

No backend is shipped. To plug one in, write a class with the method of `SearchBackend` into a file of this room, and
name it where `app` makes its ProxyService: `ProxyService(self._board, MySearch())`.
"""

from __future__ import annotations

import asyncio
import logging
import uuid
from collections.abc import Sequence
from typing import Protocol

from aiohttp import web

from tray_app.errors import SearchFailed
from tray_app.translate import json_text
from tray_app.translate.answer.stream import to_frames
from tray_app.translate.answer.web_search import SearchResult, to_search_message
from tray_app.translate.request.chat import ChatRequest
from tray_app.translate.request.search import Search

log = logging.getLogger(__name__)

MAX_RESULTS = 10
_TIMEOUT_S = 30

_NO_BACKEND = (
    "Nothing was searched: the gateway in use, Claude NVIDIA Tray, has no web search, and another try will not change "
    "that. What works instead: fetch a page whose address is known (the WebFetch tool), or ask the user for an address "
    "or for the facts. Tell the user that nothing was looked up."
)


class SearchBackend(Protocol):
    """Finds pages. Made in the main thread, then used in the proxy thread's event loop only.

    What belongs to that loop, such as an HTTP session, is therefore opened within `search`.
    """

    async def search(
        self, query: str, *, allowed_domains: Sequence[str], blocked_domains: Sequence[str], max_results: int
    ) -> Sequence[SearchResult]:
        """The best pages first, at most `max_results`. SearchFailed says why there are none to be had.

        With `allowed_domains`, pages of these and their subdomains only; never one of `blocked_domains`.
        """
        ...


async def answer_search(search: Search, chat: ChatRequest, backend: SearchBackend | None) -> web.Response:
    """The answer to a request that asks for a search alone; a search that fails is an answer, too, never an error."""
    found = await _find(search, backend)
    message = to_search_message(search, found, chat, f"msg_{uuid.uuid4().hex}")
    # what was looked for is the user's own text: not for the log
    log.info("web search: %s", found.code if isinstance(found, SearchFailed) else f"{len(found)} pages")
    if chat.is_stream:
        headers = {"Content-Type": "text/event-stream; charset=utf-8", "Cache-Control": "no-cache"}
        return web.Response(body=to_frames(message), headers=headers)
    return web.json_response(body=json_text.encode(message))


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
    except Exception as error:  # a backend is a third party's service; and its text may quote the query
        log.warning("the search backend failed: %s", type(error).__name__)
        return SearchFailed("The web search failed. It can be tried again.")
