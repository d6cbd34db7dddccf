"""A real gateway on a free port, and a client that checks every answer it gets against the rules of Anthropic's API."""

from __future__ import annotations

import asyncio
import http.client
import json
import threading
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

import pytest

from tests.support.client import fold, read_events, story
from tests.support.fake_upstream import TIMEOUT_S
from tests.support.validators import check_body, check_error, check_stream
from tests.support.waiting import wait_for
from tray_app.history.record import RequestRecord
from tray_app.history.writer import HistoryWriter
from tray_app.proxy.exchange.gateway import Gateway
from tray_app.proxy.exchange.search import SearchBackend
from tray_app.proxy.server.routes import Page
from tray_app.proxy.service import ProxyService
from tray_app.proxy.upstream.timeouts import Timeouts
from tray_app.settings.config import GatewayConfig
from tray_app.settings.keys import Keys
from tray_app.settings.settings import Address, Settings
from tray_app.status.board import Status, StatusBoard
from tray_app.status.live import LiveRequest

T = TypeVar("T")

NVIDIA_KEY = "nvapi-key-of-the-tests"

AT_ONCE = Timeouts(retry_budget_s=0, error_pause_s=0)
"""No second attempt: what upstream says first is what the client gets."""

QUICK = Timeouts(first_pause_s=0.001, longest_pause_s=0.001, poll_pause_s=0.001, error_pause_s=0.001)
"""Second attempts for as long as it takes, with hardly a pause."""

both_ways = pytest.mark.parametrize("is_stream", [False, True], ids=["plain", "streamed"])
"""Runs a test for an answer in one piece and for a streamed one."""

WEATHER = {"name": "get_weather", "description": "Weather of a city", "input_schema": {"type": "object"}}


def question(prompt: str = "Hello", **fields: Any) -> dict[str, Any]:
    """A small request; keywords are further fields, or other values for these."""
    return {
        "model": "claude-sonnet-5",
        "max_tokens": 1000,
        "messages": [{"role": "user", "content": prompt}],
        **fields,
    }


@dataclass(frozen=True)
class Answer:
    """A complete answer, already checked."""

    status: int
    headers: Mapping[str, str]
    raw: bytes

    @property
    def body(self) -> Any:
        return json.loads(self.raw)

    @property
    def content(self) -> list[dict[str, Any]]:
        """The blocks of the message, streamed or not."""
        content: list[dict[str, Any]] = fold(self.raw).content if self.is_stream else self.body["content"]
        return content

    @property
    def text(self) -> str:
        """All that the assistant says."""
        return "".join(block["text"] for block in self.content if block["type"] == "text")

    @property
    def story(self) -> list[str]:
        return story(self.raw)

    @property
    def is_stream(self) -> bool:
        return self.headers.get("Content-Type", "").startswith("text/event-stream")

    @property
    def error(self) -> dict[str, Any]:
        """The `error` object, of an error answer or of the last event."""
        found: dict[str, Any] = read_events(self.raw)[-1]["error"] if self.is_stream else self.body["error"]
        return found

    @property
    def sentence(self) -> str:
        """What the user is told."""
        return str(self.error["message"])

    @property
    def outcome(self) -> tuple[int, str]:
        """Status and error type."""
        return self.status, self.error["type"]


class Stream:
    """An answer that is being read, event by event."""

    def __init__(self, connection: http.client.HTTPConnection, body: Mapping[str, Any]) -> None:
        self._connection = connection
        self._response = connection.getresponse()
        self._body = body
        self._raw = b""
        assert self._response.status == 200, self._response.read()

    @property
    def text(self) -> str:
        """What the assistant has said so far."""
        return fold(self._raw).texts("text")

    def read_until(self, kind: str) -> None:
        """Reads up to the end of the next event of a kind, and waits for as long as it does not come."""
        while self._read_event() != kind:
            pass

    def read_rest(self) -> Answer:
        """The whole answer, from its beginning to its end."""
        return _check(Answer(200, dict(self._response.headers), self._raw + self._response.read()), self._body)

    def read_end(self) -> None:
        """Returns when the answer is over; it must hold nothing more."""
        assert self._response.read() == b""

    def leave(self) -> None:
        """Closes the connection, whatever is still to come."""
        self._response.close()
        self._connection.close()

    def _read_event(self) -> str:
        name = line = self._response.readline()
        while line != b"\n":
            assert line, f"the stream ended after {self._raw!r}"
            self._raw += line
            line = self._response.readline()
        self._raw += line
        return name.decode().removeprefix("event: ").strip()


class Client:
    """Talks to a gateway; a connection for each request, unless it says otherwise."""

    def __init__(self, url: str) -> None:
        self.host = url.removeprefix("http://")

    def ask(self, body: Mapping[str, Any] | None = None, /, **headers: str) -> Answer:
        """The answer to a POST of /v1/messages; `x_api_key="..."` becomes a header."""
        return self.request("POST", "/v1/messages", question() if body is None else body, **headers)

    def request(self, method: str, path: str, body: Any = None, **headers: str) -> Answer:
        """The answer to any request; a body that is no bytes is sent as JSON."""
        with self._send(method, path, body, headers) as connection:
            response = connection.getresponse()
            return _check(Answer(response.status, dict(response.headers), response.read()), body, path, method)

    @contextmanager
    def stream(self, body: Mapping[str, Any] | None = None, **headers: str) -> Iterator[Stream]:
        """An answer to be read piece by piece."""
        body = {**(question() if body is None else body), "stream": True}
        with self._send("POST", "/v1/messages", body, headers) as connection:
            stream = Stream(connection, body)
            try:
                yield stream
            finally:
                stream.leave()

    @contextmanager
    def stream_later(self) -> Iterator[Future[Answer]]:
        """Asks for a stream in another thread; its answer is there after the `with`."""
        with ThreadPoolExecutor(1) as pool:
            yield pool.submit(self.ask, question(stream=True))

    @contextmanager
    def send_only(self, body: Mapping[str, Any]) -> Iterator[None]:
        """Sends a question and leaves, at the end of the `with`, without having looked at the answer."""
        with self._send("POST", "/v1/messages", body, {}):
            yield

    @contextmanager
    def _send(
        self, method: str, path: str, body: Any, headers: Mapping[str, str]
    ) -> Iterator[http.client.HTTPConnection]:
        connection = http.client.HTTPConnection(self.host, timeout=TIMEOUT_S)
        data = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
        try:
            connection.request(method, path, data, {name.replace("_", "-"): value for name, value in headers.items()})
            yield connection
        finally:
            connection.close()


class RunningGateway(Client):
    """A ProxyService with a board of its own."""

    def __init__(
        self,
        settings: Settings,
        keys: Keys,
        *,
        is_demo: bool = False,
        search_backend: SearchBackend | None = None,
        state_folder: Path | None = None,
        timeouts: Timeouts = AT_ONCE,
        poll_models_every_s: float | None = None,
        history: HistoryWriter | None = None,
        make_page: Callable[[], Page] | None = None,
    ) -> None:
        self.settings = settings
        self.keys = keys
        self.is_demo = is_demo
        self.board = StatusBoard()
        self._changed = threading.Condition()
        self.board.subscribe(self._notice)
        self.service = ProxyService(
            self.board,
            search_backend,
            state_folder=state_folder,
            timeouts=timeouts,
            poll_models_every_s=poll_models_every_s,
            history=history,
            make_page=make_page,
        )
        self.address: Address = self.service.start(GatewayConfig(settings, keys, is_demo))
        super().__init__(self.address.url)

    def configure(self, keys: Keys | None = None, **settings: Any) -> None:
        """Other settings, and other keys if there are any, from the next request on."""
        self.settings = replace(self.settings, **settings)
        self.service.configure(GatewayConfig(self.settings, keys or self.keys, self.is_demo))

    def stop(self, drain_s: float = 0) -> None:
        self.service.stop(drain_s)

    def inside(self, look: Callable[[Gateway], T]) -> T:
        """What `look` returns. It is called in the gateway's own thread."""
        run = self.service.running
        assert run is not None

        async def call() -> T:
            return look(run.gateway)

        return asyncio.run_coroutine_threadsafe(call(), run.loop).result(TIMEOUT_S)

    def wait_request(self, is_it: Callable[[LiveRequest], bool]) -> LiveRequest:
        """The newest running request, once this is true of it."""

        def look() -> LiveRequest | None:
            found = self.inside(Gateway.live)
            return found[-1] if found and is_it(found[-1]) else None

        return wait_for(look, "a request of which that is true")

    def wait_ended(self, count: int = 1) -> RequestRecord:
        """The record of the newest request that has ended, once so many have."""

        def look() -> RequestRecord | None:
            ended = self.inside(lambda gateway: gateway.recent.since(0))
            return ended[-1].record if len(ended) >= count else None

        return wait_for(look, f"{count} requests that have ended")

    def wait_active(self, count: int) -> None:
        """Returns once so many requests are being answered, and the board shows it, which it does a moment later."""
        running = self.service.running
        serving = running.gateway.serving if running else set()
        wait_for(
            lambda: len(serving) == self.board.status.active_requests == count, f"{count} active requests", TIMEOUT_S
        )

    def wait_status(self, is_it: Callable[[Status], bool]) -> None:
        """Returns once this is true of the status."""
        with self._changed:
            assert self._changed.wait_for(lambda: is_it(self.board.status), TIMEOUT_S), self.board.status

    def _notice(self, _: Status) -> None:
        with self._changed:
            self._changed.notify_all()


def _check(answer: Answer, body: Any, path: str = "/v1/messages", method: str = "POST") -> Answer:
    if method == "HEAD":
        return answer
    if answer.status >= 400:
        check_error(answer.body)
        assert answer.headers.get("request-id") == answer.body["request_id"]
        return answer
    if path.partition("?")[0] not in ("/v1/messages", "/v1/messages/count_tokens"):
        return answer
    body = {} if isinstance(body, bytes) else body
    tools = [tool["name"] for tool in body.get("tools") or ()]
    thinking = (body.get("thinking") or {}).get("type") in ("enabled", "adaptive")
    if answer.is_stream:
        check_stream(answer.raw, tools=tools, thinking=thinking)
    else:
        check_body(answer.body, tools=tools, thinking=thinking)
    return answer
