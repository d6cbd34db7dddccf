"""The way to NVIDIA: one pooled session, and every way it can fail as a ProxyError."""

from __future__ import annotations

import asyncio
import logging
import re
import ssl
import time
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from types import SimpleNamespace
from typing import Any
from urllib.parse import SplitResult, urljoin, urlsplit

import aiohttp

from tray_app import APP_ID, __version__
from tray_app.errors import UpstreamFault, UpstreamTimeout
from tray_app.proxy.upstream.chat_response import ChatResponse
from tray_app.proxy.upstream.faults import faults_explained
from tray_app.proxy.upstream.retry_after import read_retry_after
from tray_app.proxy.upstream.system_proxy import find_proxy
from tray_app.proxy.upstream.timeouts import TIMEOUTS, Timeouts
from tray_app.translate.refusal.error_body import MAX_ERROR_BYTES
from tray_app.translate.refusal.refusal import explain_refusal
from tray_app.translate.request.chat import ChatRequest
from tray_app.translate.request.encoded import encode_body

log = logging.getLogger(__name__)

_SOCKET_CONNECT_S = 15
"""For TCP and TLS."""
_CONNECT_S = 30
"""For all of connecting: the name server first, and a proxy that connects to upstream in its turn."""
_SLOWEST_UPLOAD_BYTES_PER_S = 50_000
"""A request of 1 MB has 20 s to go out on a slow line, beside the time for which upstream may be silent."""
_KEEP_ALIVE_S = 75
_DNS_CACHE_S = 300
_READ_BUFFER_BYTES = 32 * 1024
"""aiohttp takes this much at a time out of tiny HTTP chunks or a compressed body, which is less than 5 ms of work."""
_REST_S = 1.0
"""For what comes after the end mark of a stream; a server that sends more is not worth keeping the connection for."""
_MAX_REST_BYTES = 64 * 1024
_REQUEST_ID = re.compile(r"[\w-]{1,100}")


class UpstreamClient:
    """Sends chat requests. Make and use it in one event loop, and close it there."""

    def __init__(self, timeouts: Timeouts = TIMEOUTS, tls_context: ssl.SSLContext | None = None) -> None:
        """`tls_context`: which certificates to trust; None: those that OpenSSL finds."""
        self._timeouts = timeouts
        self._session = _make_session(tls_context)

    async def close(self) -> None:
        await self._session.close()

    @asynccontextmanager
    async def open_chat(
        self, request: ChatRequest, url: str, key: str, timeout_s: float
    ) -> AsyncIterator[ChatResponse]:
        """Upstream's 200 answer, its body still to be read; a ProxyError for any other."""
        with faults_explained(timeout_s):
            response = await self._post(request, url, key, timeout_s)
            if response.status == 202:
                response = await self._wait_for_answer(response, url, key, timeout_s)
        try:
            if response.status != 200:
                body = await _read_beginning(response, MAX_ERROR_BYTES, self._timeouts.error_body_s)
                log.warning("upstream answered HTTP %d for %s", response.status, request.model.id)
                error = explain_refusal(response.status, body, request.model, request)
                if error.is_transient and (pause_s := read_retry_after(response.headers)) is not None:
                    error.ask_for_pause(pause_s)
                raise error
            yield ChatResponse(response, timeout_s)
            # past the end mark of a stream: only a connection read to its end can serve the next request
            await _read_beginning(response, _MAX_REST_BYTES, _REST_S)
        finally:
            response.close()  # a body that was read to its end has already given its connection back

    async def fetch(self, url: str, key: str, timeout_s: float, limit_bytes: int) -> bytes:
        """The body at an address beside the chat requests; ProxyError if there is none in time, or it is longer."""
        headers = {"Accept": "application/json", "Connection": "close"}  # none stays open from one day to the next
        body = bytearray()
        with faults_explained(timeout_s):
            async with asyncio.timeout(timeout_s):
                response = await self._request("GET", url, key, timeout_s, headers)
                async with response:
                    if response.status != 200:
                        raise UpstreamFault(f"{url} answered HTTP {response.status}.")
                    await _read_into(body, response, limit_bytes)
        if len(body) > limit_bytes:
            raise UpstreamFault(f"{url} answered more than {limit_bytes} bytes.")
        return bytes(body)

    async def _post(self, request: ChatRequest, url: str, key: str, timeout_s: float) -> aiohttp.ClientResponse:
        """The response to a request, from where a first redirect leads if that is another place on the same server."""
        body = encode_body(request.body)
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
        """Sends the body, again if a connection that was kept alive proves to be closed."""
        for attempt in ("first", "again"):
            try:
                data = body[0] if len(body) == 1 else _one_by_one(body)
                return await self._request("POST", url, key, timeout_s, headers, data)
            except (aiohttp.ServerDisconnectedError, aiohttp.ClientOSError) as error:
                # a kept-alive connection that the server closed meanwhile; connecting anew failing is another thing
                if attempt == "again" or isinstance(error, aiohttp.ClientConnectorError):
                    raise
                log.info("the kept-alive connection was stale: sending once more")
        raise AssertionError("unreachable")

    async def _wait_for_answer(
        self, accepted: aiohttp.ClientResponse, url: str, key: str, timeout_s: float
    ) -> aiohttp.ClientResponse:
        """The answer to a request that NVIDIA put aside: 202, and an id under which to ask for it."""
        request_id = accepted.headers.get("NVCF-REQID", "")
        accepted.close()
        if not _REQUEST_ID.fullmatch(request_id):
            raise UpstreamFault("NVIDIA took the request, but does not say where its answer will be.")
        address = urlsplit(url)._replace(path=f"/v2/nvcf/pexec/status/{request_id}", query="").geturl()
        ends_s = time.monotonic() + timeout_s
        while time.monotonic() < ends_s:
            await asyncio.sleep(self._timeouts.poll_pause_s)
            response = await self._request("GET", address, key, timeout_s, {"Accept": "application/json"})
            if response.status != 202:
                return response
            response.close()
        raise UpstreamTimeout(f"NVIDIA took the request, and has no answer after {timeout_s} s. Please try again.")

    async def _request(
        self, method: str, url: str, key: str, timeout_s: float, headers: Mapping[str, str], body: Any = None
    ) -> aiohttp.ClientResponse:
        """The response, once its headers are complete.

        `timeout_s` is the limit for them, counted from when the request goes out, and for every silence after them.
        """
        proxy = await find_proxy(url)
        own_headers = {"Authorization": f"Bearer {key}", **headers}
        if proxy and url.startswith("http:"):  # there is no tunnel, so the proxy reads the request itself
            own_headers |= proxy.headers
        limit_s = timeout_s + int(headers.get("Content-Length", 0)) / _SLOWEST_UPLOAD_BYTES_PER_S
        async with asyncio.timeout(None) as deadline:
            return await self._session.request(
                method,
                url,
                data=body,
                headers=own_headers,
                allow_redirects=False,  # the key goes to the server that the user named and nowhere else
                proxy=proxy.url if proxy else None,
                proxy_headers=proxy.headers if proxy else None,
                timeout=aiohttp.ClientTimeout(
                    total=None, connect=_CONNECT_S, sock_connect=_SOCKET_CONNECT_S, sock_read=timeout_s
                ),
                trace_request_ctx=lambda: deadline.reschedule(asyncio.get_running_loop().time() + limit_s),
            )


def _find_place(url: str, location: str) -> str:
    """Where a redirect leads; empty where that is another server, which must not get the key."""
    try:
        place, asked = urlsplit(urljoin(url, location)), urlsplit(url)
        is_same_server = (place.scheme, place.hostname, _port(place)) == (asked.scheme, asked.hostname, _port(asked))
    except ValueError:
        return ""
    return place.geturl() if location and is_same_server and "@" not in place.netloc else ""


def _port(parts: SplitResult) -> int:
    return parts.port or (443 if parts.scheme == "https" else 80)


async def _one_by_one(pieces: Iterable[bytes]) -> AsyncIterator[bytes]:
    """The pieces as aiohttp sends them, so that no step of sending handles all of a large body."""
    for piece in pieces:
        yield piece


def _make_session(tls_context: ssl.SSLContext | None) -> aiohttp.ClientSession:
    trace = aiohttp.TraceConfig()
    trace.on_request_headers_sent.append(_start_deadline)
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(
            limit=0, keepalive_timeout=_KEEP_ALIVE_S, ttl_dns_cache=_DNS_CACHE_S, ssl=tls_context or True
        ),
        cookie_jar=aiohttp.DummyCookieJar(),
        headers={"User-Agent": f"{APP_ID}/{__version__}", "Accept-Encoding": "identity"},
        read_bufsize=_READ_BUFFER_BYTES,
        trust_env=False,  # which would also send a password of ~/.netrc
        trace_configs=[trace],
    )


async def _start_deadline(_: aiohttp.ClientSession, context: SimpleNamespace, __: object) -> None:
    context.trace_request_ctx()


async def _read_beginning(response: aiohttp.ClientResponse, limit_bytes: int, limit_s: float) -> bytes:
    """As much of a body as comes in that time, and no more than `limit_bytes`, whatever ends it."""
    body = bytearray()
    with suppress(Exception):  # aiohttp's, and the time-out
        async with asyncio.timeout(limit_s):
            await _read_into(body, response, limit_bytes)
    return bytes(body[:limit_bytes])


async def _read_into(body: bytearray, response: aiohttp.ClientResponse, limit_bytes: int) -> None:
    """Reads a body to its end, or until it is longer than `limit_bytes`."""
    # not `read(limit_bytes)`: for that much, aiohttp unpacks a compressed body in one go
    while len(body) <= limit_bytes and (part := await response.content.readany()):
        body.extend(part)
        await asyncio.sleep(0)  # the next part may be there without a wait
