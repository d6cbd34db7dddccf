"""Upstreams that break the rules of HTTP or never end their answer: each becomes an error in time."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import Callable
from typing import Any

import pytest

from tests.conftest import LogFile, StartGateway
from tests.support.chunks import completion, finish, text
from tests.support.fake_upstream import event
from tests.support.gateway import NVIDIA_KEY, both_ways, question
from tests.support.loop_watch import count_turns
from tests.support.raw_upstream import RawUpstream
from tray_app.catalog import GLM_4_7
from tray_app.errors import UpstreamTimeout
from tray_app.proxy.upstream import client as upstream_client
from tray_app.proxy.upstream import session as upstream_session
from tray_app.proxy.upstream.client import UpstreamClient
from tray_app.proxy.upstream.timeouts import Timeouts
from tray_app.translate.request.chat import ChatRequest, to_chat
from tray_app.translate.request.validation import read_request

OK = b"HTTP/1.1 200 OK\r\n"
JSON = OK + b"Content-Type: application/json\r\n"
EVENTS = OK + b"Content-Type: text/event-stream\r\n\r\n"
CHUNKED = JSON + b"Transfer-Encoding: chunked\r\n\r\n"
WHOLE = json.dumps(completion("Hello!")).encode()

NO_HTTP = "NVIDIA's answer cannot be read: it is not valid HTTP, or its headers are too large. Please try again."
BROKE_OFF = "The connection to NVIDIA broke off before the answer was complete. Please try again."


def sized(body: bytes) -> bytes:
    return b"Content-Length: %d\r\n\r\n%b" % (len(body), body)


# ---- answers that are not HTTP

ODD_HTTP: dict[str, bytes] = {
    "another protocol": b"SSH-2.0-OpenSSH\r\n",
    "TLS": b"\x15\x03\x01\x00\x02\x02\x46",
    "HTTP/2": b"\x00\x00\x12\x04\x00\x00\x00\x00\x00",
    "a version of the future": b"HTTP/9.9 200 OK\r\n\r\n",
    "a status that is no number": b"HTTP/1.1 abc OK\r\n\r\n",
    "a status of two digits": b"HTTP/1.1 99 OK\r\n\r\n",
    "an endless status line": b"HTTP/1.1 200 " + b"x" * 20_000 + b"\r\n\r\n",
    "a header of 20 KB": OK + b"X-A: " + b"x" * 20_000 + b"\r\n\r\n",
    "500 headers": OK + b"X-A: x\r\n" * 500 + b"\r\n",
    "a header without a colon": OK + b"X\r\n\r\n",
    "a header with a space in its name": OK + b"X Y: a\r\n\r\n",
    "a null byte": OK + b"X: a\x00b\r\n\r\n",
    "a length that is no number": OK + b"Content-Length: abc\r\n\r\n",
    "a negative length": OK + b"Content-Length: -1\r\n\r\n",
    "a length of 26 digits": OK + b"Content-Length: 99999999999999999999999999\r\n\r\n",
    "two lengths": OK + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\n",
    "a length and chunks": OK + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabcde\r\n0\r\n\r\n",
    "a chunk without a size": CHUNKED + b"zz\r\nabc",
    "a chunk of 22 hexadecimal digits": CHUNKED + b"f" * 22 + b"\r\nabc",
    "500 trailers": CHUNKED + b"0\r\n" + b"X: a\r\n" * 500 + b"\r\n",
    "an encoding that nobody asked for": JSON + b"Content-Encoding: br\r\n" + sized(WHOLE),
}


@both_ways
@pytest.mark.parametrize("answer", ODD_HTTP.values(), ids=list(ODD_HTTP))
def test_an_answer_that_is_not_http_is_an_error(
    start_gateway: StartGateway, log_file: LogFile, answer: bytes, is_stream: bool
) -> None:
    with RawUpstream(answer, ends=True) as raw:
        told = start_gateway(nvidia_url=raw.url).ask(question(stream=is_stream))
    assert (told.outcome, told.sentence) == ((502, "api_error"), NO_HTTP)
    assert "a fault of this program" not in log_file.text


UNUSUAL_HEADERS: dict[str, bytes] = {
    "an unknown encoding": b"Content-Encoding: nonsense\r\n",
    "two encodings": b"Content-Encoding: gzip, gzip\r\n",
    "an unknown charset": b"Content-Type: application/json; charset=nonsense\r\n",
    "a charset that never ends": b'Content-Type: application/json; charset="\xff\\\r\n',
    "a content type that is none": b"Content-Type: \xff;;=;application/json==\r\n",
    "an empty content type": b"Content-Type: \r\n",
    "cookies that are none": b'Set-Cookie: \xff=;;="\r\nSet-Cookie: a=b; expires=never; max-age=x\r\n',
    "a folded header": b"X: a\r\n b\r\n",
}


@pytest.mark.parametrize("headers", UNUSUAL_HEADERS.values(), ids=list(UNUSUAL_HEADERS))
def test_an_answer_is_read_under_any_headers(start_gateway: StartGateway, headers: bytes) -> None:
    with RawUpstream(OK + headers + sized(WHOLE)) as raw:
        assert start_gateway(nvidia_url=raw.url).ask().text == "Hello!"


@both_ways
@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        (b"", BROKE_OFF),
        (b"HTTP/1.1 101 Switching\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\r\nabc", "HTTP 101"),
        (b"HTTP/1.1 204 No Content\r\n\r\n", "HTTP 204"),
        (b"HTTP/1.1 302 Found\r\nLocation: http://[\r\nContent-Length: 0\r\n\r\n", "HTTP 302"),
        (b"HTTP/1.1 202 Accepted\r\nNVCF-REQID: ../../x\r\nContent-Length: 0\r\n\r\n", "does not say where"),
    ],
    ids=["nothing", "101", "204", "302", "202"],
)
def test_an_answer_without_a_usable_body_is_an_error(
    start_gateway: StartGateway, answer: bytes, sentence: str, is_stream: bool
) -> None:
    with RawUpstream(answer, ends=True) as raw:
        told = start_gateway(nvidia_url=raw.url).ask(question(stream=is_stream))
    assert told.outcome == (502, "api_error")
    assert sentence in told.sentence


def test_interim_responses_are_ignored(start_gateway: StartGateway) -> None:
    interim = b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n"
    with RawUpstream(b"HTTP/1.1 100 Continue\r\n\r\n" + 2_000 * interim + JSON + sized(WHOLE)) as raw:
        assert start_gateway(nvidia_url=raw.url).ask().text == "Hello!"


# ---- answers without an end

TIMEOUT_S = 0.5
"""Of the gateway. It must begin to read an answer within it, whatever else the machine does."""
SILENT = f"NVIDIA sent nothing for {TIMEOUT_S} s. Please try again."
UNFINISHED = f"NVIDIA did not finish its answer within {TIMEOUT_S} s. Please try again."
SAID_NOTHING = f"NVIDIA sent nothing of an answer for {TIMEOUT_S} s. Please try again."

DRIPS: dict[str, tuple[bytes, bytes, str]] = {
    "a status line": (b"HTTP/1.1 200 ", b"x", SILENT),
    "a header": (OK + b"X-A: ", b"x", SILENT),
    "headers": (OK, b"X: a\r\n", SILENT),
    "interim responses": (b"", b"HTTP/1.1 102 Processing\r\n\r\n", SILENT),
    "a flood of interim responses": (b"", b"HTTP/1.1 103 Early Hints\r\n\r\n" * 1_000, SILENT),
    "a whole answer": (JSON + b"\r\n" + WHOLE[:-40], b"x", UNFINISHED),
    "the blanks before a whole answer": (JSON + b"\r\n", b" ", SAID_NOTHING),
}


@both_ways
@pytest.mark.parametrize(("start", "drip", "sentence"), DRIPS.values(), ids=list(DRIPS))
def test_an_answer_that_never_ends_is_an_error(
    start_gateway: StartGateway, start: bytes, drip: bytes, sentence: str, is_stream: bool
) -> None:
    with RawUpstream(start, drip) as raw:
        told = start_gateway(nvidia_url=raw.url, upstream_timeout_seconds=TIMEOUT_S).ask(question(stream=is_stream))
        assert (told.outcome, told.sentence) == ((504, "timeout_error"), sentence)
        raw.wait_left()


@pytest.mark.parametrize("start", [b"", b"data: ", b": ", b'data: {"x":"', b"\xef\xbb"], ids=repr)
def test_a_line_of_an_event_stream_that_never_ends_is_an_error(start_gateway: StartGateway, start: bytes) -> None:
    with RawUpstream(EVENTS + start, b"x") as raw:
        told = start_gateway(nvidia_url=raw.url, upstream_timeout_seconds=TIMEOUT_S).ask(question(stream=True))
        assert told.sentence == SAID_NOTHING
        raw.wait_left()


def test_a_whole_answer_may_follow_white_space_and_arrive_in_many_pieces(start_gateway: StartGateway) -> None:
    body = b" " * 100 + WHOLE
    chunks = b"".join(b"1\r\n%c\r\n" % byte for byte in body) + b"0\r\n\r\n"
    with RawUpstream(CHUNKED + chunks) as raw:
        assert start_gateway(nvidia_url=raw.url).ask().text == "Hello!"


@both_ways
@pytest.mark.parametrize(
    ("status", "outcome"),
    [(b"503 Unavailable", (529, "overloaded_error")), (b"401 Unauthorized", (400, "billing_error"))],
    ids=["503", "401"],
)
def test_the_status_of_an_error_page_that_never_ends_is_enough(
    start_gateway: StartGateway, status: bytes, outcome: tuple[int, str], is_stream: bool
) -> None:
    with RawUpstream(b"HTTP/1.1 " + status + b'\r\n\r\n{"detail": "', b"x") as raw:
        gateway = start_gateway(nvidia_url=raw.url, timeouts=Timeouts(error_body_s=0.05, retry_budget_s=0))
        assert gateway.ask(question(stream=is_stream)).outcome == outcome
        raw.wait_left()


def test_the_beginning_of_an_error_page_that_is_cut_off_is_used(start_gateway: StartGateway) -> None:
    head = b"HTTP/1.1 400 Bad Request\r\nContent-Length: 1000\r\n\r\n"
    with RawUpstream(head + b'{"detail": "tools.0: too deep"}', ends=True) as raw:
        told = start_gateway(nvidia_url=raw.url).ask()
    assert (told.outcome, told.sentence) == (
        (400, "invalid_request_error"),
        "NVIDIA refused the request: tools.0: too deep",
    )


def test_bytes_that_drip_after_the_end_mark_are_not_awaited(
    start_gateway: StartGateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(upstream_client, "_REST_S", 0.05)
    with RawUpstream(EVENTS + event(text("Hello!")) + event(finish()) + b"data:  [DONE] \n\n", b":") as raw:
        assert start_gateway(nvidia_url=raw.url).ask(question(stream=True)).text == "Hello!"
        raw.wait_left()


@pytest.mark.filterwarnings(
    "ignore:Sending a large body directly"
)  # a smaller body would fit into the system's buffers
def test_an_upstream_that_never_reads_the_request_is_an_error(
    start_gateway: StartGateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(upstream_session, "_SLOWEST_UPLOAD_BYTES_PER_S", 100_000_000)
    with socket.create_server(("127.0.0.1", 0)) as server:  # the system accepts the connection and fills its buffers
        url = f"http://127.0.0.1:{server.getsockname()[1]}/v1/chat/completions"
        answer = start_gateway(nvidia_url=url, upstream_timeout_seconds=TIMEOUT_S).ask(question("word " * 3_000_000))
    assert (answer.outcome, answer.sentence) == ((504, "timeout_error"), SILENT)


# ---- the client itself


def hello_request(*, is_stream: bool) -> ChatRequest:
    return to_chat(read_request(question(stream=is_stream)), GLM_4_7)


def with_client(work: Callable[[UpstreamClient], Any]) -> Any:
    """Runs `work` with a client that is closed after it, and returns its result."""

    async def run() -> Any:
        client = UpstreamClient()
        try:
            return await work(client)
        finally:
            await client.close()

    return asyncio.run(run())


@pytest.mark.parametrize("start", [b"", JSON + b"\r\n", b"HTTP/1.1 404 Not Found\r\n"], ids=["silent", "body", "head"])
def test_a_list_that_never_ends_is_an_error(start: bytes) -> None:
    with RawUpstream(start, b"x" if start else b"") as raw:
        with pytest.raises(UpstreamTimeout, match=r"NVIDIA sent nothing for 0\.1 s"):
            with_client(lambda client: client.fetch(raw.url, NVIDIA_KEY, 0.1, 1_000_000))
        raw.wait_left()


def test_other_tasks_run_between_the_parts_of_a_large_read() -> None:
    events = b"data:{}\n\n" * 20_000

    async def read_all(client: UpstreamClient) -> tuple[bytes, int]:
        data, most_bytes = b"", 0
        async with (
            count_turns() as turns,
            client.open_chat(hello_request(is_stream=True), raw.url, NVIDIA_KEY, 20) as response,
        ):
            while part := await response.read_part():
                assert turns.count, "two parts were read in one turn"
                turns.count, data, most_bytes = 0, data + part, max(most_bytes, len(part))
        return data, most_bytes

    with RawUpstream(EVENTS + events, ends=True) as raw:
        data, most_bytes = with_client(read_all)
    assert data == events
    assert most_bytes <= 16 * 1024
