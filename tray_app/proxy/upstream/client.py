"""Sends chat requests to upstream. Everything that can go wrong becomes a ProxyError."""

from __future__ import annotations

import asyncio
import logging
import re
import time
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from urllib.parse import SplitResult, urljoin, urlsplit

import aiohttp

from tray_app.errors import KeyRefused, UpstreamFault, UpstreamTimeout
from tray_app.proxy.upstream.chat_response import ChatResponse
from tray_app.proxy.upstream.faults import faults_explained
from tray_app.proxy.upstream.retry_after import read_retry_after
from tray_app.proxy.upstream.session import make_session, read_beginning, read_into, send
from tray_app.proxy.upstream.timeouts import TIMEOUTS, Timeouts
from tray_app.proxy.upstream.tls import MakeTlsContext
from tray_app.sentences import HOW_TO_SET_KEY
from tray_app.translate.refusal.error_body import MAX_ERROR_BYTES
from tray_app.translate.refusal.refusal import explain_refusal
from tray_app.translate.request.chat import ChatRequest
from tray_app.translate.request.encoded import encode_body

log = logging.getLogger(__name__)

_REST_S = 1.0
"""Time to read the bytes after the end mark of a stream. If more come, the connection is closed instead of kept."""
_MAX_REST_BYTES = 64 * 1024
_SMALL_BYTES = 1024 * 1024
"""A body up to this size is sent in one step, which takes less than a millisecond."""
_PORTION_BYTES = 128 * 1024
"""A larger body is sent in portions of about this size."""
_REQUEST_ID = re.compile(r"[\w-]{1,100}")
"""Form of NVIDIA's request ids, which become a part of an address."""


class UpstreamClient:
    """Keeps a pool of connections. Belongs to one event loop, in which it is also closed."""

    def __init__(self, timeouts: Timeouts = TIMEOUTS, make_tls_context: MakeTlsContext | None = None) -> None:
        """`make_tls_context` decides which certificates are trusted; None: those that OpenSSL finds."""
        self._timeouts = timeouts
        self.session = make_session(make_tls_context)

    async def close(self) -> None:
        """Closes all connections."""
        await self.session.close()

    @asynccontextmanager
    async def open_chat(
        self, request: ChatRequest, url: str, key: str, timeout_s: float
    ) -> AsyncIterator[ChatResponse]:
        """Sends a request and gives its 200 answer, whose body can be read until the `with` ends.

        Any other answer raises a ProxyError.
        """
        with faults_explained(timeout_s):
            response = await self._post(request, url, key, timeout_s)
            if response.status == 202:
                response = await self._wait_for_answer(response, url, key, timeout_s)
        try:
            if response.status != 200:
                body = await read_beginning(response, MAX_ERROR_BYTES, self._timeouts.error_body_s)
                log.warning("upstream answered HTTP %d for %s", response.status, request.model.id)
                error = explain_refusal(response.status, body, request.model, request)
                if error.is_transient and (pause_s := read_retry_after(response.headers)) is not None:
                    error.ask_for_pause(pause_s)
                raise error
            yield ChatResponse(response, timeout_s)
            # Reads past the end mark of a stream, since only a fully read connection can serve the next request.
            if not response.content.at_eof():
                await read_beginning(response, _MAX_REST_BYTES, _REST_S)
        finally:
            response.close()  # a fully read body has already given its connection back to the pool

    async def fetch(self, url: str, key: str, timeout_s: float, limit_bytes: int) -> bytes:
        """Returns the body at another address. Raises a ProxyError if it is late, or longer than `limit_bytes`.

        KeyRefused if the server does not accept the key (HTTP 401).
        """
        # The connection is kept: that of the list at the start spares the first request its name server and handshakes.
        headers = {"Accept": "application/json"}
        body = bytearray()
        with faults_explained(timeout_s):
            async with asyncio.timeout(timeout_s):
                response = await send(self.session, "GET", url, key, timeout_s, headers)
                async with response:
                    if response.status == 401:
                        raise KeyRefused(f"NVIDIA refused your API key. {HOW_TO_SET_KEY}")
                    if response.status != 200:
                        raise UpstreamFault(f"{url} answered HTTP {response.status}.")
                    await read_into(body, response, limit_bytes)
        if len(body) > limit_bytes:
            raise UpstreamFault(f"{url} answered more than {limit_bytes} bytes.")
        return bytes(body)

    async def _post(self, request: ChatRequest, url: str, key: str, timeout_s: float) -> aiohttp.ClientResponse:
        """Sends a request and returns the response. One redirect is followed if it stays on the same server."""
        body = _join_small(encode_body(request.body))
        accept = "text/event-stream" if request.is_stream else "application/json"
        headers = {
            "Content-Type": "application/json",
            "Content-Length": str(sum(map(len, body))),
            "Accept": accept,
        }
        response = await self._post_body(body, url, key, timeout_s, headers)
        if response.status in (307, 308) and (place := _find_place(url, response.headers.get("Location", ""))):
            response.close()
            response = await self._post_body(body, place, key, timeout_s, headers)
        return response

    async def _post_body(
        self, body: Sequence[bytes], url: str, key: str, timeout_s: float, headers: Mapping[str, str]
    ) -> aiohttp.ClientResponse:
        """Sends the body. Sends it again if the server had closed the kept-alive connection."""
        for attempt in ("first", "again"):
            try:
                data = body[0] if len(body) == 1 else _one_by_one(body)
                return await send(self.session, "POST", url, key, timeout_s, headers, data)
            except (aiohttp.ServerDisconnectedError, aiohttp.ClientOSError) as error:
                # ClientConnectorError is a ClientOSError, too, but it means that a new connection failed.
                if attempt == "again" or isinstance(error, aiohttp.ClientConnectorError):
                    raise
                log.info("the kept-alive connection was stale: sending once more")
        raise AssertionError("unreachable")

    async def _wait_for_answer(
        self, accepted: aiohttp.ClientResponse, url: str, key: str, timeout_s: float
    ) -> aiohttp.ClientResponse:
        """Polls for the answer to a request that NVIDIA accepted with 202 and an id."""
        request_id = accepted.headers.get("NVCF-REQID", "")
        accepted.close()
        if not _REQUEST_ID.fullmatch(request_id):
            raise UpstreamFault("NVIDIA took the request, but does not say where its answer will be.")
        address = urlsplit(url)._replace(path=f"/v2/nvcf/pexec/status/{request_id}", query="").geturl()
        ends_s = time.monotonic() + timeout_s
        while time.monotonic() < ends_s:
            await asyncio.sleep(self._timeouts.poll_pause_s)
            response = await send(self.session, "GET", address, key, timeout_s, {"Accept": "application/json"})
            if response.status != 202:
                return response
            response.close()
        raise UpstreamTimeout(f"NVIDIA took the request, and has no answer after {timeout_s} s. Please try again.")


def _find_place(url: str, location: str) -> str:
    """Returns the target of a redirect, or "" if it is on another server, which must not get the key."""
    try:
        place, asked = urlsplit(urljoin(url, location)), urlsplit(url)
        is_same_server = (place.scheme, place.hostname, _port(place)) == (asked.scheme, asked.hostname, _port(asked))
    except ValueError:
        return ""
    return place.geturl() if location and is_same_server and "@" not in place.netloc else ""


def _port(parts: SplitResult) -> int:
    return parts.port or (443 if parts.scheme == "https" else 80)


def _join_small(pieces: Sequence[bytes]) -> Sequence[bytes]:
    """Returns a small body in one piece, which is sent in one step, and a large one as it is."""
    is_small = len(pieces) > 1 and sum(map(len, pieces)) <= _SMALL_BYTES
    return (b"".join(pieces),) if is_small else pieces


async def _one_by_one(pieces: Iterable[bytes]) -> AsyncIterator[bytes]:
    """Yields the pieces to aiohttp in portions. The event loop runs other tasks after each.

    Without that, aiohttp would go on for as long as the socket takes all, which may be several megabytes.
    """
    for portion in _in_portions(pieces):
        yield portion
        await asyncio.sleep(0)


def _in_portions(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Yields the same bytes in portions. Small pieces are joined, and large ones divided."""
    held: list[bytes] = []
    size_bytes = 0
    for piece in pieces:
        for place in range(0, len(piece), _PORTION_BYTES):
            held.append(piece[place : place + _PORTION_BYTES])
            size_bytes += len(held[-1])
            if size_bytes >= _PORTION_BYTES:
                yield b"".join(held)
                held.clear()
                size_bytes = 0
    if held:
        yield b"".join(held)
