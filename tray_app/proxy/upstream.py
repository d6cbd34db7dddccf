"""The way to NVIDIA: one pooled session, and every way it can fail as a ProxyError."""

from __future__ import annotations

import asyncio
import logging
import re
import ssl
import time
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager, suppress
from typing import Any
from urllib.parse import urlsplit

import aiohttp

from tray_app import APP_ID, __version__
from tray_app.errors import ProxyError, UpstreamFault, UpstreamTimeout
from tray_app.proxy.patience import PATIENCE, Patience
from tray_app.settings import Address
from tray_app.translate.encoded import encode_body
from tray_app.translate.refusal import explain_refusal
from tray_app.translate.request import ChatRequest

log = logging.getLogger(__name__)

_CONNECT_TIMEOUT_S = 15
_KEEP_ALIVE_S = 75
_DNS_CACHE_S = 300
_REST_S = 1.0
_MAX_ERROR_BYTES = 64 * 1024
_MAX_ANSWER_BYTES = 64 * 1024 * 1024
_REQUEST_ID = re.compile(r"[\w-]{1,100}")


class UpstreamClient:
    """Sends chat requests. Make and use it in one event loop, and close it there."""

    def __init__(self, patience: Patience = PATIENCE, tls_context: ssl.SSLContext | None = None) -> None:
        """`tls_context`: which certificates to trust; None: those that OpenSSL finds."""
        self._patience = patience
        # no total limit: an answer may take as long as bytes keep coming
        self._sessions = {trust_env: _make_session(tls_context, trust_env=trust_env) for trust_env in (True, False)}

    async def close(self) -> None:
        for session in self._sessions.values():
            await session.close()

    @asynccontextmanager
    async def open_chat(
        self, request: ChatRequest, url: str, key: str, timeout_s: int
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        """Upstream's 200 answer, its body still to be read; a ProxyError for any other, also from reading the body."""
        with _faults_explained(timeout_s):
            response = await self._post(request, url, key, timeout_s)
            try:
                if response.status == 202:
                    response = await self._wait_for_answer(response, url, key, timeout_s)
                if response.status != 200:
                    body = await _read_at_most(response, _MAX_ERROR_BYTES)
                    log.warning("upstream answered HTTP %d for %s", response.status, request.model.id)
                    raise explain_refusal(response.status, body, request.model)
                yield response
                await _read_rest(response)
            finally:
                response.close()  # a body that was read to its end has already given its connection back

    async def fetch(self, url: str, key: str, timeout_s: int, limit_bytes: int) -> bytes:
        """The body at an address beside the chat requests; ProxyError where there is none, or it is longer."""
        headers = {"Accept": "application/json", "Connection": "close"}  # none stays open from one day to the next
        with _faults_explained(timeout_s):
            response = await self._request("GET", url, key, timeout_s, headers)
            async with response:
                if response.status != 200:
                    raise UpstreamFault(f"{url} answered HTTP {response.status}.")
                body = await _read_at_most(response, limit_bytes + 1)
        if len(body) > limit_bytes:
            raise UpstreamFault(f"{url} answered more than {limit_bytes} bytes.")
        return body

    async def _post(self, request: ChatRequest, url: str, key: str, timeout_s: int) -> aiohttp.ClientResponse:
        body = encode_body(request.body)
        accept = "text/event-stream" if request.is_stream else "application/json"
        headers = {
            "Content-Type": "application/json",
            "Content-Length": str(sum(map(len, body))),
            "Accept": accept,
        }
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
        self, accepted: aiohttp.ClientResponse, url: str, key: str, timeout_s: int
    ) -> aiohttp.ClientResponse:
        """The answer to a request that NVIDIA put aside: 202, and an id under which to ask for it."""
        request_id = accepted.headers.get("NVCF-REQID", "")
        accepted.close()
        if not _REQUEST_ID.fullmatch(request_id):
            raise UpstreamFault("NVIDIA took the request, but does not say where its answer will be.")
        address = urlsplit(url)._replace(path=f"/v2/nvcf/pexec/status/{request_id}", query="").geturl()
        ends_s = time.monotonic() + timeout_s
        while time.monotonic() < ends_s:
            await asyncio.sleep(self._patience.poll_pause_s)
            response = await self._request("GET", address, key, timeout_s, {"Accept": "application/json"})
            if response.status != 202:
                return response
            response.close()
        raise UpstreamTimeout(f"NVIDIA took the request, and has no answer after {timeout_s} s. Please try again.")

    async def _request(
        self, method: str, url: str, key: str, timeout_s: int, headers: Mapping[str, str], body: Any = None
    ) -> aiohttp.ClientResponse:
        # a loopback upstream is never behind the system's proxy
        session = self._sessions[not Address(urlsplit(url).hostname or "", 0).is_loopback]
        return await session.request(
            method,
            url,
            data=body,
            headers={"Authorization": f"Bearer {key}", **headers},
            allow_redirects=False,  # the key goes where the user said and nowhere else
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=_CONNECT_TIMEOUT_S, sock_read=timeout_s),
        )


async def _one_by_one(pieces: Iterable[bytes]) -> AsyncIterator[bytes]:
    """The pieces as aiohttp sends them, so that no step of sending handles all of a large body."""
    for piece in pieces:
        yield piece


async def read_answer(response: aiohttp.ClientResponse) -> bytes:
    """The whole body of an answer that is not streamed."""
    body = await _read_at_most(response, _MAX_ANSWER_BYTES + 1)
    if len(body) > _MAX_ANSWER_BYTES:
        raise UpstreamFault(f"NVIDIA's answer is larger than {_MAX_ANSWER_BYTES // 2**20} MB, which no chat answer is.")
    return body


async def _read_rest(response: aiohttp.ClientResponse) -> None:
    """Reads past the end mark of a stream: only a connection read to its end can serve the next request."""
    with suppress(aiohttp.ClientError, TimeoutError):
        async with asyncio.timeout(_REST_S):
            while await response.content.readany():
                pass


def _make_session(tls_context: ssl.SSLContext | None, *, trust_env: bool) -> aiohttp.ClientSession:
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(
            limit=0, keepalive_timeout=_KEEP_ALIVE_S, ttl_dns_cache=_DNS_CACHE_S, ssl=tls_context or True
        ),
        cookie_jar=aiohttp.DummyCookieJar(),
        headers={"User-Agent": f"{APP_ID}/{__version__}", "Accept-Encoding": "identity"},
        trust_env=trust_env,  # HTTPS_PROXY and NO_PROXY, as in the Go original
    )


async def _read_at_most(response: aiohttp.ClientResponse, limit_bytes: int) -> bytes:
    parts: list[bytes] = []
    room = limit_bytes
    # not `read(room)`: for that much, aiohttp unpacks a compressed body in one go
    while room > 0 and (part := await response.content.readany()):
        parts.append(part[:room])
        room -= len(part)
    return b"".join(parts)


@contextmanager
def _faults_explained(timeout_s: int) -> Iterator[None]:
    """Turns aiohttp's exceptions into ours: the one place that knows them."""
    try:
        yield
    except (aiohttp.ClientError, OSError) as error:  # OSError includes TimeoutError
        log.warning("upstream fault: %s: %s", type(error).__name__, error)
        raise _explain_fault(error, timeout_s) from error


def _explain_fault(error: Exception, timeout_s: int) -> ProxyError:
    match error:
        case aiohttp.ConnectionTimeoutError():
            return UpstreamFault("NVIDIA cannot be reached: connecting took too long. Check the internet connection.")
        case TimeoutError():
            return UpstreamTimeout(f"NVIDIA sent nothing for {timeout_s} s. Please try again.")
        case aiohttp.ClientConnectorDNSError():
            return UpstreamFault(
                f"NVIDIA cannot be reached: {error.host} was not found. Check the internet connection."
            )
        case aiohttp.ClientSSLError():
            return UpstreamFault("NVIDIA cannot be reached: its certificate could not be verified on this machine.")
        case aiohttp.ClientConnectorError():
            return UpstreamFault(
                f"NVIDIA cannot be reached: {error.host}:{error.port} does not answer. Check the internet connection."
            )
        case aiohttp.InvalidURL():
            return UpstreamFault('NVIDIA cannot be reached: "nvidia_url" in the settings is no usable address.')
    return UpstreamFault("The connection to NVIDIA broke off before the answer was complete. Please try again.")
