"""Which servers the way upstream trusts: by the system's own judgement, on a real TLS connection.

tests/certificates/ holds an authority, whose key is thrown away, and a server that it vouches for as 127.0.0.1. Both
are for these tests alone, and valid for a hundred years.
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
from tray_app.proxy.upstream import UpstreamClient

CERTIFICATES = Path(__file__).resolve().parents[1] / "certificates"
AUTHORITY = CERTIFICATES / "authority.pem"


def fetch(context: ssl.SSLContext, host: str) -> bytes:
    """What a server says that shows a certificate for 127.0.0.1."""

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
        client = UpstreamClient(tls_context=context)
        try:
            return await client.fetch(f"https://{host}:{runner.addresses[0][1]}/", "key", 20, 100)
        finally:
            await client.close()
            await runner.cleanup()

    return asyncio.run(run())


def test_an_authority_that_the_system_trusts_is_trusted() -> None:
    context = find_desktop({}).make_tls_context()
    context.load_verify_locations(AUTHORITY)  # in the place of what an administrator installed
    assert fetch(context, "127.0.0.1") == b"hello"


def test_an_unknown_authority_gets_no_request() -> None:
    with pytest.raises(ProxyError, match="certificate"):
        fetch(find_desktop({}).make_tls_context(), "127.0.0.1")


def test_a_certificate_for_another_host_gets_no_request() -> None:
    context = find_desktop({}).make_tls_context()
    context.load_verify_locations(AUTHORITY)
    with pytest.raises(ProxyError, match="certificate"):
        fetch(context, "localhost")


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the system itself is asked")
@pytest.mark.parametrize("has_empty_folder", [False, True])
def test_an_openssl_of_another_distribution_finds_the_certificates(
    has_empty_folder: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own_folder = tmp_path / "own"  # that OpenSSL's, which is not where this system has them
    if has_empty_folder:
        own_folder.mkdir()
    monkeypatch.setenv("SSL_CERT_FILE", str(own_folder / "cert.pem"))
    monkeypatch.setenv("SSL_CERT_DIR", str(own_folder))
    monkeypatch.setattr("tray_app.desktop.linux._CERTIFICATES", ("/nonexistent", str(AUTHORITY)))
    assert fetch(find_desktop({}).make_tls_context(), "127.0.0.1") == b"hello"
