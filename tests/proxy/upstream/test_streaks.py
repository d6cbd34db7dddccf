"""Which models answer, and which keep failing."""

from __future__ import annotations

import time

import pytest

from tray_app.catalog import GLM_4_7, MINIMAX_M2_1
from tray_app.errors import KeyRefused, Overloaded, ProxyError, QueueFull, RateLimited, Unreachable, UpstreamFault
from tray_app.proxy.upstream.streaks import LONG_S, MANY_ENDS, Streaks
from tray_app.status.board import Failing

BUSY = Failing(GLM_4_7.id, "NVIDIA is overloaded")


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The time in seconds, which the test sets."""
    now_s = [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: now_s[0])
    return now_s


def test_a_model_keeps_failing_if_its_tries_fail_for_a_minute(clock: list[float]) -> None:
    streaks = Streaks()
    streaks.note_failed(GLM_4_7, RateLimited("Too many."))
    clock[0] += LONG_S - 1
    streaks.note_failed(GLM_4_7, Overloaded("Busy."))
    assert streaks.find_failing() == ()
    clock[0] += 1
    assert streaks.find_failing() == (), "no news is no failure"
    streaks.note_failed(GLM_4_7, Overloaded("Busy."))
    assert streaks.find_failing() == (BUSY,)
    streaks.note_answered(GLM_4_7)
    assert streaks.find_failing() == ()
    streaks.note_failed(GLM_4_7, Overloaded("Busy."))
    assert streaks.find_failing() == (), "the answer ended the streak"


def test_a_model_keeps_failing_if_several_requests_in_a_row_end_with_an_error(clock: list[float]) -> None:
    streaks, error = Streaks(), Overloaded("Busy.")
    for n in range(MANY_ENDS):
        assert streaks.find_failing() == (), n
        streaks.note_failed(GLM_4_7, error)
        streaks.note_ended(GLM_4_7, error)
    assert streaks.find_failing() == (BUSY,)


@pytest.mark.parametrize("error", [Unreachable("No net."), QueueFull("Full."), KeyRefused("No."), ProxyError("Bug.")])
def test_a_failure_that_another_model_would_not_avoid_does_not_count(clock: list[float], error: ProxyError) -> None:
    streaks = Streaks()
    for _ in range(2 * MANY_ENDS):
        clock[0] += LONG_S
        streaks.note_failed(GLM_4_7, error)
        streaks.note_ended(GLM_4_7, error)
    assert streaks.find_failing() == ()


def test_the_models_that_answer_are_those_whose_newest_request_was_answered() -> None:
    streaks = Streaks()
    streaks.note_answered(GLM_4_7)
    streaks.note_answered(MINIMAX_M2_1)
    assert streaks.answering == {GLM_4_7.id, MINIMAX_M2_1.id}
    streaks.note_failed(GLM_4_7, UpstreamFault("Broken."))
    assert streaks.answering == {MINIMAX_M2_1.id}
