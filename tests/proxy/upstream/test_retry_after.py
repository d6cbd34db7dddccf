"""The pause that upstream asks for: how it is read, and which requests heed it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from tests.conftest import StartGateway
from tests.support.chunks import completion
from tests.support.fake_upstream import FakeUpstream, Reply, hello, refusal, whole
from tests.support.gateway import AT_ONCE, QUICK, RunningGateway, both_ways, question
from tray_app.catalog import GLM_4_7
from tray_app.proxy.upstream.retry_after import read_retry_after
from tray_app.proxy.upstream.timeouts import Timeouts

NOON = datetime(2026, 11, 27, 12, 0, 0, tzinfo=UTC)


def date(seconds: float) -> str:
    """Returns an HTTP date so many seconds after noon."""
    return format_datetime(NOON + timedelta(seconds=seconds), usegmt=True)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("30", 30),
        (" 0 ", 0),
        ("1.5", 1.5),
        ("3600", 3600),
        (date(90), 90),
        (date(-90), 0),
        ("Friday, 27-Nov-26 12:00:30 GMT", 30),
        ("Fri Nov 27 12:00:30 2026", 30),
        ("", None),
        ("soon", None),
        ("-5", None),
        ("nan", None),
        ("1e3", None),
        ("9" * 400, None),
        ("Fri, 27 Nov 2026", None),
        ("Fri, 99 Nov 2026 99:00:00 GMT", None),
    ],
    ids=lambda value: repr(value)[:40],
)
def test_seconds_and_dates_are_read(value: str, seconds: float | None) -> None:
    assert read_retry_after({"Retry-After": value, "Date": date(0)}) == seconds


def test_a_date_counts_from_now_if_the_answer_has_no_date() -> None:
    later = format_datetime(datetime.now(UTC) + timedelta(hours=1), usegmt=True)
    for answered in ({}, {"Date": "yesterday"}):
        seconds = read_retry_after({"Retry-After": later, **answered})
        assert seconds is not None
        assert 3_500 < seconds <= 3_600
    assert read_retry_after({}) is None


# ---- the retries of the gateway, and the client's


def test_a_pause_is_at_least_as_long_as_upstream_asks_for() -> None:
    backoff = Timeouts(retry_budget_s=90).backoff()
    assert backoff.next_pause_s(30.0) == 30.0
    assert backoff.next_pause_s(0.001) != 0.001
    assert backoff.next_pause_s(91.0) is None
    assert backoff.next_pause_s() is not None, "the budget itself is not spent"


@both_ways
@pytest.mark.parametrize("value", ["0", "0.01", date(-5)], ids=["0", "a hundredth", "past"])
def test_a_short_pause_is_waited_out(
    start_gateway: StartGateway, upstream: FakeUpstream, value: str, is_stream: bool
) -> None:
    upstream.script(refusal(429, Retry_After=value), refusal(503, Retry_After=value), hello(is_stream=is_stream))
    assert start_gateway(timeouts=QUICK).ask(question(stream=is_stream)).text == "Hello!"


@both_ways
@pytest.mark.parametrize(
    ("reply", "told"),
    [
        (refusal(429, Retry_After="3600"), "60"),
        (refusal(503, Retry_After="3600"), "60"),
        (refusal(429, Retry_After=date(3600), Date=date(0)), "60"),
        (refusal(529, Retry_After="600"), "60"),
    ],
    ids=["429", "503", "date", "529"],
)
def test_a_pause_beyond_the_budget_is_passed_on_to_the_client(
    start_gateway: StartGateway, upstream: FakeUpstream, reply: Reply, told: str, is_stream: bool
) -> None:
    upstream.script(reply)
    answer = start_gateway(timeouts=QUICK).ask(question(stream=is_stream))
    assert answer.status in (429, 529)
    assert answer.headers["retry-after"] == told
    assert "x-should-retry" not in answer.headers
    assert len(upstream.received) == 1


@pytest.mark.parametrize(
    ("value", "told"), [("7", "7"), ("6.2", "7"), ("0", "1"), ("61", "60"), ("soon", "15"), ("", "15")]
)
def test_the_client_is_told_a_pause_that_it_accepts(
    gateway: RunningGateway, upstream: FakeUpstream, value: str, told: str
) -> None:
    upstream.script(refusal(429, Retry_After=value))
    assert gateway.ask().headers["retry-after"] == told


def test_the_pause_of_a_permanent_error_is_ignored(gateway: RunningGateway, upstream: FakeUpstream) -> None:
    upstream.script(refusal(400, {"message": "no"}, Retry_After="5"), whole(completion("Hello!")))
    assert "retry-after" not in gateway.ask().headers
    assert gateway.ask().text == "Hello!"


# ---- the other requests to that model


@pytest.mark.parametrize("status", [429, 503])
def test_other_requests_to_the_model_wait_as_well(
    start_gateway: StartGateway, upstream: FakeUpstream, status: int
) -> None:
    gateway = start_gateway(timeouts=Timeouts(retry_budget_s=0, queue_s=0.05), clients_choose_model=True)
    upstream.script(refusal(status, Retry_After="3600"), whole(completion("Hello!")))
    assert gateway.ask(question(model=GLM_4_7.id)).status in (429, 529)
    waiting = gateway.ask(question(model=GLM_4_7.id))
    assert waiting.status == 429
    assert "waited" in waiting.sentence
    assert gateway.ask(question(model="minimaxai/minimax-m2.1")).text == "Hello!"
    assert len(upstream.received) == 2


def test_nobody_waits_if_there_is_no_limit_and_upstream_asks_for_no_pause(
    start_gateway: StartGateway, upstream: FakeUpstream
) -> None:
    gateway = start_gateway(timeouts=AT_ONCE)
    upstream.script(refusal(429), refusal(503), whole(completion("Hello!")))
    assert [gateway.ask().status for _ in range(3)] == [429, 529, 200]
