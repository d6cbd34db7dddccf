"""The limit and the time limits of connections, and the answers to requests that are not HTTP."""

from __future__ import annotations

import errno
import select
import socket
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import LogFile, StartGateway
from tests.support.chunks import finish, text
from tests.support.fake_upstream import FakeUpstream, Gate, stream
from tests.support.gateway import RunningGateway, question
from tests.support.raw_http import connect, read_answer, send_raw
from tests.support.running_app import App
from tests.support.validators import check_error
from tray_app.proxy.server import listener
from tray_app.proxy.upstream.timeouts import Timeouts

posix_only = pytest.mark.skipif(sys.platform == "win32", reason="limits of POSIX")

HEALTH = b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n"
QUICK_HEAD = Timeouts(head_s=0.05)


def is_open(connection: socket.socket) -> bool:
    """Tells whether the connection serves one more request."""
    try:
        connection.sendall(HEALTH)
        return read_answer(connection).status == 200
    except (ConnectionError, ValueError):
        return False


def wait_closed(connection: socket.socket) -> None:
    """Returns when the gateway has closed the connection without sending anything more."""
    assert connection.recv(1) == b""


@contextmanager
def used_connections(gateway: RunningGateway, count: int) -> Iterator[list[socket.socket]]:
    """Opens connections that have each had one answer, in this order."""
    with ExitStack() as stack:
        connections = [stack.enter_context(connect(gateway)) for _ in range(count)]
        assert all(map(is_open, connections))
        yield connections


@pytest.fixture
def start_small(start_gateway: StartGateway, monkeypatch: pytest.MonkeyPatch) -> StartGateway:
    """Starts gateways that have room for three connections."""
    monkeypatch.setattr(listener, "find_connection_limit", lambda: 3)
    return start_gateway


# ---- the number of connections


def test_the_connection_that_was_quiet_the_longest_makes_room(start_small: StartGateway, log_file: LogFile) -> None:
    gateway = start_small()
    with used_connections(gateway, 3) as (first, second, third):
        assert is_open(first)  # now the second has been quiet the longest
        assert gateway.request("GET", "/health").status == 200
        wait_closed(second)
        assert is_open(first)
        assert is_open(third)
    assert log_file.text.count("the limit of 3 open connections is reached") == 1


def test_a_connection_that_never_sent_anything_makes_room(start_small: StartGateway) -> None:
    gateway = start_small()
    with connect(gateway) as silent, used_connections(gateway, 2) as others:
        assert gateway.request("GET", "/health").status == 200
        wait_closed(silent)
        assert all(map(is_open, others))


def test_many_idle_connections_keep_nobody_out(start_small: StartGateway, log_file: LogFile) -> None:
    gateway = start_small()
    with ExitStack() as stack:
        for _ in range(50):
            stack.enter_context(connect(gateway))
        assert gateway.request("GET", "/health").status == 200
    assert log_file.text.count("open connections is reached") == 1


def test_a_connection_with_a_request_makes_no_room(
    start_small: StartGateway, upstream: FakeUpstream, log_file: LogFile
) -> None:
    gateway = start_small()
    gates = [Gate() for _ in range(3)]
    upstream.script(*(stream(text("one "), gate, text("two"), finish()) for gate in gates))
    with ExitStack() as stack:
        answers = [stack.enter_context(gateway.stream()) for _ in gates]
        for answer in answers:
            answer.read_until("content_block_delta")
        for _ in range(2):
            refused = gateway.request("GET", "/health")
            assert refused.outcome == (503, "overloaded_error")
            assert refused.sentence == "This gateway has too many connections at the moment. Please try again."
            assert (refused.headers["connection"], refused.headers["retry-after"]) == ("close", "1")
        gates[0].open()
        assert answers[0].read_rest().text == "one two"
        gateway.wait_active(2)
        assert gateway.request("GET", "/health").status == 200
        for gate, answer in zip(gates[1:], answers[1:], strict=True):
            gate.open()
            assert answer.read_rest().text == "one two"
    assert log_file.text.count("a new one was refused") == 1


def test_a_closed_connection_no_longer_counts(start_small: StartGateway, log_file: LogFile) -> None:
    gateway = start_small()
    for _ in range(10):
        assert gateway.request("GET", "/health").status == 200
    assert "open connections is reached" not in log_file.text


@posix_only
def test_idle_connections_keep_nobody_out_if_few_files_are_allowed(tmp_path: Path) -> None:
    under_limit = ["sh", "-c", 'ulimit -n 128 && exec "$@"', "sh"]
    app = App(tmp_path / "home", ("--no-tray", "--demo"), {"ADDR": "127.0.0.1:0"}, under_limit)
    try:
        client = app.wait_listening()
        host, port = client.host.split(":")
        with ExitStack() as stack:
            for _ in range(200):
                stack.enter_context(socket.create_connection((host, int(port))))
            assert client.request("GET", "/health").status == 200
            assert client.ask(question("Hello")).status == 200
        assert app.folder.log.count("open connections is reached") == 1
        assert len(app.folder.log.splitlines()) < 10
    finally:
        app.close()


@posix_only
def test_a_quiet_connection_is_closed_if_files_run_out_nevertheless(
    gateway: RunningGateway, log_file: LogFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    failures = iter([OSError(errno.EMFILE, "Too many open files")] * 5)
    accept = socket.socket.accept

    def accept_at_last(self: socket.socket) -> Any:
        for failure in failures:
            raise failure
        return accept(self)

    monkeypatch.setattr(listener, "_RECOVERY_S", 0.001)
    with used_connections(gateway, 1) as (quiet,):
        with monkeypatch.context() as patch:
            patch.setattr(socket.socket, "accept", accept_at_last)
            assert gateway.request("GET", "/health").status == 200  # the first accept was waiting already
            assert gateway.request("GET", "/health").status == 200
        wait_closed(quiet)
    assert log_file.text.count("a connection cannot be accepted: Too many open files") == 1
    assert "Traceback" not in log_file.text


# ---- the limit


@posix_only
@pytest.mark.parametrize(
    ("files", "hard", "is_allowed", "limit", "files_after"),
    [
        (1024, 1024, True, 480, 1024),
        (256, 1024, True, 480, 1024),
        (256, -1, True, 1000, 2064),
        (1024, 524288, True, 1000, 2064),
        (256, 524288, False, 96, 256),
        (2064, 2064, True, 1000, 2064),
        (65536, 65536, True, 1000, 65536),
        (-1, -1, True, 1000, -1),
        (20, 20, True, 16, 20),
    ],
)
def test_the_limit_leaves_two_files_for_each_connection(
    monkeypatch: pytest.MonkeyPatch, files: int, hard: int, is_allowed: bool, limit: int, files_after: int
) -> None:
    import resource

    limits = [(files, hard)]

    def set_limit(_: int, wanted: tuple[int, int]) -> None:
        if not is_allowed:
            raise ValueError("not allowed to raise maximum limit")
        limits.append(wanted)

    monkeypatch.setattr(resource, "getrlimit", lambda _: limits[-1])
    monkeypatch.setattr(resource, "setrlimit", set_limit)
    assert listener.find_connection_limit() == limit
    assert limits[-1] == (files_after, hard)


def test_a_thousand_connections_are_allowed_if_connections_are_not_files(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "resource", None)
    assert listener.find_connection_limit() == 1000


# ---- time limits


def test_headers_that_do_not_end_are_refused(start_gateway: StartGateway) -> None:
    gateway = start_gateway(timeouts=QUICK_HEAD)
    with connect(gateway) as slow:
        slow.sendall(b"GET /health HTTP/1.1\r\nHost: loc")
        answer = read_answer(slow)
        assert answer.outcome == (408, "timeout_error")
        assert answer.sentence == "The headers of the request did not arrive within 0 s."
        check_error(answer.body)
        wait_closed(slow)


def test_headers_that_arrive_byte_by_byte_are_refused_as_well(start_gateway: StartGateway) -> None:
    gateway = start_gateway(timeouts=QUICK_HEAD)
    with connect(gateway) as slow:
        for byte in HEALTH[:-2] + b"X: " + b"x" * 8000:
            slow.sendall(bytes([byte]))
            if select.select([slow], [], [], 0.002)[0]:
                break
        assert read_answer(slow).outcome == (408, "timeout_error")


def test_a_connection_may_stay_idle_after_its_answer(start_gateway: StartGateway) -> None:
    gateway = start_gateway(timeouts=QUICK_HEAD)
    with used_connections(gateway, 1) as (quiet,), connect(gateway) as silent, connect(gateway) as slow:
        slow.sendall(b"GET")
        assert read_answer(slow).status == 408
        assert is_open(quiet)
        assert is_open(silent)


def test_a_long_answer_has_no_limit_for_headers(start_gateway: StartGateway, upstream: FakeUpstream) -> None:
    gateway = start_gateway(timeouts=QUICK_HEAD)
    upstream.script(stream(text("one "), gate := Gate(), text("two"), finish()))
    with gateway.stream() as answer, connect(gateway) as slow:
        answer.read_until("content_block_delta")
        slow.sendall(b"GET")
        assert read_answer(slow).status == 408
        gate.open()
        assert answer.read_rest().text == "one two"


def test_the_rest_of_a_refused_body_is_not_taken_for_slow_headers(start_gateway: StartGateway) -> None:
    gateway = start_gateway(timeouts=QUICK_HEAD)
    with connect(gateway) as refused, connect(gateway) as slow:
        refused.sendall(b"POST /nothing HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4\r\n\r\n1")
        assert read_answer(refused).status == 404
        refused.sendall(b"23")
        slow.sendall(b"GET")
        assert read_answer(slow).status == 408
        refused.sendall(b"4")
        assert is_open(refused)


def test_a_refused_body_whose_rest_never_arrives_ends_the_connection(start_gateway: StartGateway) -> None:
    gateway = start_gateway(timeouts=Timeouts(linger_s=0.05))
    with connect(gateway) as refused:
        refused.sendall(b"POST /nothing HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4\r\n\r\n1")
        assert read_answer(refused).status == 404
        wait_closed(refused)


def test_a_connection_that_is_not_used_is_closed(start_gateway: StartGateway) -> None:
    gateway = start_gateway(timeouts=Timeouts(idle_s=0.05))
    with used_connections(gateway, 1) as (used,), connect(gateway) as silent:
        wait_closed(used)
        wait_closed(silent)


def test_a_client_that_does_not_read_its_answer_is_disconnected(
    start_gateway: StartGateway, upstream: FakeUpstream
) -> None:
    gateway = start_gateway(timeouts=Timeouts(unread_s=0.05))
    upstream.script(stream(*(text("word " * 20_000) for _ in range(200)), Gate()))
    with gateway.stream():
        upstream.received[0].wait_left()
        gateway.wait_active(0)


# ---- requests that are not HTTP

HEAD = b"GET /health HTTP/1.1\r\nHost: localhost\r\n"
POST = b"POST /v1/messages HTTP/1.1\r\nHost: localhost\r\n"


@pytest.mark.parametrize(
    "request_bytes",
    [
        b"SECRET SECRET\r\n\r\n",
        b"SECRET /health HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"GET /health HTTP/9.9\r\nSECRET: SECRET\r\n\r\n",
        b"GET http://[SECRET/ HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"GET /health HTTP/1.1\nHost: localhost\nX: SECRET\n\n",
        HEAD + b"SECRET\r\n\r\n",
        HEAD + b"X : SECRET\r\n\r\n",
        HEAD + b"X: 1\r\n SECRET\r\n\r\n",
        HEAD + b"X: SE\0CRET SECRET\r\n\r\n",
        HEAD + b"X: " + b"SECRET" * 2000 + b"\r\n\r\n",
        HEAD + b"".join(b"X%d: SECRET\r\n" % number for number in range(200)) + b"\r\n",
        b"GET /health?" + b"SECRET" * 2000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n",
        POST + b"Content-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\nSECRET",
        POST + b"Content-Length: 6\r\nContent-Length: 7\r\n\r\nSECRET",
        POST + b"Content-Length: -6\r\n\r\nSECRET",
        POST + b"Transfer-Encoding: chunked\r\n\r\nSECRET\r\n",
        POST + b"Transfer-Encoding: SECRET\r\n\r\nSECRET\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03SECRET",
    ],
    ids=[
        *("nonsense", "method", "version", "address", "bare LF", "no colon", "space before the colon", "folded line"),
        *("NUL", "long header", "many headers", "long address", "two framings", "two lengths", "negative length"),
        *("chunk size", "unknown encoding", "TLS"),
    ],
)
def test_a_request_that_is_not_http_gets_anthropics_error_and_a_log_line_without_its_content(
    gateway: RunningGateway, log_file: LogFile, request_bytes: bytes
) -> None:
    for _ in range(3):
        answer = send_raw(gateway, request_bytes)
        assert answer.outcome == (400, "invalid_request_error")
        check_error(answer.body)
        assert answer.headers["request-id"] == answer.body["request_id"]
        assert answer.sentence.startswith("The request cannot be read: ")
    assert log_file.text.count("\n") == 1
    assert "a request from 127.0.0.1 cannot be read: " in log_file.text
    assert "SECRET" not in log_file.text


def test_a_line_that_is_too_long_is_named_without_being_quoted(gateway: RunningGateway) -> None:
    answer = send_raw(gateway, HEAD + b"X: " + b"SECRET" * 2000 + b"\r\n\r\n")
    assert answer.sentence == "The request cannot be read: a line of its head is too long."


def test_a_malformed_body_that_nobody_reads_leaves_no_traceback(gateway: RunningGateway, log_file: LogFile) -> None:
    head = b"POST /api/event_logging/batch HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
    with connect(gateway) as client:
        client.sendall(head + b"6\r\nSECRETxx")
        assert read_answer(client).status == 400
        wait_closed(client)
    assert "Traceback" not in log_file.text
    assert "SECRET" not in log_file.text
