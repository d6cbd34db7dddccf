"""Broken upstreams and clients: every answer is right or an honest error, and nothing is left behind."""

from __future__ import annotations

import gzip
import itertools
import json
import logging
import socket
import threading
import tracemalloc
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import aiohttp
import pytest

from tests.conftest import StartGateway
from tests.support.chunks import ChunkJson, completion, finish, text, think, usage, whole_call
from tests.support.fake_upstream import (
    CUT,
    TIMEOUT_S,
    Endless,
    FakeUpstream,
    Gate,
    Reply,
    event,
    hello,
    refusal,
    stream,
    whole,
)
from tests.support.gateway import QUICK, WEATHER, Answer, RunningGateway, both_ways, question
from tests.support.leftovers import wait_until_held, wait_until_nothing_is_held
from tray_app.proxy.exchange.client_stream import ClientStream
from tray_app.proxy.upstream.timeouts import Timeouts

MALFORMED = "NVIDIA's answer is malformed: a part of it is no chat completion. Please try again."
MIB = 2**20

# ---- cut anywhere


def call_pieces(name: str, *pieces: str, index: int) -> list[ChunkJson]:
    """Returns chunks with a call whose arguments come in pieces."""
    first = whole_call(name, {}, call_id=f"call_{index}", index=index)
    first["choices"][0]["delta"]["tool_calls"][0]["function"]["arguments"] = pieces[0]
    more = [
        {"choices": [{"index": 0, "delta": {"tool_calls": [{"index": index, "function": {"arguments": piece}}]}}]}
        for piece in pieces[1:]
    ]
    return [first, *more]


RICH = stream(
    think("Rome, "),
    think("then Oslo."),
    text("I look "),
    text("\u00e9 \U0001f600 up."),
    *call_pieces("get_weather", '{"city": ', '"Rome"}', index=0),
    *call_pieces("get_weather", '{"city": "Os', 'lo"}', index=1),
    finish("tool_calls"),
    usage(12, 34),
)
RICH_QUESTION: dict[str, Any] = {
    "stream": True,
    "max_tokens": 4000,
    "tools": [WEATHER],
    "thinking": {"type": "enabled", "budget_tokens": 1024},
}
RICH_CONTENT = [
    ("thinking", "Rome, then Oslo."),
    ("text", "I look \u00e9 \U0001f600 up."),
    ("tool_use", {"city": "Rome"}),
    ("tool_use", {"city": "Oslo"}),
]


def places_to_cut(data: bytes) -> Iterator[int]:
    """Yields the places around the end of every event, and every 11th byte between them."""
    borders = {place + 2 for place in range(len(data)) if data[place : place + 2] == b"\n\n"}
    near = {place + step for place in borders for step in (-2, -1, 0, 1, 7)}
    return iter(sorted(place for place in near | set(range(0, len(data), 11)) if place < len(data)))


def contents(answer: Answer) -> list[tuple[str, Any]]:
    keys = {"thinking": "thinking", "text": "text", "tool_use": "input"}
    return [(block["type"], block[keys[block["type"]]]) for block in answer.content]


@pytest.mark.parametrize("is_clean", [False, True], ids=["broken off", "ended by a server between"])
def test_a_stream_cut_anywhere_is_completed_or_ends_with_an_error(
    start_gateway: StartGateway, upstream: FakeUpstream, is_clean: bool
) -> None:
    gateway = start_gateway(timeouts=QUICK)
    data = b"".join(step for step in RICH.steps if isinstance(step, bytes))
    asked: dict[int, int] = {}

    def cut_once(body: dict[str, Any]) -> Reply:
        place = int(body["messages"][-1]["content"])
        asked[place] = asked.get(place, 0) + 1
        steps = (data,) if asked[place] > 1 else (data[:place],) if is_clean else (data[:place], CUT)
        return Reply(steps, content_type=RICH.content_type)

    upstream.default = cut_once
    outcomes = set()
    for place in places_to_cut(data):
        answer = gateway.ask(question(str(place), **RICH_QUESTION))
        assert answer.status == 200, place
        if answer.story[-1] == "end tool_use":
            assert contents(answer) == RICH_CONTENT, place
            outcomes.add("whole" if asked[place] == 1 else "second attempt")
        else:
            assert answer.story[-1] == "error overloaded_error", (place, answer.story)
            assert asked[place] == 1, place
            shown = contents(answer)
            assert [kind for kind, _ in shown] == [kind for kind, _ in RICH_CONTENT][: len(shown)], place
            assert shown[:-1] == RICH_CONTENT[: max(0, len(shown) - 1)], place
            outcomes.add("error")
    assert outcomes == ({"whole", "second attempt", "error"} if is_clean else {"second attempt", "error"})
    wait_until_nothing_is_held(gateway)


@pytest.mark.parametrize("is_clean", [False, True], ids=["broken off", "ended by a server between"])
def test_a_plain_answer_cut_anywhere_is_completed(
    start_gateway: StartGateway, upstream: FakeUpstream, is_clean: bool
) -> None:
    gateway = start_gateway(timeouts=QUICK)
    data = json.dumps(completion("Hello!")).encode()
    for place in range(0, len(data), 5):
        upstream.script(Reply((data[:place],) if is_clean else (data[:place], CUT)), Reply((data,)))
        assert gateway.ask().text == "Hello!", place


# ---- malformed


BROKEN_PAYLOADS: dict[str, bytes] = {
    "half an object": b"data: {\n\n",
    "no UTF-8": b'data: {"choices": [{"delta": {"content": "\xff\xfe"}}]}\n\n',
    "nested too deeply": b"data: " + b"[" * 200_000 + b"\n\n",
    "a number": b"data: 1\n\n",
    "null": b"data: null\n\n",
    "of another kind": b'data: {"choices": {"delta": "x"}}\n\n',
    "NaN": b'data: {"choices": NaN}\n\n',
    "two in one event": b'data: {"choices": []}\ndata: {"choices": []}\n\n',
    "bytes": b"data: \x00\x01\x02\n\n",
}


@pytest.mark.parametrize("broken", BROKEN_PAYLOADS.values(), ids=list(BROKEN_PAYLOADS))
def test_a_malformed_event_is_an_error_and_does_no_harm(
    gateway: RunningGateway, upstream: FakeUpstream, broken: bytes
) -> None:
    upstream.script(stream(broken, text("Hello!"), finish()))
    at_first = gateway.ask(question(stream=True))
    assert (at_first.outcome, at_first.sentence) == ((502, "api_error"), MALFORMED)
    upstream.script(stream(text("Hel"), gate := Gate(), broken, text("lo!"), finish()))
    with gateway.stream() as reading:
        reading.read_until("content_block_delta")
        gate.open()
        later = reading.read_rest()
    assert later.sentence == MALFORMED
    assert later.story == ["start text#0", "+Hel", "error overloaded_error"]
    upstream.script(stream(text("Hello!"), finish()))
    assert gateway.ask(question(stream=True)).text == "Hello!"
    wait_until_nothing_is_held(gateway)


def test_lines_without_data_are_ignored(gateway: RunningGateway, upstream: FakeUpstream) -> None:
    noise = b": comment\n\nevent: message\nid: 5\nretry: 1000\ndata\nnonsense\n\n\n\n\r\n"
    upstream.script(stream(noise, text("Hel"), noise, text("lo!"), noise, finish()))
    assert gateway.ask(question(stream=True)).text == "Hello!"


# ---- the wrong content type


@pytest.mark.parametrize(
    "content_type", ["text/plain", "application/octet-stream", "text/html; charset=utf-8", "x", "application/json"]
)
def test_an_event_stream_is_read_whatever_its_content_type_is(
    gateway: RunningGateway, upstream: FakeUpstream, content_type: str
) -> None:
    events = stream(text("Hello!"), finish())
    upstream.script(Reply(events.steps, content_type=content_type))
    assert gateway.ask(question(stream=True)).text == "Hello!"


@pytest.mark.parametrize("content_type", ["text/plain", "text/event-stream"])
def test_a_plain_answer_is_read_whatever_its_content_type_is(
    gateway: RunningGateway, upstream: FakeUpstream, content_type: str
) -> None:
    upstream.script(Reply((json.dumps(completion("Hello!")).encode(),), content_type=content_type))
    assert gateway.ask().text == "Hello!"


def test_a_whole_answer_instead_of_a_stream_is_streamed(gateway: RunningGateway, upstream: FakeUpstream) -> None:
    for content_type in ("application/json", "text/event-stream", "text/plain", "text/html"):
        for start in (b"", b" \r\n", b"\xef\xbb\xbf", b"\xef\xbb\xbf\n"):
            upstream.script(Reply((start, json.dumps(completion("Hello!")).encode()), content_type=content_type))
            answer = gateway.ask(question(stream=True))
            assert answer.story == ["start text#0", "+Hello!", "stop#0", "end end_turn"]


@pytest.mark.parametrize(
    "start",
    [(b"\n\n",), (b"\xef\xbb\xbf",), (b"\xef", b"\xbb", b"\xbf"), (b": hello\n\n",), (b"event: message\n",)],
    ids=["line ends", "byte order mark", "byte order mark in three", "comment", "event"],
)
@both_ways
def test_an_event_stream_is_recognised_by_its_beginning(
    gateway: RunningGateway, upstream: FakeUpstream, start: tuple[bytes, ...], is_stream: bool
) -> None:
    upstream.script(Reply((*start, *stream(text("Hello!"), finish()).steps), content_type="application/json"))
    assert gateway.ask(question(stream=is_stream)).text == "Hello!"


@pytest.mark.parametrize("content_type", ["text/html", "text/plain", "application/json", "application/x-ndjson"])
@both_ways
def test_a_body_that_is_no_answer_is_an_error(
    gateway: RunningGateway, upstream: FakeUpstream, content_type: str, is_stream: bool
) -> None:
    upstream.script(Reply((b"<html><body>Sign in to the network of this hotel</body></html>",), 200, content_type))
    assert gateway.ask(question(stream=is_stream)).outcome == (502, "api_error")


@pytest.mark.parametrize("content_type", ["text/event-stream", "application/json", "text/plain"])
def test_events_instead_of_a_plain_answer_are_an_answer(
    gateway: RunningGateway, upstream: FakeUpstream, content_type: str
) -> None:
    events = stream(text("Hel"), text("lo!"), *call_pieces("get_weather", '{"city": "Rome"}', index=0), finish())
    upstream.script(Reply(events.steps, content_type=content_type))
    answer = gateway.ask(question(tools=[WEATHER]))
    assert contents(answer) == [("text", "Hello!"), ("tool_use", {"city": "Rome"})]
    upstream.script(Reply(events.steps[:1], content_type=content_type))
    assert gateway.ask().outcome == (502, "api_error"), "half of it"


# ---- compressed, although nobody asked for it


COMPRESSIONS: dict[str, Callable[[bytes], bytes]] = {"gzip": gzip.compress, "deflate": zlib.compress}


def compressed(reply: Reply, encoding: str) -> Reply:
    data = COMPRESSIONS[encoding](b"".join(step for step in reply.steps if isinstance(step, bytes)))
    return Reply((data,), content_type=reply.content_type, headers={"Content-Encoding": encoding})


@both_ways
@pytest.mark.parametrize("encoding", COMPRESSIONS)
def test_a_compressed_answer_is_read(
    gateway: RunningGateway, upstream: FakeUpstream, encoding: str, is_stream: bool
) -> None:
    upstream.script(compressed(hello(is_stream=is_stream), encoding))
    assert gateway.ask(question(stream=is_stream)).text == "Hello!"
    assert upstream.received[0].headers["Accept-Encoding"] == "identity"


@both_ways
@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br", "zstd"])
def test_an_answer_that_is_not_compressed_as_it_says_is_an_error(
    gateway: RunningGateway, upstream: FakeUpstream, encoding: str, is_stream: bool
) -> None:
    upstream.script(Reply((b"\x8b\x00nonsense",), headers={"Content-Encoding": encoding}))
    answer = gateway.ask(question(stream=is_stream))
    assert answer.outcome == (502, "api_error")
    wait_until_nothing_is_held(gateway)


@both_ways
def test_half_of_a_compressed_answer_is_no_answer(
    gateway: RunningGateway, upstream: FakeUpstream, is_stream: bool
) -> None:
    reply = compressed(hello(is_stream=is_stream), "gzip")
    (data,) = reply.steps
    assert isinstance(data, bytes)
    upstream.script(Reply((data[:-12],), content_type=reply.content_type, headers=reply.headers))
    answer = gateway.ask(question(stream=is_stream))
    if answer.status == 200:
        assert answer.story[-1] == "error overloaded_error"


@contextmanager
def memory_bounded_to(limit_bytes: int) -> Iterator[None]:
    """Fails if the memory of this process, with the fake upstream, grows by more than this."""
    tracemalloc.start()
    try:
        yield
        _, peak_bytes = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak_bytes < limit_bytes, f"grew by {peak_bytes / MIB:.0f} MiB"


def bomb(size_bytes: int, start: bytes) -> bytes:
    """Returns the start and then `size_bytes` of one letter, compressed to about a thousandth."""
    return gzip.compress(start) + gzip.compress(b"x" * MIB) * (size_bytes // MIB)


def test_a_bomb_is_an_error_and_does_not_fill_the_memory(gateway: RunningGateway, upstream: FakeUpstream) -> None:
    size = 200 * MIB
    packed = {"Content-Encoding": "gzip"}
    upstream.script(
        Reply((bomb(size, b'{"choices": "'),), headers=packed),
        Reply((bomb(size, b"data: "),), content_type="text/event-stream", headers=packed),
        Reply((bomb(size, b'{"detail": "'),), 500, headers=packed),
    )
    with memory_bounded_to(160 * MIB):
        assert gateway.ask().sentence == "NVIDIA's answer is larger than 2 MB, which no chat answer is."
        assert gateway.ask(question(stream=True)).sentence == (
            "NVIDIA's answer holds an event larger than any answer. Please try again."
        )
        assert gateway.ask().outcome == (529, "overloaded_error")
    wait_until_nothing_is_held(gateway)


# ---- answers without an end


def test_a_body_without_an_end_is_an_error(gateway: RunningGateway, upstream: FakeUpstream) -> None:
    blank = Endless(b" " * MIB)
    upstream.script(Reply((blank,)), Reply((blank,)), Reply((blank,), 500))
    for is_stream in (False, True):
        answer = gateway.ask(question(stream=is_stream))
        assert answer.sentence == "NVIDIA's answer is larger than 2 MB, which no chat answer is."
    assert gateway.ask().outcome == (529, "overloaded_error")
    for received in upstream.received:
        received.wait_left()
    wait_until_nothing_is_held(gateway)


@pytest.mark.parametrize(
    "nothing",
    [b": keep-alive\n\n", b"\n", b'data: {"choices": []}\n\n', b'data: {"choices": [{"delta": {"content": ""}}]}\n\n'],
    ids=["comments", "line ends", "events without choices", "empty deltas"],
)
@pytest.mark.parametrize("said", [[], [text("Hel")]], ids=["from the start", "after a word"])
def test_a_stream_without_content_is_ended_after_the_timeout(
    start_gateway: StartGateway, upstream: FakeUpstream, nothing: bytes, said: list[ChunkJson]
) -> None:
    gateway = start_gateway(upstream_timeout_seconds=0.5)
    upstream.script(stream(*said, Endless(nothing)))
    answer = gateway.ask(question(stream=True))
    assert answer.sentence == "NVIDIA sent nothing of an answer for 0.5 s. Please try again."
    upstream.received[0].wait_left()
    wait_until_nothing_is_held(gateway)


def test_endless_bytes_after_the_end_mark_are_not_read(gateway: RunningGateway, upstream: FakeUpstream) -> None:
    upstream.script(stream(text("Hello!"), finish(), b"data: [DONE]\n\n", Endless(b": more\n\n"), ends=False))
    assert gateway.ask(question(stream=True)).text == "Hello!"
    upstream.received[0].wait_left()
    wait_until_nothing_is_held(gateway)


# ---- slow clients


@contextmanager
def raw(gateway: RunningGateway) -> Iterator[socket.socket]:
    host, _, port = gateway.host.partition(":")
    with socket.create_connection((host, int(port)), timeout=TIMEOUT_S) as connection:
        yield connection


def head(gateway: RunningGateway, length: int) -> bytes:
    return f"POST /v1/messages HTTP/1.1\r\nHost: {gateway.host}\r\nContent-Length: {length}\r\n\r\n".encode()


def read_all(connection: socket.socket) -> bytes:
    return b"".join(iter(lambda: connection.recv(65536), b""))


def test_a_client_that_sends_byte_by_byte_is_served_like_any_other(
    gateway: RunningGateway, upstream: FakeUpstream
) -> None:
    upstream.script(whole(completion("Others first.")), whole(completion("Hello!")))
    body = json.dumps(question()).encode()
    request = head(gateway, len(body)).replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n") + body
    with raw(gateway) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for place in range(len(request) - 1):
            connection.sendall(request[place : place + 1])
        assert gateway.ask().text == "Others first."
        connection.sendall(request[-1:])
        assert b"Hello!" in read_all(connection)


@pytest.mark.parametrize("sent", [b"", b"POST /v1/mess", b"POST /v1/messages HTTP/1.1\r\nHost: 127.0.0.1\r\nX-A: b"])
def test_a_connection_whose_headers_never_end_is_closed(
    start_gateway: StartGateway, upstream: FakeUpstream, sent: bytes
) -> None:
    gateway = start_gateway(timeouts=Timeouts(idle_s=0.05))
    with raw(gateway) as connection:
        connection.sendall(sent)
        assert read_all(connection) == b""
    wait_until_nothing_is_held(gateway)


def test_a_body_that_never_ends_is_refused(start_gateway: StartGateway, upstream: FakeUpstream) -> None:
    gateway = start_gateway(timeouts=Timeouts(upload_s=0.05))
    with raw(gateway) as connection:
        connection.sendall(head(gateway, 1000) + b'{"model": ')
        answer = connection.recv(65536)
    assert answer.startswith(b"HTTP/1.1 408 ")
    assert b"The request did not arrive within" in answer
    wait_until_nothing_is_held(gateway)


def test_a_client_that_reads_nothing_holds_up_nobody_else(gateway: RunningGateway, upstream: FakeUpstream) -> None:
    upstream.script(stream(Endless(b"data: " + json.dumps(text("word " * 1000)).encode() + b"\n\n")))
    body = json.dumps(question(stream=True)).encode()
    with raw(gateway) as connection:
        connection.sendall(head(gateway, len(body)) + body)
        assert connection.recv(10)
        upstream.script(whole(completion("Hello!")))
        assert gateway.ask().text == "Hello!"
    wait_until_nothing_is_held(gateway)
    upstream.received[0].wait_left()


# ---- the client leaves


def leave_in_the_queue(gateway: RunningGateway, upstream: FakeUpstream, body: dict[str, Any]) -> None:
    gateway.configure(requests_per_minute=1)
    upstream.script(whole(completion("the one of this minute")))
    gateway.ask()
    with gateway.send_only(body):
        wait_until_held(gateway, lambda held: held.waiting == 1)
    wait_until_held(gateway, lambda held: held.waiting == 0)
    gateway.configure(requests_per_minute=0)


def leave_before_the_headers(gateway: RunningGateway, upstream: FakeUpstream, body: dict[str, Any]) -> None:
    upstream.script(whole({}, before=(gate := Gate())))
    with gateway.send_only(body):
        gate.wait_reached()


def leave_in_the_middle(gateway: RunningGateway, upstream: FakeUpstream, body: dict[str, Any]) -> None:
    upstream.script(stream(text("Hel"), gate := Gate()))
    with gateway.send_only(body):
        gate.wait_reached()


def leave_in_a_pause(gateway: RunningGateway, upstream: FakeUpstream, body: dict[str, Any]) -> None:
    upstream.script(refusal(503))
    with gateway.send_only(body):
        upstream.wait_received(1)
        wait_until_held(gateway, lambda held: held.active == 1 and held.upstream_connections == 0)


def leave_while_it_is_put_aside(gateway: RunningGateway, upstream: FakeUpstream, body: dict[str, Any]) -> None:
    upstream.script(refusal(202, NVCF_REQID="5e0c-1"))
    with gateway.send_only(body):
        upstream.wait_received(1)
        wait_until_held(gateway, lambda held: held.active == 1 and held.upstream_connections == 0)


def leave_in_the_second_attempt(gateway: RunningGateway, upstream: FakeUpstream, body: dict[str, Any]) -> None:
    empty = stream(finish()) if body["stream"] else whole(completion(""))
    upstream.script(empty, whole({}, before=(gate := Gate())))
    with gateway.send_only(body):
        gate.wait_reached()


def leave_while_sending(gateway: RunningGateway, upstream: FakeUpstream, body: dict[str, Any]) -> None:
    with raw(gateway) as connection:
        connection.sendall(head(gateway, 1000) + json.dumps(body).encode()[:20])
        wait_until_held(gateway, lambda held: held.tasks >= 1)


LEAVE = [
    leave_in_the_queue,
    leave_before_the_headers,
    leave_in_the_middle,
    leave_in_a_pause,
    leave_while_it_is_put_aside,
    leave_in_the_second_attempt,
    leave_while_sending,
]


@both_ways
@pytest.mark.parametrize("leave", LEAVE, ids=[leave.__name__.removeprefix("leave_") for leave in LEAVE])
def test_a_client_may_leave_at_any_moment(
    start_gateway: StartGateway,
    upstream: FakeUpstream,
    leave: Callable[[RunningGateway, FakeUpstream, dict[str, Any]], None],
    is_stream: bool,
) -> None:
    gateway = start_gateway(
        timeouts=Timeouts(first_pause_s=600, longest_pause_s=600, poll_pause_s=600, retry_budget_s=6000)
    )
    leave(gateway, upstream, question(stream=is_stream))
    wait_until_nothing_is_held(gateway)
    gateway.wait_active(0)
    upstream.script(hello(is_stream=is_stream))
    assert gateway.ask(question(stream=is_stream)).text == "Hello!"
    wait_until_nothing_is_held(gateway)


def test_many_clients_that_leave_at_once_leave_nothing_behind(gateway: RunningGateway, upstream: FakeUpstream) -> None:
    upstream.default = lambda _: stream(text("Hel"), Gate())

    def ask_and_go() -> None:
        with gateway.stream() as reading:
            reading.read_until("content_block_delta")

    clients = [threading.Thread(target=ask_and_go) for _ in range(30)]
    for client in clients:
        client.start()
    for client in clients:
        client.join(TIMEOUT_S)
    wait_until_nothing_is_held(gateway)


def test_clients_that_leave_in_the_middle_of_a_fast_stream_are_no_fault_of_upstream(
    gateway: RunningGateway, upstream: FakeUpstream, caplog: pytest.LogCaptureFixture
) -> None:
    upstream.default = lambda _: stream(Endless(event(text("word " * 1000))))

    def ask_and_go() -> None:
        with gateway.stream() as reading:
            reading.read_until("content_block_delta")

    with caplog.at_level(logging.INFO, "tray_app"):
        clients = [threading.Thread(target=ask_and_go) for _ in range(40)]
        for client in clients:
            client.start()
        for client in clients:
            client.join(TIMEOUT_S)
        wait_until_nothing_is_held(gateway)
    said = [record.getMessage() for record in caplog.records if record.name.startswith("tray_app.proxy.")]
    assert sum(": the client left after " in line for line in said) == 40
    assert [line for line in said if "fault" in line.lower()] == []
    for received in upstream.received:
        received.wait_left()


@pytest.mark.parametrize("write", range(1, 11))
def test_a_write_that_fails_because_the_client_left_is_no_fault_of_upstream(
    gateway: RunningGateway,
    upstream: FakeUpstream,
    write: int,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The write fails as aiohttp fails it when the connection breaks before the request is cancelled."""
    numbers = itertools.count(1)
    write_frames = ClientStream.write

    async def write_or_fail(self: ClientStream, frames: bytes) -> None:
        if next(numbers) == write:
            raise aiohttp.ClientConnectionResetError("Cannot write to closing transport")
        await write_frames(self, frames)

    monkeypatch.setattr(ClientStream, "write", write_or_fail)
    upstream.script(stream(Endless(event(text("word " * 1000)))))
    with caplog.at_level(logging.INFO, "tray_app"):
        with gateway.send_only(question(stream=True)):
            upstream.wait_received().wait_left()
        gateway.wait_active(0)
    said = [record.getMessage() for record in caplog.records if record.name.startswith("tray_app.proxy.")]
    assert sum(": the client left after " in line for line in said) == 1
    assert [line for line in said if "fault" in line.lower()] == []
    assert (gateway.board.status.troubles, gateway.board.status.waits) == ((), ())
    upstream.script(hello(is_stream=True))
    assert gateway.ask(question(stream=True)).text == "Hello!", "nothing is learned of the model, so nobody waits"
