"""NVIDIA as public surveys describe it: a server that lists many models, of which few answer. To try it by hand:

    python -m tests.support.simulated_nvidia tests/support/nvidia_days/first_day.json --port 8123
    UPSTREAM_URL=http://127.0.0.1:8123/v1/chat/completions NVIDIA_API_KEY=nvapi-any python packaging/dev.py run

A change of the file counts from the next request on, so that another day can begin while the program runs.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import re
import threading
import uuid
from collections import Counter, deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from itertools import takewhile
from pathlib import Path
from types import TracebackType
from typing import Any

from aiohttp import web

from tests.support.chunks import ChunkJson, finish, text, think, usage, whole_call
from tests.support.fake_upstream import TIMEOUT_S, Gate
from tests.support.nvidia_catalogue import Catalogue, Offer, read_catalogue

_MINUTE_S, _DAY_S = 60.0, 86_400.0
_ORDER = re.compile(r"Call the tool (\w+) with (\{.*\})")
"""A prompt with these words has the model call the tool, if the model can."""


@dataclass(frozen=True)
class Refusal:
    """An error answer, in NVIDIA's words."""

    status: int
    body: dict[str, Any]


def _problem(status: int, title: str, detail: str) -> Refusal:
    return Refusal(status, {"type": "about:blank", "status": status, "title": title, "detail": detail})


def refuse(offer: Offer | None, key: str) -> Refusal | None:
    """Returns with what NVIDIA refuses every request for a model; None if it does not."""
    if offer is None or offer.conduct == "not served" or (offer.only_keys and key not in offer.only_keys):
        function = uuid.uuid5(uuid.NAMESPACE_URL, offer.id if offer else "")
        return _problem(404, "Not Found", f"Function '{function}': Not found for account 'simulated'")
    if offer.conduct == "retired":
        return _problem(
            410,
            "Gone",
            f"The model '{offer.id}' has reached its end of life on {offer.retired_on} and is no longer available.",
        )
    if offer.conduct == "forbidden":
        return _problem(403, "Forbidden", "Authorization failed")
    if offer.conduct == "busy":
        return _busy(offer)
    return None


def _busy(offer: Offer) -> Refusal:
    queue = f"{offer.waiting}/{offer.places}"
    return _problem(
        503, "Service Unavailable", f"ResourceExhausted: Worker local total request limit reached ({queue})"
    )


def compose(offer: Offer, body: dict[str, Any]) -> list[ChunkJson]:
    """Returns the chunks of an answer: a tool call if the prompt orders one, else a sentence that names the model.

    An answer ends early if `max_tokens` is used up by the thinking.
    """
    chunks = [think("So. ")] * min(offer.thinks_tokens, body["max_tokens"])
    if offer.thinks_tokens >= body["max_tokens"]:
        return [*chunks, finish("length"), usage(20, len(chunks))]
    content = body["messages"][-1].get("content")
    prompt = content if isinstance(content, str) else json.dumps(content)
    order = _ORDER.search(prompt)
    offered = {tool["function"]["name"] for tool in body.get("tools") or ()}
    if order and order[1] in offered and offer.calls_tools:
        return [*chunks, whole_call(order[1], json.loads(order[2])), finish("tool_calls"), usage(20, len(chunks) + 20)]
    return [*chunks, text(f"{offer.id} "), text("answers."), finish(), usage(20, len(chunks) + 4)]


@dataclass
class SimulatedNvidia:
    """The state of the simulated service: the day that is played, and the requests of each key to each model.

    `clock` gives seconds of any kind. `pace` is the factor for each time to the first token; 0: all comes at once.
    """

    catalogue: Catalogue
    clock: Callable[[], float]
    pace: float = 0.0
    asked: list[str] = field(default_factory=list)
    """The model of each chat request, in order."""
    refused: Counter[int] = field(default_factory=Counter)
    """How many chat requests were refused with each status."""
    list_requests: int = 0
    gates: dict[int, Gate] = field(default_factory=dict)
    """Each streamed answer waits at a gate in front of its chunk with this number, which counts from 0."""
    url: str = ""
    """The address of chat requests."""
    _starts: dict[tuple[str, str], deque[float]] = field(default_factory=dict)
    _luck: random.Random = field(default_factory=lambda: random.Random(1))

    def judge(self, key: str, model_id: str) -> Refusal | Offer:
        """Counts a chat request, and returns the model that answers it or the refusal."""
        self.asked.append(model_id)
        offer, result = self.catalogue.find(model_id), self._refuse_key(key)
        result = result or self._limit(key, model_id) or refuse(offer, key)
        if result is None and offer is not None and self._luck.random() < offer.busy_share:
            result = _busy(offer)
        if result is not None:
            self.refused[result.status] += 1
            return result
        assert offer is not None
        return offer

    def _refuse_key(self, key: str) -> Refusal | None:
        if key in self.catalogue.refused_keys:
            return _problem(401, "Unauthorized", "Authentication failed")
        if key in self.catalogue.keys_without_permission:
            return _problem(403, "Forbidden", "Authorization failed")
        return None

    def _limit(self, key: str, model_id: str) -> Refusal | None:
        now_s, starts = self.clock(), self._starts.setdefault((key, model_id), deque())
        while starts and starts[0] <= now_s - _DAY_S:
            starts.popleft()
        in_minute = sum(1 for _ in takewhile(lambda start_s: start_s > now_s - _MINUTE_S, reversed(starts)))
        if in_minute >= self.catalogue.requests_per_minute or len(starts) >= self.catalogue.requests_per_day:
            return Refusal(429, {"status": 429, "title": "Too Many Requests"})
        starts.append(now_s)
        return None

    async def list_models(self, request: web.Request) -> web.Response:
        self.list_requests += 1
        if (refusal := self._refuse_key(_read_key(request))) and refusal.status == 401:
            return web.json_response(refusal.body, status=401, content_type="application/problem+json")
        ids = [offer.id for offer in self.catalogue.models if offer.is_listed]
        return web.json_response({"object": "list", "data": [{"id": model_id, "object": "model"} for model_id in ids]})

    async def answer(self, request: web.Request) -> web.StreamResponse:
        body = await request.json()
        judged = self.judge(_read_key(request), body["model"])
        if isinstance(judged, Refusal):
            return web.json_response(judged.body, status=judged.status, content_type="application/problem+json")
        if judged.conduct == "hangs":
            await asyncio.Event().wait()  # until the client leaves, which cancels this handler
        await asyncio.sleep(judged.first_token_s * self.pace)
        chunks = compose(judged, body)
        if not body.get("stream"):
            return web.json_response(_join(chunks))
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        for number, chunk in enumerate(chunks):
            if gate := self.gates.get(number):
                await gate.pass_through()
            await response.write(b"data: " + json.dumps(chunk).encode() + b"\n\n")
        await response.write(b"data: [DONE]\n\n")
        return response


def _read_key(request: web.Request) -> str:
    return request.headers.get("Authorization", "").removeprefix("Bearer ")


def _join(chunks: list[ChunkJson]) -> dict[str, Any]:
    """Returns the same answer in one piece."""
    choices = [chunk["choices"][0] for chunk in chunks if chunk["choices"]]
    deltas = [choice["delta"] for choice in choices]
    message = {
        "role": "assistant",
        "content": "".join(delta.get("content", "") for delta in deltas) or None,
        "reasoning_content": "".join(delta.get("reasoning_content", "") for delta in deltas) or None,
        "tool_calls": [part for delta in deltas for part in delta.get("tool_calls", ())] or None,
    }
    reason = next(choice["finish_reason"] for choice in choices if choice["finish_reason"])
    choice = {"index": 0, "message": message, "finish_reason": reason}
    return {"object": "chat.completion", "choices": [choice], "usage": chunks[-1]["usage"]}


@asynccontextmanager
async def serve(nvidia: SimulatedNvidia, port: int = 0) -> AsyncIterator[SimulatedNvidia]:
    """Serves the simulation on a loopback port of the running event loop until the end of the `with`."""
    app = web.Application(client_max_size=2**30)
    app.router.add_get("/v1/models", nvidia.list_models)
    app.router.add_post("/v1/chat/completions", nvidia.answer)
    runner = web.AppRunner(app, access_log=None, handler_cancellation=True, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    nvidia.url = f"http://127.0.0.1:{runner.addresses[0][1]}/v1/chat/completions"
    try:
        yield nvidia
    finally:
        await runner.cleanup()


class NvidiaThread:
    """The simulation in a thread of its own, for tests that do not run in an event loop. Use it with `with`."""

    def __init__(self, catalogue: Catalogue, pace: float = 0.0) -> None:
        self._loop = asyncio.new_event_loop()
        self.nvidia = SimulatedNvidia(catalogue, self._loop.time, pace)
        self._end = asyncio.Event()
        self._started = threading.Event()
        self._thread = threading.Thread(target=self._run, name="simulated NVIDIA")

    def __enter__(self) -> SimulatedNvidia:
        self._thread.start()
        assert self._started.wait(TIMEOUT_S), "the simulated NVIDIA does not start"
        return self.nvidia

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        self._loop.call_soon_threadsafe(self._end.set)
        self._thread.join(TIMEOUT_S)
        self._loop.close()

    def _run(self) -> None:
        self._loop.run_until_complete(self._serve())

    async def _serve(self) -> None:
        async with serve(self.nvidia):
            self._started.set()
            await self._end.wait()


class FromFile(SimulatedNvidia):
    """Plays the day of a file, and reads the file again when it has changed."""

    def __init__(self, path: Path) -> None:
        super().__init__(read_catalogue(path), asyncio.get_running_loop().time, pace=1.0)
        self._path = path
        self._changed = path.stat().st_mtime_ns

    def judge(self, key: str, model_id: str) -> Refusal | Offer:
        self._read_again()
        judged = super().judge(key, model_id)
        print(f"{model_id}: {judged.status if isinstance(judged, Refusal) else judged.conduct}", flush=True)
        return judged

    async def list_models(self, request: web.Request) -> web.Response:
        self._read_again()
        return await super().list_models(request)

    def _read_again(self) -> None:
        if (changed := self._path.stat().st_mtime_ns) != self._changed:
            self.catalogue, self._changed = read_catalogue(self._path), changed


async def _serve_for_ever(path: Path, port: int) -> None:
    async with serve(nvidia := FromFile(path), port):
        print(f"UPSTREAM_URL={nvidia.url}", flush=True)
        await asyncio.Event().wait()


def main() -> None:
    parser = argparse.ArgumentParser(description="Plays NVIDIA's service on a loopback port.")
    parser.add_argument("catalogue", type=Path, help="the file of a day, such as tests/support/nvidia_days/*.json")
    parser.add_argument("--port", type=int, default=0, help="the port; 0, the default, is a free one")
    arguments = parser.parse_args()
    with suppress(KeyboardInterrupt):
        asyncio.run(_serve_for_ever(arguments.catalogue, arguments.port))


if __name__ == "__main__":
    main()
