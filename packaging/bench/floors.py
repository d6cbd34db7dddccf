"""Two programs that pass bytes through and do nothing else: no gateway on the same library can cost less.

usage: python packaging/bench/floors.py aiohttp|asyncio

They listen on ADDR and pass requests on to UPSTREAM_URL, as `dev.py bench --beside` names them in the environment:
`aiohttp` with the server and the client of aiohttp, and `asyncio` connection by connection, without reading HTTP.
"""

from __future__ import annotations

import asyncio
import os
import sys
from urllib.parse import urlsplit

from aiohttp import ClientSession, web

UPSTREAM_URL = os.environ["UPSTREAM_URL"]
HOST, _, PORT = os.environ["ADDR"].rpartition(":")
MOST_BODY_BYTES = 64 * 1024 * 1024


class ToClient(asyncio.Protocol):
    """The connection of a client. What comes before there is one to upstream is held."""

    def __init__(self) -> None:
        self.transport: asyncio.Transport
        self._upstream: asyncio.Transport | None = None
        self._held: list[bytes] = []
        self._connecting: asyncio.Task[None]

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        self._connecting = asyncio.create_task(self._connect())

    def data_received(self, data: bytes) -> None:
        if self._upstream is None:
            self._held.append(data)
        else:
            self._upstream.write(data)

    def connection_lost(self, _: Exception | None) -> None:
        self._connecting.cancel()
        if self._upstream is not None:
            self._upstream.close()

    async def _connect(self) -> None:
        address = urlsplit(UPSTREAM_URL)
        assert address.hostname
        assert address.port
        self._upstream, _ = await asyncio.get_running_loop().create_connection(
            lambda: ToUpstream(self), address.hostname, address.port
        )
        self._upstream.writelines(self._held)


class ToUpstream(asyncio.Protocol):
    """The connection to upstream that belongs to one client."""

    def __init__(self, client: ToClient) -> None:
        self._client = client

    def data_received(self, data: bytes) -> None:
        self._client.transport.write(data)

    def connection_lost(self, _: Exception | None) -> None:
        self._client.transport.close()


async def pass_connections() -> None:
    server = await asyncio.get_running_loop().create_server(ToClient, HOST, int(PORT))
    await server.serve_forever()


async def pass_requests() -> None:
    async with ClientSession(auto_decompress=False) as session:

        async def answer(request: web.Request) -> web.StreamResponse:
            body = await request.read()
            async with session.post(UPSTREAM_URL, data=body, headers={"Content-Type": "application/json"}) as upstream:
                response = web.StreamResponse(headers={"Content-Type": upstream.content_type})
                response.content_length = upstream.content_length
                await response.prepare(request)
                while data := await upstream.content.readany():
                    await response.write(data)
                await response.write_eof()
                return response

        app = web.Application(client_max_size=MOST_BODY_BYTES)
        app.router.add_post("/{path:.*}", answer)
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        await web.TCPSite(runner, HOST, int(PORT)).start()
        await asyncio.Event().wait()


if __name__ == "__main__":
    if sys.argv[1:] not in (["aiohttp"], ["asyncio"]):
        sys.exit(__doc__)
    asyncio.run(pass_requests() if sys.argv[1] == "aiohttp" else pass_connections())
