"""The TLS context is made for the first request that needs it, and once."""

from __future__ import annotations

import asyncio
import ssl

import pytest

from tests.support.fake_upstream import FakeUpstream, listing
from tray_app.errors import Unreachable
from tray_app.proxy.upstream.client import UpstreamClient
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
