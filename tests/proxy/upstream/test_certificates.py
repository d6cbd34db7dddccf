"""Trust in upstream's certificate, which follows the system, on real TLS connections.

tests/certificates/ holds an authority, whose key is thrown away, and a server that it vouches for as localhost. Both
are for these tests alone, and valid for a hundred years. The server shows its authority, too: Wine 8 lets a chain pass
that does not come to an end.
"""

from __future__ import annotations

import asyncio
import ssl
import sys
from pathlib import Path

import pytest
from aiohttp import web

from tray_app.desktop import find_desktop
from tray_app.errors import ProxyError
from tray_app.proxy.upstream.client import UpstreamClient

CERTIFICATES = Path(__file__).resolve().parents[2] / "certificates"
AUTHORITY = CERTIFICATES / "authority.pem"


def fetch(context: ssl.SSLContext, host: str) -> bytes:
    """Returns the answer of a server that shows a certificate for localhost."""

    async def answer(_: web.Request) -> web.Response:
        return web.Response(text="hello")

    async def run() -> bytes:
        app = web.Application()
        app.router.add_get("/", answer)
        runner = web.AppRunner(app)
        await runner.setup()
        served = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        served.load_cert_chain(CERTIFICATES / "server.pem", CERTIFICATES / "server.key")
        await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=served).start()
        client = UpstreamClient(make_tls_context=lambda: context)
        try:
            return await client.fetch(f"https://{host}:{runner.addresses[0][1]}/", "key", 20, 100)
        finally:
            await client.close()
            await runner.cleanup()

    return asyncio.run(run())


@pytest.fixture
def trusting() -> ssl.SSLContext:
    """A context on a system whose administrator has installed the authority."""
    if sys.platform != "linux":
        pytest.skip("whom the system trusts is not for tests to change")
    context = find_desktop({}).make_tls_context()
    context.load_verify_locations(AUTHORITY)
    return context


def test_an_unknown_authority_gets_no_request() -> None:
    with pytest.raises(ProxyError, match="certificate"):
        fetch(find_desktop({}).make_tls_context(), "localhost")


def test_an_authority_that_the_system_trusts_is_trusted(trusting: ssl.SSLContext) -> None:
    assert fetch(trusting, "localhost") == b"hello"


def test_a_certificate_for_another_host_gets_no_request(trusting: ssl.SSLContext) -> None:
    with pytest.raises(ProxyError, match="certificate"):
        fetch(trusting, "127.0.0.1")


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the system itself is asked")
@pytest.mark.parametrize("has_empty_folder", [False, True])
def test_an_openssl_from_another_distribution_finds_the_certificates(
    has_empty_folder: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own_folder = tmp_path / "own"  # that OpenSSL's, which is not where this system has them
    if has_empty_folder:
        own_folder.mkdir()
    monkeypatch.setenv("SSL_CERT_FILE", str(own_folder / "cert.pem"))
    monkeypatch.setenv("SSL_CERT_DIR", str(own_folder))
    monkeypatch.setattr("tray_app.desktop.linux.desktop._CERTIFICATES", ("/nonexistent", str(AUTHORITY)))
    assert fetch(find_desktop({}).make_tls_context(), "localhost") == b"hello"
