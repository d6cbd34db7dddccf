"""What the doctor says about the way to NVIDIA, against servers on this machine."""

from __future__ import annotations

import datetime as dt
import socket
import ssl
import threading
from contextlib import suppress
from email.utils import format_datetime
from pathlib import Path

import pytest

from tests.support.ports import free_port
from tests.support.raw_upstream import RawUpstream
from tray_app.doctor.findings import Level
from tray_app.doctor.upstream import check_upstream

ANSWER = "HTTP/1.1 {status}\r\nContent-Length: 0\r\nConnection: close\r\n{date}\r\n"


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("no_proxy", "*")


def answer(status: str = "200 OK", ahead_s: float | None = 0.0) -> bytes:
    """Returns an answer whose clock is so many seconds ahead; None: it has no date."""
    date = ""
    if ahead_s is not None:
        then = dt.datetime.now(dt.UTC) + dt.timedelta(seconds=ahead_s)
        date = f"Date: {format_datetime(then, usegmt=True)}\r\n"
    return ANSWER.format(status=status, date=date).encode()


def make_context() -> ssl.SSLContext:
    return ssl.create_default_context()


@pytest.mark.parametrize("status", ["200 OK", "401 Unauthorized", "503 Service Unavailable"])
def test_any_answer_is_a_sign_of_life_and_no_key_is_sent(status: str) -> None:
    with RawUpstream(answer(status), ends=True) as upstream:
        findings = check_upstream(upstream.url, make_context)
    assert [(finding.topic, finding.level) for finding in findings] == [("NVIDIA", Level.OK), ("Clock", Level.OK)]
    assert upstream.received[0].startswith(b"GET /v1/models HTTP/1.1")
    assert b"authorization" not in upstream.received[0].lower()


@pytest.mark.parametrize(("ahead_s", "words"), [(3600, "behind NVIDIA's"), (-3600, "ahead of NVIDIA's")])
def test_a_wrong_clock_is_a_note(ahead_s: float, words: str) -> None:
    with RawUpstream(answer(ahead_s=ahead_s), ends=True) as upstream:
        clock = check_upstream(upstream.url, make_context)[1]
    assert clock.level is Level.NOTE
    assert words in clock.sentence


def test_an_answer_without_a_date_says_nothing_about_the_clock() -> None:
    with RawUpstream(answer(ahead_s=None), ends=True) as upstream:
        assert len(check_upstream(upstream.url, make_context)) == 1


def test_a_server_that_is_not_there_or_speaks_no_http_is_a_failure() -> None:
    (gone,) = check_upstream(f"http://127.0.0.1:{free_port()}/v1/chat/completions", make_context)
    assert gone.level is Level.FAIL
    assert "127.0.0.1 cannot be reached: " in gone.sentence
    with RawUpstream(b"220 mail ready\r\n", ends=True) as upstream:
        (strange,) = check_upstream(upstream.url, make_context)
    assert strange.level is Level.FAIL


def refuse_to_be_trusted(server: socket.socket, context: ssl.SSLContext) -> None:
    """Answers one connection with a certificate that the client does not accept."""
    connection, _ = server.accept()
    with connection, suppress(OSError):
        context.wrap_socket(connection, server_side=True)


def test_a_certificate_that_nobody_vouches_for_is_a_failure() -> None:
    certificates = Path(__file__).resolve().parents[1] / "certificates"
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificates / "server.pem", certificates / "server.key")
    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=refuse_to_be_trusted, args=(server, context))
        thread.start()
        (finding,) = check_upstream(f"https://127.0.0.1:{server.getsockname()[1]}/v1/chat/completions", make_context)
        thread.join()
    assert finding.level is Level.FAIL
    assert "certificate of 127.0.0.1 is not accepted" in finding.sentence
    assert "clock" in finding.fix
