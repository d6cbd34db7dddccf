"""Which servers the way upstream trusts: by the system's own judgement, on a real TLS connection."""

from __future__ import annotations

import asyncio
import ssl

import pytest
import trustme
from aiohttp import web

from tray_app.desktop import find_desktop
from tray_app.errors import ProxyError
from tray_app.proxy.upstream import UpstreamClient


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


def fetch(authority: trustme.CA, context: ssl.SSLContext, host: str) -> bytes:
    """What a server says that shows the authority's certificate for 127.0.0.1."""

    async def answer(_: web.Request) -> web.Response:
        return web.Response(text="hello")

    async def run() -> bytes:
        app = web.Application()
        app.router.add_get("/", answer)
        runner = web.AppRunner(app)
        await runner.setup()
        served = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert("127.0.0.1").configure_cert(served)
        await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=served).start()
        client = UpstreamClient(tls_context=context)
        try:
            return await client.fetch(f"https://{host}:{runner.addresses[0][1]}/", "key", 20, 100)
        finally:
            await client.close()
            await runner.cleanup()

    return asyncio.run(run())


def test_an_authority_that_the_system_trusts_is_trusted(authority: trustme.CA) -> None:
    context = find_desktop({}).make_tls_context()
    with authority.cert_pem.tempfile() as path:
        context.load_verify_locations(path)  # in the place of what an administrator installed
    assert fetch(authority, context, "127.0.0.1") == b"hello"


def test_an_unknown_authority_gets_no_request(authority: trustme.CA) -> None:
    with pytest.raises(ProxyError, match="certificate"):
        fetch(authority, find_desktop({}).make_tls_context(), "127.0.0.1")


def test_a_certificate_for_another_host_gets_no_request(authority: trustme.CA) -> None:
    context = find_desktop({}).make_tls_context()
    with authority.cert_pem.tempfile() as path:
        context.load_verify_locations(path)
    with pytest.raises(ProxyError, match="certificate"):
        fetch(authority, context, "localhost")
