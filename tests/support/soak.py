"""Agents at work for long against an upstream that fails in every way, on loopback:

    python -m tests.support.soak [MINUTES]

Every time that the gateway, the agents and the upstream go by is 120 times shorter, so that one minute stands for two
hours: the 40 requests a minute come within half a second, a tool runs for 50 ms. Every tenth answer of upstream is
broken in one of the ways below, and some clients leave in the middle. Each answer must be the one that upstream meant,
or say that it is not; what the gateway holds must not grow. Exits with 1 if that is not so.
"""

from __future__ import annotations

import gc
import json
import random
import statistics
import sys
import threading
import time
import tracemalloc
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

import pytest

from tests.support.chunks import ChunkJson, completion, finish, text, think, usage, whole_call
from tests.support.fake_upstream import CUT, HANG_UP, FakeUpstream, Gate, Reply, Rest, Step, refusal, stream, whole
from tests.support.gateway import NVIDIA_KEY, RunningGateway, question
from tests.support.leftovers import holdings, wait_until_nothing_is_held
from tray_app.proxy.upstream import pacing, window
from tray_app.proxy.upstream.timeouts import TIMEOUTS, Timeouts
from tray_app.settings.keys import Keys
from tray_app.settings.settings import Address, Settings

SHORTER = 120
AGENTS = 8
TURNS = 6
"""Of one conversation."""
FAULT_SHARE = 0.1
LEAVING_SHARE = 0.02
_ATTEMPTS = 11
"""Claude Code's, for one turn."""
_ANSWERS_S = 120
"""For a few answers on a machine that is busy with other things."""
_SAMPLES = 30
_GROWTH_BYTES = 256 * 1024
"""Less is no growth: caches fill, buffers come and go."""

TOOLS = [
    {"name": name, "description": name, "input_schema": {"type": "object", "properties": {"city": {"type": "string"}}}}
    for name in ("get_weather", "list_cities")
]
RESULT = "result of "


@dataclass(frozen=True)
class Meant:
    """What upstream means to answer to one turn."""

    said: str
    calls: tuple[tuple[str, dict[str, Any]], ...]


def meant(turn: str) -> Meant:
    luck = random.Random(turn)
    cities = [luck.choice(["Rome", "Oslo", "S\u00e3o Paulo", "\u6771\u4eac"]) for _ in range(luck.randint(0, 2))]
    calls = [("get_weather", {"city": city}) for city in cities] or [("list_cities", {})] * luck.randint(0, 1)
    return Meant(f"About {turn}: " + "word " * luck.randint(1, 40), tuple(calls))


class Upstream:
    """Answers as it means to, and every now and then something else."""

    def __init__(self) -> None:
        self.faults: Counter[str] = Counter()
        self.requests = 0
        self.empty_turns: set[str] = set()
        """Those to which it has answered with nothing, and so perhaps the gateway."""
        self._server = FakeUpstream()
        self._attempts: dict[str, tuple[str, int]] = {}  # of each agent's newest turn

    @contextmanager
    def running(self) -> Iterator[str]:
        """Its URL."""
        self._server.default = self._answer
        with self._server:
            yield self._server.url

    def _answer(self, body: dict[str, Any]) -> Reply:
        target = self._server.received.pop().target  # kept, they would fill the memory
        if not body:  # a look for what was put aside
            return self._whole(target.rpartition("/")[2])
        turn = str(body["messages"][-1]["content"]).removeprefix(RESULT)
        agent = turn.rpartition("-")[0]
        before, attempt = self._attempts.get(agent, ("", 0))
        attempt = attempt + 1 if before == turn else 1
        self._attempts[agent] = turn, attempt
        is_stream = bool(body.get("stream"))
        luck = random.Random(f"{turn} {attempt}")
        self.requests += 1
        right = self._stream(turn, luck) if is_stream else self._whole(turn)
        if luck.random() > FAULT_SHARE:
            return right
        kind = luck.choice([*FAULTS, "put aside"])
        self.faults[kind] += 1
        if kind in ("empty", "vanished calls"):
            self.empty_turns.add(turn)
        if kind == "put aside":
            return refusal(202, NVCF_REQID=turn)
        return FAULTS[kind](right, luck)

    def _stream(self, turn: str, luck: random.Random) -> Reply:
        answer = meant(turn)
        parts: list[ChunkJson] = [think("Hm. "), think("Well."), text(answer.said[:9]), text(answer.said[9:])]
        parts += [whole_call(name, arguments, f"c{n}", n) for n, (name, arguments) in enumerate(answer.calls)]
        parts += [finish("tool_calls" if answer.calls else "stop"), usage(100, 50)]
        rests = [Rest(luck.uniform(0.1, 2) / SHORTER) for _ in parts]
        return stream(*(step for pair in zip(rests, parts, strict=True) for step in pair))

    def _whole(self, turn: str) -> Reply:
        answer = meant(turn)
        calls = [
            {"id": f"c{n}", "type": "function", "function": {"name": name, "arguments": json.dumps(arguments)}}
            for n, (name, arguments) in enumerate(answer.calls)
        ]
        reason = "tool_calls" if calls else "stop"
        return whole(completion(answer.said, reason, reasoning_content="Hm. Well.", tool_calls=calls))


def _cut(right: Reply, luck: random.Random) -> Reply:
    data = b"".join(step for step in right.steps if isinstance(step, bytes))
    end: tuple[()] | tuple[Any] = (CUT,) if luck.random() < 0.5 else ()
    return Reply((data[: luck.randrange(len(data))], *end), content_type=right.content_type)


def _is_stream(reply: Reply) -> bool:
    return reply.content_type == "text/event-stream"


_COMMENTS: tuple[Step, ...] = (Rest(0.1), b": keep-alive\n\n") * 60

FAULTS: dict[str, Callable[[Reply, random.Random], Reply]] = {
    "429": lambda *_: refusal(429, {"status": 429, "title": "Too Many Requests"}),
    "500": lambda *_: refusal(500, {"error": {"message": "Internal"}}),
    "502 web page": lambda *_: refusal(502, "<html>Bad Gateway</html>", "text/html"),
    "503": lambda *_: refusal(503),
    "degraded": lambda *_: refusal(400, {"detail": "Function id 'abc': DEGRADED function cannot be invoked"}),
    "error under 200": lambda *_: whole({"error": {"message": "Engine died", "code": 500}}),
    "hang up": lambda *_: HANG_UP,
    "cut": _cut,
    "no answer": lambda *_: whole({}, before=Gate()),
    "falls silent": lambda right, _: Reply((*right.steps[:6], Gate()), content_type=right.content_type),
    "comments for ever": lambda *_: stream(text("Hel"), *_COMMENTS),
    "malformed": lambda right, _: Reply((*right.steps[:6], b"data: {\n\n"), content_type=right.content_type),
    "web page": lambda *_: refusal(200, "<html>Sign in</html>", "text/html"),
    "empty": lambda right, _: stream(finish()) if _is_stream(right) else whole(completion("")),
    "vanished calls": lambda right, _: (
        stream(finish("tool_calls")) if _is_stream(right) else whole(completion(None, "tool_calls"))
    ),
}


@dataclass
class Tally:
    """What the agents saw."""

    answers: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    longest_s: float = 0
    _changed: threading.Condition = field(default_factory=threading.Condition)

    def note(self, outcome: str, began_s: float) -> None:
        with self._changed:
            self.answers[outcome] += 1
            self.longest_s = max(self.longest_s, time.monotonic() - began_s)
            self._changed.notify_all()

    def wait_right(self, count: int) -> None:
        """Returns once so many answers were right."""
        with self._changed:
            assert self._changed.wait_for(lambda: self.answers["right"] >= count, _ANSWERS_S), self.answers


class Agent(threading.Thread):
    """Conversation after conversation, each turn asked again until it has its answer."""

    def __init__(self, number: int, gateway: RunningGateway, upstream: Upstream, tally: Tally) -> None:
        super().__init__(name=f"agent {number}")
        self._number, self._gateway, self._upstream, self._tally = number, gateway, upstream, tally
        self._luck = random.Random(number)
        self._turns = 0
        self.is_over = threading.Event()

    def run(self) -> None:
        try:
            while not self.is_over.is_set():
                self._converse()
        except Exception as error:  # noqa: BLE001 (whatever it is, the tally tells it)
            self._tally.wrong.append(f"{self.name}: {type(error).__name__}: {error}")

    def _converse(self) -> None:
        messages: list[dict[str, Any]] = []
        calls: list[dict[str, Any]] = []
        for _ in range(TURNS):
            if self.is_over.is_set():
                return
            self._turns += 1
            turn = f"turn-{self._number}-{self._turns}"
            results = [{"type": "tool_result", "tool_use_id": one["id"], "content": RESULT + turn} for one in calls]
            messages.append({"role": "user", "content": results or turn})
            content = self._take_turn(turn, messages)
            if content is None:
                return
            messages.append({"role": "assistant", "content": content})
            calls = [block for block in content if block["type"] == "tool_use"]
            self.is_over.wait(self._luck.uniform(2, 9) / SHORTER)

    def _take_turn(self, turn: str, messages: list[dict[str, Any]]) -> list[dict[str, Any]] | None:
        body = question(tools=TOOLS, messages=messages, stream=self._luck.random() < 0.75)
        for attempt in range(_ATTEMPTS):
            if self._luck.random() < LEAVING_SHARE:
                with self._gateway.send_only(body):
                    self.is_over.wait(self._luck.uniform(0, 5) / SHORTER)
                self._tally.note("client left", time.monotonic())
            began_s = time.monotonic()
            answer = self._gateway.ask(body)
            if answer.status >= 400 or (answer.is_stream and answer.story[-1].startswith("error")):
                self._tally.note(f"{answer.status} {answer.error['type']}", began_s)
            elif not answer.content and turn in self._upstream.empty_turns:
                self._tally.note("empty, as upstream's two answers", began_s)
            else:
                self._judge(turn, answer.content, began_s)
                return answer.content
            self.is_over.wait(min(0.5 * 2**attempt, 32) / SHORTER)
        self._tally.note("turn given up", time.monotonic())
        return None

    def _judge(self, turn: str, content: list[dict[str, Any]], began_s: float) -> None:
        right = meant(turn)
        said = "".join(block["text"] for block in content if block["type"] == "text")
        calls = tuple((block["name"], block["input"]) for block in content if block["type"] == "tool_use")
        if (said, calls) == (right.said, right.calls):
            self._tally.note("right", began_s)
        else:
            self._tally.wrong.append(f"{turn}: {said!r} {calls} instead of {right}")


@dataclass(frozen=True)
class Sample:
    """What is held while the agents work."""

    memory_bytes: int
    sockets: int
    tasks: int


@dataclass(frozen=True)
class Report:
    """All that is to be said of one soak."""

    upstream: Upstream
    tally: Tally
    samples: list[Sample]
    seconds: float

    @property
    def faults(self) -> list[str]:
        """What must not be."""
        found = list(self.tally.wrong)
        for name, allowed in (("memory_bytes", _GROWTH_BYTES), ("sockets", 4), ("tasks", 2)):
            first, last = self._thirds(name)
            if last > first + allowed:
                found.append(f"{name} grew from {first:.0f} to {last:.0f}")
        return found

    def print(self) -> None:
        rows = [
            ("stands for", f"{self.seconds * SHORTER / 3600:.1f} h of {AGENTS} agents"),
            ("requests upstream", str(self.upstream.requests)),
            ("faults of upstream", str(self.upstream.faults.total())),
            *((f"- {name}", str(count)) for name, count in sorted(self.upstream.faults.items())),
            *((f"client: {name}", str(count)) for name, count in self.tally.answers.most_common()),
            ("client: wrong answers", str(len(self.tally.wrong))),
            (
                "longest wait of a client",
                f"{self.tally.longest_s:.2f} s (x {SHORTER}: {self.tally.longest_s * SHORTER:.0f} s)",
            ),
        ]
        for name, unit, label in (
            ("memory_bytes", 1024, "memory, KiB"),
            ("sockets", 1, "sockets"),
            ("tasks", 1, "tasks"),
        ):
            first, last = self._thirds(name)
            rows.append((f"{label}: first third, last third", f"{first / unit:.0f}, {last / unit:.0f}"))
        print("| what | figure |\n|---|---|")
        for name, figure in rows:
            print(f"| {name} | {figure} |")

    def _thirds(self, name: str) -> tuple[float, float]:
        """The medians of the first and the last third."""
        values = [getattr(sample, name) for sample in self.samples]
        third = max(1, len(values) // 3)
        return statistics.median(values[:third]), statistics.median(values[-third:])


def soak(seconds: float, least_answers: int = 0) -> Report:
    """Lets the agents work for so long, and until so many answers were right. At the end, nothing may be left."""
    upstream, tally, samples = Upstream(), Tally(), list[Sample]()
    with _shorter(), upstream.running() as url:
        settings = Settings(nvidia_url=url, addr=Address("127.0.0.1", 0), upstream_timeout_seconds=2)
        gateway = RunningGateway(settings, Keys(nvidia=NVIDIA_KEY), timeouts=_PATIENCE)
        agents = [Agent(number, gateway, upstream, tally) for number in range(AGENTS)]
        tracemalloc.start()
        try:
            for agent in agents:
                agent.start()
            time.sleep(seconds / 10)  # all code has run once
            for _ in range(_SAMPLES):
                time.sleep(seconds * 0.9 / _SAMPLES)
                samples.append(_sample(gateway))
            tally.wait_right(least_answers)
            for agent in agents:
                agent.is_over.set()
            for agent in agents:
                agent.join()
            wait_until_nothing_is_held(gateway)
        finally:
            tracemalloc.stop()
            gateway.stop()
    return Report(upstream, tally, samples, seconds)


_PATIENCE = Timeouts(**{item.name: getattr(TIMEOUTS, item.name) / SHORTER for item in fields(Timeouts)})


@contextmanager
def _shorter() -> Iterator[None]:
    """The times that are no setting of the gateway."""
    with pytest.MonkeyPatch.context() as patch:
        times_of_window = ("WINDOW_S", "PAUSE_S", "LONGEST_PAUSE_S", "RECOVERY_S", "BURST_S")
        for place, name in (*((window, name) for name in times_of_window), (pacing, "GIVE_WAY_S")):
            patch.setattr(place, name, getattr(place, name) / SHORTER)
        yield


def _sample(gateway: RunningGateway) -> Sample:
    gc.collect()
    descriptors = sum(1 for _ in Path("/proc/self/fd").iterdir()) if sys.platform == "linux" else 0
    return Sample(tracemalloc.get_traced_memory()[0], descriptors, holdings(gateway).tasks)


if __name__ == "__main__":
    report = soak(60 * float(sys.argv[1]) if len(sys.argv) > 1 else 60)
    report.print()
    for fault in report.faults:
        print(fault)
    sys.exit(bool(report.faults))
