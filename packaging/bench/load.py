"""The clients of a measurement: connections on loopback that send requests and read answers, with no HTTP library.

It runs as a process of its own. For each job (one line of JSON on its standard input) it opens the connections, sends
one request on each that does not count, and prints `ready`. After the next line it does the job, and prints the result.
"""

from __future__ import annotations

import gc
import json
import selectors
import socket
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace

from bench.answer import Answer
from bench.conversation import Conversation, make_small_body
from bench.errors import GatewayFault
from bench.figures import find_quantile

READ_BYTES = 262_144
LIMIT_S = 120
FROM_START, NEXT_TURN, NEW_SESSIONS = "from start", "next turn", "new sessions"


@dataclass(frozen=True, slots=True)
class Job:
    """What to ask. `requests` are shared out among the connections, each of which has a session of its own."""

    connections: int
    requests: int
    body_bytes: int = 0
    """The size of a session's first request; 0 means a request of one sentence."""
    sessions: str = FROM_START
    """What the gateway knows: only the requests that count, one more of each session, or no session at all."""
    events: int = 0
    """The content events of each answer; 0 means that it is not streamed."""
    stagger_s: float = 0
    """The connections begin one after another within this time, so that their events do not come all at once."""
    unsteady_events: int = 0
    """So many events of each answer come while other connections still begin: their delays are left out."""
    seed: int = 0
    port: int = 0

    def to_line(self) -> bytes:
        return json.dumps(asdict(self)).encode() + b"\n"


@dataclass(frozen=True, slots=True)
class Result:
    """Medians over the requests; the quantiles are of the time from the upstream's write to the client's read."""

    requests: int
    events: int
    whole_ms: float
    first_ms: float
    event_p50_ms: float
    event_p99_ms: float
    event_max_ms: float


class Lane:
    """One connection with the requests that it sends, one after another."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.bodies: list[bytes] = []
        self.left = memoryview(b"")
        self.answer = Answer()
        self.begin_ns = 0
        self.connect()

    def connect(self) -> None:
        try:
            self.sock = socket.create_connection(("127.0.0.1", self.port), timeout=10)
        except OSError as error:
            raise GatewayFault(f"does not take a connection: {error.strerror or error}") from None
        self.sock.setblocking(False)
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


class Play:
    """Sends all requests of some lanes, and collects their answers."""

    def __init__(self, job: Job, lanes: Sequence[Lane]) -> None:
        self.job = job
        self.selector = selectors.DefaultSelector()
        self.running = len(lanes)
        self.whole_ns: list[int] = []
        self.first_ns: list[int] = []
        self.latencies_ns: list[int] = []
        begin_ns = time.monotonic_ns()
        step_ns = int(job.stagger_s / max(1, job.connections) * 1e9)
        self.waiting = [(begin_ns + number * step_ns, lane) for number, lane in enumerate(lanes)]

    def run(self) -> None:
        end_ns = time.monotonic_ns() + int(LIMIT_S * 1e9)
        while self.running:
            now_ns = time.monotonic_ns()
            if now_ns > end_ns:
                raise GatewayFault(f"did not answer all requests within {LIMIT_S} s")
            while self.waiting and self.waiting[0][0] <= now_ns:
                lane = self.waiting.pop(0)[1]
                self.selector.register(lane.sock, selectors.EVENT_READ, lane)
                self.begin(lane)
            timeout_s = max(0, self.waiting[0][0] - now_ns) / 1e9 if self.waiting else 1
            for key, events in self.selector.select(timeout_s):
                if events & selectors.EVENT_WRITE:
                    self.send(key.data)
                if events & selectors.EVENT_READ:
                    self.read(key.data)
        self.selector.close()

    def begin(self, lane: Lane) -> None:
        """Sends the next request of a lane, if there is one."""
        if not lane.bodies:
            self.selector.unregister(lane.sock)
            self.running -= 1
            return
        lane.left = memoryview(lane.bodies.pop(0))
        lane.answer = Answer()
        lane.begin_ns = time.monotonic_ns()
        self.send(lane)

    def send(self, lane: Lane) -> None:
        try:
            lane.left = lane.left[lane.sock.send(lane.left) :]
        except BlockingIOError:
            pass
        except OSError as error:
            raise GatewayFault(f"took only a part of a request: {error.strerror}") from None
        wanted = selectors.EVENT_READ | (selectors.EVENT_WRITE if lane.left else 0)
        if self.selector.get_key(lane.sock).events != wanted:
            self.selector.modify(lane.sock, wanted, lane)

    def read(self, lane: Lane) -> None:
        try:
            data = lane.sock.recv(READ_BYTES)
        except BlockingIOError:
            return
        except OSError as error:
            raise GatewayFault(f"broke a connection: {error.strerror}") from None
        now_ns = time.monotonic_ns()
        if not data:
            raise GatewayFault("closed the connection before its answer was complete")
        if lane.answer.feed(data, now_ns):
            self.note(lane, now_ns)
            self.begin(lane)

    def note(self, lane: Lane, now_ns: int) -> None:
        answer = lane.answer
        if len(answer.latencies_ns) != self.job.events:
            passed = f"passed on {len(answer.latencies_ns)} of the {self.job.events} events of an answer"
            raise GatewayFault(f"{passed}, which is kept in {keep(answer)}")
        self.whole_ns.append(now_ns - lane.begin_ns)
        self.first_ns.append((answer.first_ns or now_ns) - lane.begin_ns)
        self.latencies_ns += answer.latencies_ns[self.job.unsteady_events :]
        if answer.is_closing:
            self.selector.unregister(lane.sock)
            lane.sock.close()
            lane.connect()
            self.selector.register(lane.sock, selectors.EVENT_READ, lane)


def keep(answer: Answer) -> str:
    """Writes an answer that is wrong into a file, and returns its path."""
    with tempfile.NamedTemporaryFile(prefix="bench-answer-", delete=False) as file:
        file.write(b"".join(answer.pieces))
        return file.name


def write_request(body: bytes, port: int) -> bytes:
    return (
        b"POST /v1/messages HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nContent-Type: application/json\r\n"
        b"anthropic-version: 2023-06-01\r\nx-api-key: test\r\nAuthorization: Bearer test\r\n"
        b"Content-Length: %d\r\n\r\n%b"
    ) % (port, len(body), body)


def make_requests(job: Job, connection: int) -> list[bytes]:
    """The requests of one connection: first the one that does not count."""
    number = job.requests // job.connections + (connection < job.requests % job.connections)
    small = make_small_body(is_stream=False)
    if not job.body_bytes:
        bodies = [small] + [make_small_body(is_stream=bool(job.events))] * number
    else:
        seeds = [job.seed * 1_000_000 + connection * 1_000 + session for session in range(number)]
        is_new = job.sessions == NEW_SESSIONS
        session = Conversation(seeds[0], job.body_bytes) if number and not is_new else None
        if session and job.sessions == NEXT_TURN:
            small = session.next_body()
        bodies = [small] + [
            session.next_body() if session else Conversation(seed, job.body_bytes).next_body() for seed in seeds
        ]
    return [write_request(body, job.port) for body in bodies]


def measure(job: Job, lanes: Sequence[Lane]) -> Result:
    play = Play(job, lanes)
    play.run()
    whole_ns, first_ns, latencies_ns = sorted(play.whole_ns), sorted(play.first_ns), sorted(play.latencies_ns)
    return Result(
        requests=len(whole_ns),
        events=len(whole_ns) * job.events,
        whole_ms=find_quantile(whole_ns, 0.5) / 1e6,
        first_ms=find_quantile(first_ns, 0.5) / 1e6,
        event_p50_ms=find_quantile(latencies_ns, 0.5) / 1e6,
        event_p99_ms=find_quantile(latencies_ns, 0.99) / 1e6,
        event_max_ms=find_quantile(latencies_ns, 1) / 1e6,
    )


def do(line: str) -> dict[str, object]:
    job = Job(**json.loads(line))
    requests = [make_requests(job, connection) for connection in range(job.connections)]
    lanes = [Lane(job.port) for _ in range(job.connections)]
    try:
        for lane, (first, *_) in zip(lanes, requests, strict=True):
            lane.bodies = [first]
        Play(replace(job, stagger_s=0, events=0), lanes).run()
        for lane, (_, *others) in zip(lanes, requests, strict=True):
            lane.bodies = others
        print("ready", flush=True)
        sys.stdin.readline()
        return asdict(measure(job, lanes))
    finally:
        for lane in lanes:
            lane.sock.close()


def main() -> None:
    gc.disable()  # a collection would lengthen the time of the event that arrives meanwhile
    for line in iter(sys.stdin.readline, ""):
        try:
            print(json.dumps(do(line)), flush=True)
        except GatewayFault as error:
            print(json.dumps({"error": str(error)}), flush=True)
        gc.collect()


if __name__ == "__main__":
    main()
