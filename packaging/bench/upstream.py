"""The upstream of a measurement: a server of OpenAI's chat completions on loopback that does as little as possible.

It runs as a process of its own. It prints its port as one line, reads a plan of its answers from each line of its
standard input, and prints `ok` when it follows it. It ends with its standard input.
"""

from __future__ import annotations

import heapq
import json
import os
import selectors
import socket
import time
from collections import deque
from dataclasses import asdict, dataclass

READ_BYTES = 262_144
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: "
STREAM_HEAD = HEAD + b"text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
CHUNK = (
    b'data: {"id":"chatcmpl-bench","object":"chat.completion.chunk","created":1760000000,"model":"z-ai/glm4.7",'
    b'"choices":[{"index":0,"delta":%b,"logprobs":null,"finish_reason":%b}]}\n\n'
)
FIRST = CHUNK % (b'{"role":"assistant","content":"","reasoning_content":null}', b"null")
STOP = CHUNK % (b'{"content":""}', b'"stop"')
BEFORE_TEXT, AFTER_TEXT = (CHUNK % (b'{"content":" t@"}', b"null")).split(b"@")
USAGE = (
    b'data: {"id":"chatcmpl-bench","object":"chat.completion.chunk","created":1760000000,"model":"z-ai/glm4.7",'
    b'"choices":[],"usage":{"prompt_tokens":1200,"completion_tokens":300,"total_tokens":1500}}\n\ndata: [DONE]\n\n'
)
WHOLE = (
    b'{"id":"chatcmpl-bench","object":"chat.completion","created":1760000000,"model":"z-ai/glm4.7","choices":[{"index"'
    b':0,"message":{"role":"assistant","content":"' + b"word " * 300 + b'","tool_calls":null},"finish_reason":"stop"}],'
    b'"usage":{"prompt_tokens":1200,"completion_tokens":300,"total_tokens":1500}}'
)
MODELS = b'{"object":"list","data":[{"id":"z-ai/glm4.7"},{"id":"minimaxai/minimax-m2.1"}]}'


@dataclass(frozen=True, slots=True)
class Plan:
    """How a stream is answered. `events_per_s` 0 means: as fast as it can."""

    events: int = 300
    events_per_s: float = 0

    def to_line(self) -> bytes:
        return json.dumps(asdict(self)).encode() + b"\n"


def chunked(payload: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(payload), payload)


BEGIN = STREAM_HEAD + chunked(FIRST)
END = chunked(STOP) + chunked(USAGE) + b"0\r\n\r\n"


def whole(body: bytes) -> bytes:
    return HEAD + b"application/json\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body)


class Peer:
    """One connection of the gateway, with the request that arrives and the answer that leaves."""

    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock
        self.inbox = bytearray()
        self.outbox = bytearray()
        self.wanted = 0
        """The length of the request that is arriving, in bytes; 0 until its head is there, -1 if it comes in chunks."""
        self.plan = Plan()
        self.sent = -1
        """The events of the stream that are sent; -1 while there is no stream."""
        self.begin_ns = 0

    def take_request(self) -> bytes | None:
        """The request, once it is complete."""
        if not self.wanted:
            head, end, _ = bytes(self.inbox[:16_384]).partition(b"\r\n\r\n")
            if not end:
                return None
            fields = head.lower()
            length = fields.partition(b"content-length:")[2].split(b"\r\n")[0]
            is_chunked = b"transfer-encoding: chunked" in fields
            self.wanted = -1 if is_chunked else len(head) + 4 + int(length or 0)
        if len(self.inbox) < self.wanted or (self.wanted < 0 and not self.inbox.endswith(b"0\r\n\r\n")):
            return None
        request, self.inbox, self.wanted = bytes(self.inbox), bytearray(), 0
        return request


class Upstream:
    def __init__(self) -> None:
        self.plan = Plan()
        self.server = socket.create_server(("127.0.0.1", 0), backlog=1024)
        self.server.setblocking(False)
        self.selector = selectors.DefaultSelector()
        self.selector.register(self.server, selectors.EVENT_READ)
        self.selector.register(0, selectors.EVENT_READ)
        self.fast: deque[Peer] = deque()
        self.paced: list[tuple[int, int, Peer]] = []
        self.count = 0

    def run(self) -> None:
        while True:
            for key, events in self.selector.select(self.find_timeout_s()):
                if key.data is not None:
                    self.serve(key.data, events)
                elif key.fileobj is self.server:
                    self.accept()
                elif not self.read_plan():
                    return
            for _ in range(len(self.fast)):
                self.send_next(self.fast.popleft())
            now_ns = time.monotonic_ns()
            while self.paced and self.paced[0][0] <= now_ns:
                self.send_next(heapq.heappop(self.paced)[2])

    def find_timeout_s(self) -> float | None:
        if self.fast:
            return 0
        return max(0, self.paced[0][0] - time.monotonic_ns()) / 1e9 if self.paced else None

    def read_plan(self) -> bool:
        line = os.read(0, 4096)
        if line:
            self.plan = Plan(**json.loads(line))
            os.write(1, b"ok\n")
        return bool(line)

    def accept(self) -> None:
        sock, _ = self.server.accept()
        sock.setblocking(False)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.selector.register(sock, selectors.EVENT_READ, Peer(sock))

    def serve(self, peer: Peer, events: int) -> None:
        if events & selectors.EVENT_WRITE:
            self.send(peer, b"")
            if not peer.outbox and peer.sent >= 0:
                self.schedule(peer)
        if not events & selectors.EVENT_READ:
            return
        try:
            data = peer.sock.recv(READ_BYTES)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self.drop(peer)
            return
        peer.inbox += data
        request = peer.take_request()
        if request is not None:
            self.answer(peer, request)

    def answer(self, peer: Peer, request: bytes) -> None:
        if request.startswith(b"GET "):
            self.send(peer, whole(MODELS))
        elif b'"stream":true' not in request and b'"stream": true' not in request:
            self.send(peer, whole(WHOLE))
        else:
            peer.plan, peer.sent, peer.begin_ns = self.plan, 0, time.monotonic_ns()
            self.send(peer, BEGIN)
            self.schedule(peer)

    def schedule(self, peer: Peer) -> None:
        """Lets the next event be sent when it is due, or when the connection takes bytes again."""
        if peer.outbox:
            return
        if not peer.plan.events_per_s:
            self.fast.append(peer)
            return
        due_ns = peer.begin_ns + int((peer.sent + 1) / peer.plan.events_per_s * 1e9)
        self.count += 1
        heapq.heappush(self.paced, (due_ns, self.count, peer))

    def send_next(self, peer: Peer) -> None:
        if peer.sent < 0:
            return
        if peer.sent == peer.plan.events:
            peer.sent = -1
            self.send(peer, END)
            return
        peer.sent += 1
        self.send(peer, chunked(b"%b%d%b" % (BEFORE_TEXT, time.monotonic_ns(), AFTER_TEXT)))
        self.schedule(peer)

    def send(self, peer: Peer, data: bytes) -> None:
        waited = bool(peer.outbox)
        peer.outbox += data
        try:
            del peer.outbox[: peer.sock.send(peer.outbox)]
        except BlockingIOError:
            pass
        except OSError:
            peer.outbox.clear()
            peer.sent = -1
            return
        if bool(peer.outbox) != waited:
            writes = selectors.EVENT_WRITE if peer.outbox else 0
            self.selector.modify(peer.sock, selectors.EVENT_READ | writes, peer)

    def drop(self, peer: Peer) -> None:
        peer.sent = -1
        self.selector.unregister(peer.sock)
        peer.sock.close()


def main() -> None:
    upstream = Upstream()
    print(upstream.server.getsockname()[1], flush=True)
    upstream.run()


if __name__ == "__main__":
    main()
