"""aiohttp is imported without certificates, and only aiohttp is without them."""

from __future__ import annotations

import os
import ssl
import subprocess
import sys
import threading
from pathlib import Path

from tray_app.proxy.lean_aiohttp import _without_certificates

ROOT = Path(__file__).resolve().parents[2]
CERTIFICATES = ROOT / "tests" / "certificates"

ASK_TWICE = """
import asyncio, ssl, sys
from pathlib import Path

from tray_app.proxy.lean_aiohttp import import_aiohttp

import_aiohttp()
import aiohttp
from aiohttp import web

from tray_app.proxy.upstream.client import UpstreamClient


async def ask():
    served = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    served.load_cert_chain(Path(sys.argv[1], "server.pem"), Path(sys.argv[1], "server.key"))
    app = web.Application()
    app.router.add_get("/", lambda _: asyncio.sleep(0, web.Response(text="hello")))
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=served).start()
    url = f"https://localhost:{runner.addresses[0][1]}/"
    client = UpstreamClient()
    print((await client.fetch(url, "key", 20, 100)).decode())
    await client.close()
    async with aiohttp.ClientSession() as session:
        try:
            await session.get(url)
        except aiohttp.ClientConnectorCertificateError:
            print("refused")
    await runner.cleanup()


asyncio.run(ask())
"""


def count_certificates() -> int:
    return ssl.create_default_context().cert_store_stats()["x509"]


def test_the_gateway_trusts_the_system_and_aiohttp_by_itself_trusts_nobody() -> None:
    done = subprocess.run(
        [sys.executable, "-c", ASK_TWICE, str(CERTIFICATES)],
        cwd=ROOT,
        env={**os.environ, "SSL_CERT_FILE": str(CERTIFICATES / "authority.pem")},
        capture_output=True,
        text=True,
    )
    assert (done.stdout.split(), done.returncode) == (["hello", "refused"], 0), done.stderr


def test_only_the_importing_thread_reads_no_certificates_and_only_until_the_end() -> None:
    before, counts = count_certificates(), []
    with _without_certificates():
        other = threading.Thread(target=lambda: counts.append(count_certificates()))
        other.start()
        other.join()
        counts.append(count_certificates())
    assert [*counts, count_certificates()] == [before, 0, before]
    assert "set_default_verify_paths" not in vars(ssl.SSLContext), "it is that of the class above again"
