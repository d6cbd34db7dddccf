"""A server in NVIDIA's place: real HTTP on loopback, each answer scripted by the test, each request kept and checked.

upstream.script(stream(text("Hel"), gate := Gate(), text("lo"), finish()))
"""

from __future__ import annotations

import asyncio
import json
import threading
import weakref
from collections import deque
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

from aiohttp import web

from tests.support.chunks import ChunkJson, completion, finish, text
from tests.support.validators import check_chat_request
from tray_app.proxy.models.probe import PROBE_TOOL

_PROBE = f'"{PROBE_TOOL}"'.encode()
TIMEOUT_S = 20
"""For what must happen; a test that waits this long has failed."""


class Gate:
    """A place in an answer where the server waits until the test opens it."""

    def __init__(self) -> None:
        self._reached = threading.Event()
        self._opened: Future[None] = Future()

    def wait_reached(self) -> None:
        """Returns when all before the gate is on its way to the client."""
        assert self._reached.wait(TIMEOUT_S), "the upstream never got to the gate"

    def open(self) -> None:
        if not self._opened.done():
            self._opened.set_result(None)

    async def pass_through(self) -> None:
        self._reached.set()
        await asyncio.shield(asyncio.wrap_future(self._opened))


class Cut:
    """A place where the server breaks the connection."""


CUT = Cut()


@dataclass(frozen=True)
class Endless:
    """The same bytes again and again, for as long as anybody takes them."""

    data: bytes


@dataclass(frozen=True)
class Rest:
    """Nothing comes for so long. For soaks only: tests wait for what happens."""

    seconds: float


Step = bytes | Gate | Cut | Endless | Rest


@dataclass(frozen=True)
class Reply:
    """One scripted answer. `steps` make the body; a gate in `before` holds the headers back."""

    steps: tuple[Step, ...] = ()
    status: int = 200
    content_type: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict)
    before: Gate | None = None
    hangs_up: bool = False
    """Closes the connection without a byte of an answer."""


HANG_UP = Reply(hangs_up=True)


def stream(*parts: ChunkJson | Step, before: Gate | None = None, ends: bool = True) -> Reply:
    """An answer as events: a dict is a chunk, bytes go out as they are. `ends`: with the mark that ends a stream."""
    steps = [event(part) if isinstance(part, dict) else part for part in parts]
    if ends:
        steps.append(b"data: [DONE]\n\n")
    return Reply(tuple(steps), content_type="text/event-stream", before=before)


def whole(completion: Any, *, before: Gate | None = None) -> Reply:
    """An answer in one piece."""
    return Reply((json.dumps(completion).encode(),), before=before)


def refusal(status: int, body: str | bytes | dict[str, Any] = b"", content_type: str = "", **headers: str) -> Reply:
    """An error answer; a dict is sent as JSON."""
    if isinstance(body, dict):
        body, content_type = json.dumps(body), content_type or "application/problem+json"
    data = body.encode() if isinstance(body, str) else body
    return Reply((data,), status, content_type or "text/plain", {k.replace("_", "-"): v for k, v in headers.items()})


def listing(*ids: str) -> Reply:
    """A list of models."""
    return whole({"object": "list", "data": [{"id": model_id, "object": "model"} for model_id in ids]})


def event(payload: Any) -> bytes:
    return b"data: " + json.dumps(payload).encode() + b"\n\n"


def hello(*, is_stream: bool) -> Reply:
    """A complete answer, "Hello!", either way."""
    return stream(text("Hello!"), finish()) if is_stream else whole(completion("Hello!"))


@dataclass
class Received:
    """One request that arrived, and whether its sender went away before the answer was complete."""

    target: str
    headers: Mapping[str, str]
    body: dict[str, Any]
    sender: object
    """The connection it came by."""
    _left: threading.Event = field(default_factory=threading.Event)

    def wait_left(self) -> None:
        assert self._left.wait(TIMEOUT_S), "the connection was never closed"

    def mark_left(self) -> None:
        self._left.set()


class FakeUpstream:
    """The running server. Leaving the `with` raises what was wrong with any request, or left over of the script."""

    def __init__(self) -> None:
        self.received: list[Received] = []
        self.default: Callable[[dict[str, Any]], Reply] | None = None
        """Answers what the script has no reply for."""
        self.model_list = refusal(404)
        """The answer to every GET of the list of models; no part of the script."""
        self.list_requests: list[Mapping[str, str]] = []  # the headers of each
        self.takes_probes = False
        """Tells whether a probe, with which the gateway finds out about a model, is a part of the script. If not, it is
        told that the server is busy, and leaves no trace."""
        self._replies: deque[Reply] = deque()
        self._faults: list[BaseException] = []
        self._arrived = threading.Condition()
        self._connections: weakref.WeakSet[asyncio.Transport] = weakref.WeakSet()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="fake upstream")
        self._port = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}/v1/chat/completions"

    @property
    def port(self) -> int:
        return self._port

    def script(self, *replies: Reply) -> None:
        """The replies to the next requests, in order."""
        self._replies.extend(replies)

    def wait_received(self, count: int = 1) -> Received:
        """The newest request, once there are `count` of them."""
        with self._arrived:
            assert self._arrived.wait_for(lambda: len(self.received) >= count, TIMEOUT_S), "no request came"
            return self.received[-1]

    def wait_listed(self, count: int = 1) -> Mapping[str, str]:
        """The headers of the newest request for the list of models, once there are `count` of them."""
        with self._arrived:
            assert self._arrived.wait_for(lambda: len(self.list_requests) >= count, TIMEOUT_S), "no request came"
            return self.list_requests[-1]

    def close_connections(self) -> None:
        """Closes every connection, as a server does with those that were idle for long."""

        async def close() -> None:
            for transport in self._connections:
                transport.close()
            self._connections.clear()

        asyncio.run_coroutine_threadsafe(close(), self._loop).result(TIMEOUT_S)

    def check(self, *, is_complete: bool = True) -> None:
        """Raises what was wrong with any request, or left over of a script that is complete; then forgets it."""
        faults, left_over = list(self._faults), list(self._replies)
        self._faults.clear()
        self._replies.clear()
        if faults:
            raise faults[0]
        assert not (left_over and is_complete), f"never asked for: {left_over}"

    def __enter__(self) -> Self:
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._start(), self._loop).result(TIMEOUT_S)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        asyncio.run_coroutine_threadsafe(self._stop(), self._loop).result(TIMEOUT_S)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(TIMEOUT_S)
        self._loop.close()
        self.check(is_complete=error is None)

    async def _start(self) -> None:
        app = web.Application(client_max_size=2**30)
        app.router.add_get("/v1/models", self._list_models)
        app.router.add_route("*", "/{path:.*}", self._answer)
        self._runner = web.AppRunner(app, access_log=None, handler_cancellation=True, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self._port = self._runner.addresses[0][1]

    async def _stop(self) -> None:
        await self._runner.cleanup()
        await asyncio.sleep(0)  # the loop's turn to close the sockets

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        if not self.takes_probes and _PROBE in await request.read():
            return web.json_response({"error": "busy"}, status=503)
        try:
            received = await self._receive(request)
            reply = self._replies.popleft() if self._replies else self._improvise(received)
        except BaseException as error:  # noqa: BLE001 (also pytest's own failures)
            self._faults.append(error)
            return web.json_response({"error": "the fake upstream refuses this request"}, status=400)
        try:
            return await self._play(reply, request)
        except (asyncio.CancelledError, ConnectionError):
            received.mark_left()
            raise

    async def _list_models(self, request: web.Request) -> web.StreamResponse:
        reply = self.model_list
        with self._arrived:
            self.list_requests.append(request.headers.copy())
            self._arrived.notify_all()
        return await self._play(reply, request)

    async def _receive(self, request: web.Request) -> Received:
        assert request.transport is not None
        self._connections.add(request.transport)
        data = await request.read()
        body = json.loads(data) if request.method == "POST" else {}
        received = Received(str(request.rel_url), request.headers.copy(), body, request.transport)
        with self._arrived:
            self.received.append(received)
            self._arrived.notify_all()
        if request.method != "POST":
            return received
        family = "minimax" if "minimax" in received.body["model"] else "glm"
        check_chat_request(received.body, family=family)
        return received

    def _improvise(self, received: Received) -> Reply:
        assert self.default is not None, f"a request that no reply is scripted for: {received.target}"
        return self.default(received.body)

    async def _play(self, reply: Reply, request: web.Request) -> web.StreamResponse:
        assert request.transport is not None
        if reply.before is not None:
            await reply.before.pass_through()
        response = web.StreamResponse(
            status=reply.status, headers={"Content-Type": reply.content_type, **reply.headers}
        )
        if reply.hangs_up:
            request.transport.close()
            return response
        await response.prepare(request)
        for step in reply.steps:
            if isinstance(step, bytes):
                await response.write(step)
            elif isinstance(step, Gate):
                await step.pass_through()
            elif isinstance(step, Endless):
                while True:
                    await response.write(step.data)
            elif isinstance(step, Rest):
                await asyncio.sleep(step.seconds)
            else:
                request.transport.close()
                return response
        await response.write_eof()
        return response
