"""A pass-through between two real parts that keeps what went by."""

from __future__ import annotations

import asyncio
import json
import re
import threading
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any, Self

import aiohttp
from aiohttp import web

_HOP_HEADERS = {"host", "content-length", "connection", "transfer-encoding", "keep-alive"}
_TIMEOUT_S = 20


@dataclass(frozen=True)
class Passage:
    """One request and what came back, whole."""

    path: str
    headers: dict[str, str]
    request: Any
    status: int
    content_type: str
    answer: bytes

    @property
    def chunks(self) -> list[Any]:
        """What a streamed answer of upstream carries, `[DONE]` left out."""
        lines = self.answer.decode().split("\n")
        return [json.loads(line.removeprefix("data: ")) for line in lines if line.startswith("data: {")]


class Recorder:
    """Forwards each request to the base URL that `choose` names for its JSON body; streams pass as they come.

    `watch` is told each part of an answer once it is on its way to the client.
    """

    def __init__(self, choose: Callable[[Any], str], watch: Callable[[bytes], None] = lambda _: None) -> None:
        self._choose = choose
        self._watch = watch
        self._passages: list[Passage | None] = []  # None: still under way, or broken off
        self._under_way = 0
        self._changed = threading.Condition()  # guards the two, which the loop's thread changes
        self.url = ""
        self._loop = asyncio.new_event_loop()
        self._end: asyncio.Event | None = None
        self._thread = threading.Thread(target=self._loop.run_until_complete, args=(self._serve(),), name="recorder")
        self._supervisor: Future[str] = Future()

    def __enter__(self) -> Self:
        self._thread.start()
        self.url = self._supervisor.result(10)
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._stop)
        self._thread.join()
        self._loop.close()

    @property
    def passages(self) -> tuple[Passage, ...]:
        """What passed, in the order of the requests; what is under way is waited for."""
        with self._changed:
            assert self._changed.wait_for(lambda: not self._under_way, _TIMEOUT_S), "a request hangs"
            return tuple(passage for passage in self._passages if passage)

    def _stop(self) -> None:
        assert self._end is not None
        self._end.set()

    async def _serve(self) -> None:
        self._end = asyncio.Event()
        app = web.Application(client_max_size=64 * 1024 * 1024)
        app.router.add_route("*", "/{path:.*}", self._record)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.5)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        self._supervisor.set_result(f"http://127.0.0.1:{runner.addresses[0][1]}")
        await self._end.wait()
        await runner.cleanup()

    async def _record(self, request: web.Request) -> web.StreamResponse:
        with self._changed:
            place = len(self._passages)
            self._passages.append(None)
            self._under_way += 1
        try:
            response, passage = await self._forward(request)
            with self._changed:
                self._passages[place] = passage
            return response
        finally:
            with self._changed:
                self._under_way -= 1
                self._changed.notify_all()

    async def _forward(
        self, request: web.Request, cut: re.Pattern[bytes] | None = None
    ) -> tuple[web.StreamResponse, Passage]:
        """`cut`: the answer breaks off behind what it matches."""
        data = await request.read()
        body = json.loads(data) if data else None
        headers = {name: value for name, value in request.headers.items() if name.lower() not in _HOP_HEADERS}
        timeout = aiohttp.ClientTimeout(total=None, sock_read=170)
        async with (
            aiohttp.ClientSession(auto_decompress=False) as session,
            session.request(
                request.method, self._choose(body) + request.path_qs, data=data, headers=headers, timeout=timeout
            ) as reply,
        ):
            back = {name: value for name, value in reply.headers.items() if name.lower() not in _HOP_HEADERS}
            response = web.StreamResponse(status=reply.status, headers=back)
            await response.prepare(request)
            answer = b""
            async for part in reply.content.iter_any():
                place = cut.search(answer + part) if cut else None
                sent = part[: place.end() - len(answer)] if place else part
                answer += sent
                await response.write(sent)
                self._watch(sent)
                if place and request.transport:
                    request.transport.close()
                    break
        return response, Passage(request.path, dict(request.headers), body, reply.status, reply.content_type, answer)
