"""The TLS context is made for the first request that needs it, and once."""

from __future__ import annotations

import asyncio
import ssl

import pytest
from aiohttp import web

from tests.support.fake_upstream import FakeUpstream, listing
from tray_app.errors import Unreachable
from tray_app.proxy.upstream.client import UpstreamClient
from tray_app.proxy.upstream.session import send
from tray_app.proxy.upstream.tls import TlsContext


class Maker:
    """Makes contexts, and counts them. As long as there is an error, it raises that instead."""

    def __init__(self, error: OSError | None = None) -> None:
        self.error = error
        self.count = 0

    def __call__(self) -> ssl.SSLContext:
        self.count += 1
        if self.error is not None:
            raise self.error
        return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


def test_requests_at_the_same_time_get_the_same_context() -> None:
    maker = Maker()

    async def get() -> list[ssl.SSLContext]:
        tls = TlsContext(maker)
        return [*await asyncio.gather(tls.get(), tls.get()), await tls.get()]

    assert len(set(asyncio.run(get()))) == maker.count == 1


def test_certificates_that_cannot_be_read_are_named_and_tried_again() -> None:
    maker = Maker(PermissionError(13, "Permission denied"))

    async def get() -> ssl.SSLContext:
        tls = TlsContext(maker)
        with pytest.raises(Unreachable, match=r"the certificates of this system cannot be read \(Permission denied\)"):
            await tls.get()
        maker.error = None
        return await tls.get()

    assert isinstance(asyncio.run(get()), ssl.SSLContext)
    assert maker.count == 2


def test_an_upstream_without_tls_needs_no_context(upstream: FakeUpstream) -> None:
    maker = Maker()

    async def fetch() -> None:
        client = UpstreamClient(make_tls_context=maker)
        try:
            await client.fetch(upstream.url.replace("/chat/completions", "/models"), "key", 20, 10_000)
        finally:
            await client.close()

    upstream.model_list = listing("z-ai/glm4.7")
    asyncio.run(fetch())
    assert maker.count == 0


def test_the_connection_that_brought_the_list_serves_the_first_request() -> None:
    """So the first request waits for no name server and no handshake."""
    connections = set()

    async def answer(request: web.Request) -> web.Response:
        await request.read()
        assert request.transport is not None
        connections.add(request.transport.get_extra_info("peername"))
        return web.Response(text="hello")

    async def ask() -> str:
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", answer)
        runner = web.AppRunner(app)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        client = UpstreamClient()
        try:
            await client.fetch(f"{url}/v1/models", "key", 20, 100)
            response = await send(client.session, "POST", f"{url}/v1/chat/completions", "key", 20, {}, b"{}")
            return await response.text()
        finally:
            await client.close()
            await runner.cleanup()

    assert asyncio.run(ask()) == "hello"
    assert len(connections) == 1
