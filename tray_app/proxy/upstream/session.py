"""One HTTP request to upstream: through the system's proxy, with a time limit for each step."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from contextlib import suppress
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

import aiohttp
from aiohttp.connector import Connection
from aiohttp.tracing import Trace

from tray_app import APP_ID, __version__
from tray_app.proxy.upstream.system_proxy import find_proxy
from tray_app.proxy.upstream.tls import MakeTlsContext, TlsContext

_SOCKET_CONNECT_S = 15
"""Time for the TCP and TLS handshakes."""
_CONNECT_S = 30
"""Time for all of connecting, including the name server and a proxy that connects to upstream itself."""
_SLOWEST_UPLOAD_BYTES_PER_S = 50_000
"""Slowest line that is supported. A request of 1 MB has 20 s to go out, in addition to the limit for the answer."""
_KEEP_ALIVE_S = 75
"""An unused connection is kept for so long, which spares the next request a TLS handshake."""
_DNS_CACHE_S = 300
"""The address of a host is looked up again after this time."""
_READ_BUFFER_BYTES = 32 * 1024
"""aiohttp takes this much at a time out of tiny HTTP chunks or a compressed body, which takes less than 5 ms."""


_start_deadline: ContextVar[Callable[[], None]] = ContextVar("start_deadline")
"""Starts the time limit of the request that the current task sends."""


class _Connector(aiohttp.TCPConnector):
    """A pool of connections. A request's time limit starts when it gets its connection, which has limits of its own.

    A signal of aiohttp would tell the same, but the signals make each request 20 us slower.
    """

    async def connect(
        self,
        req: aiohttp.ClientRequest,
        traces: list[Trace],
        timeout: aiohttp.ClientTimeout,  # noqa: ASYNC109 (as the base class has it)
    ) -> Connection:
        connection = await super().connect(req, traces, timeout)
        _start_deadline.get()()
        return connection


@dataclass(frozen=True, slots=True)
class Session:
    """A pool of connections to upstream, with the certificates that they trust. Belongs to one event loop."""

    pool: aiohttp.ClientSession
    tls: TlsContext

    async def close(self) -> None:
        """Closes all connections."""
        await self.pool.close()


def make_session(make_tls_context: MakeTlsContext | None) -> Session:
    """Returns an empty pool for the running event loop. The context is made for the first request that needs it."""
    pool = aiohttp.ClientSession(
        connector=_Connector(limit=0, keepalive_timeout=_KEEP_ALIVE_S, ttl_dns_cache=_DNS_CACHE_S),
        cookie_jar=aiohttp.DummyCookieJar(),
        headers={"User-Agent": f"{APP_ID}/{__version__}", "Accept-Encoding": "identity"},
        read_bufsize=_READ_BUFFER_BYTES,
        trust_env=False,  # which would also send a password of ~/.netrc
    )
    return Session(pool, TlsContext(make_tls_context))


async def send(
    session: Session,
    method: str,
    url: str,
    key: str,
    timeout_s: float,
    headers: Mapping[str, str],
    body: Any = None,
) -> aiohttp.ClientResponse:
    """Sends a request and returns the response when its headers are complete.

    `timeout_s` limits the wait for the headers, to which a time for sending the body is added, and every silence after
    them.
    """
    proxy = await find_proxy(url)
    own_headers = {"Authorization": f"Bearer {key}", **headers}
    if proxy and url.startswith("http:"):  # without TLS there is no tunnel, so the proxy gets the request itself
        own_headers |= proxy.headers
    needs_tls = url.lower().startswith("https:") or (proxy is not None and proxy.url.startswith("https:"))
    limit_s = timeout_s + int(headers.get("Content-Length", 0)) / _SLOWEST_UPLOAD_BYTES_PER_S
    async with asyncio.timeout(None) as deadline:
        _start_deadline.set(lambda: deadline.reschedule(asyncio.get_running_loop().time() + limit_s))
        return await session.pool.request(
            method,
            url,
            data=body,
            headers=own_headers,
            allow_redirects=False,  # the key must not go to any server but the one in the settings
            proxy=proxy.url if proxy else None,
            proxy_headers=proxy.headers if proxy else None,
            ssl=await session.tls.get() if needs_tls else True,
            timeout=aiohttp.ClientTimeout(
                total=None, connect=_CONNECT_S, sock_connect=_SOCKET_CONNECT_S, sock_read=timeout_s
            ),
        )


async def read_beginning(response: aiohttp.ClientResponse, limit_bytes: int, limit_s: float) -> bytes:
    """Returns up to `limit_bytes` of a body: the part that arrives in `limit_s` or before the connection breaks."""
    body = bytearray()
    with suppress(Exception):  # those of aiohttp, and TimeoutError
        async with asyncio.timeout(limit_s):
            await read_into(body, response, limit_bytes)
    return bytes(body[:limit_bytes])


async def read_into(body: bytearray, response: aiohttp.ClientResponse, limit_bytes: int) -> None:
    """Reads a body to its end, or until it is longer than `limit_bytes`."""
    # Not `read(limit_bytes)`, for which aiohttp unpacks that much of a compressed body in one go.
    while len(body) <= limit_bytes and (part := await response.content.readany()):
        body.extend(part)
        await asyncio.sleep(0)  # lets other tasks run, since the next part may be there without a wait
