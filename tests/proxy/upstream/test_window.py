"""The number of requests that may start in a minute, with given times."""

from __future__ import annotations

from itertools import pairwise

import pytest

from tray_app.proxy.upstream.window import (
    BUSY_RECOVERY_S,
    CALM_S,
    LONG_TROUBLE_S,
    LONGEST_PAUSE_S,
    PAUSE_S,
    RECOVERY_S,
    WINDOW_S,
    RequestWindow,
)


def make_window(limit: int) -> RequestWindow:
    window = RequestWindow()
    window.limit = limit
    return window


def start_all(window: RequestWindow, count: int, from_s: float = 0.0) -> list[float]:
    """Starts `count` requests, each as early as it may, and returns their times."""
    starts, now_s = [], from_s
    for _ in range(count):
        now_s = max(now_s, window.next_start_s(now_s))
        window.count_start(now_s)
        starts.append(now_s)
    return starts


def refuse(window: RequestWindow, now_s: float, times: int = 1) -> int:
    """Notes refusals, and returns the limit after them."""
    for _ in range(times):
        window.note_refused(now_s)
    return window.limit_in_force


def limit_after(window: RequestWindow, now_s: float) -> int:
    window.note_served(now_s)
    return window.limit_in_force


SPACING_S = WINDOW_S / 16
"""Seconds between the requests that a limit of 40 leaves for the minute after a burst of 25."""


def test_25_of_40_start_at_once_and_the_rest_are_spread_over_the_minute() -> None:
    starts = start_all(make_window(40), 41)
    assert starts[:25] == [0.0] * 25
    assert starts[25:40] == pytest.approx([SPACING_S * n for n in range(1, 16)])
    assert starts[40] == WINDOW_S


def test_a_burst_may_use_what_the_minute_has_left() -> None:
    window = make_window(40)
    start_all(window, 10)
    assert start_all(window, 20, from_s=20) == [20.0] * 20
    assert 20 < window.next_start_s(20.0) <= 20 + SPACING_S


def test_requests_may_start_at_once_if_older_ones_leave_the_minute_one_by_one() -> None:
    window = make_window(40)
    for n in range(30):
        start_all(window, 1, from_s=2.0 * n)  # 30 a minute
    assert start_all(window, 9, from_s=60.0) == [60.0] * 9


@pytest.mark.parametrize("burst", [1, 10, 25, 40])
def test_after_any_burst_the_next_turn_is_a_few_seconds_away_while_requests_wait(burst: int) -> None:
    window = make_window(40)
    for n in range(10):
        start_all(window, 1, from_s=3.0 * n)
    starts = start_all(window, burst, from_s=40.0) + start_all(window, 200, from_s=40.0)
    assert max(later - earlier for earlier, later in pairwise(starts)) <= SPACING_S + 1e-6


@pytest.mark.parametrize("limit", [1, 2, 7, 8, 25, 40, 100])
def test_no_minute_ever_holds_more_than_the_limit(limit: int) -> None:
    starts = start_all(make_window(limit), 5 * limit)
    assert all(later - earlier >= WINDOW_S - 1e-6 for earlier, later in zip(starts, starts[limit:], strict=False))
    assert starts[-1] <= 5 * WINDOW_S  # the limit is used fully


def test_a_start_leaves_the_window_a_minute_later() -> None:
    window = make_window(2)
    for start_s in (0.0, 40.0):
        window.count_start(start_s)
    assert [window.count_used(now_s) for now_s in (40.0, 60.9, 61.0, 100.9, 101.0)] == [2, 2, 1, 1, 0]


def test_without_a_limit_nothing_waits_and_nothing_is_learned() -> None:
    window = make_window(0)
    start_all(window, 1000)
    assert refuse(window, 1.0, times=50) == 0
    assert window.next_start_s(1.0) <= 1.0


def test_a_limit_that_is_changed_counts_at_once() -> None:
    window = make_window(40)
    start_all(window, 5)
    window.limit = 4
    assert window.next_start_s(1.0) == WINDOW_S
    window.limit = 40
    assert window.next_start_s(1.0) == 1.0
    window.limit = 0
    assert window.next_start_s(1.0) == 1.0


def test_a_start_that_is_taken_back_leaves_no_trace() -> None:
    window, other = make_window(40), make_window(40)
    start_all(window, 7)
    start_all(other, 7)
    other.count_start(20.0)
    other.take_back(20.0)
    assert start_all(other, 50, 20.0) == pytest.approx(start_all(window, 50, 20.0))
    other.take_back(19.0)  # this start was never counted


def test_refusals_teach_how_many_requests_upstream_takes() -> None:
    window = make_window(40)
    start_all(window, 30)
    assert refuse(window, 40.0, times=1) == 29
    assert refuse(window, 40.1, times=4) == 25


def test_refusals_of_requests_under_way_halve_the_limit_at_most() -> None:
    window = make_window(40)
    start_all(window, 40)
    assert refuse(window, 60.0, times=40) == 20


def test_a_refusal_far_below_the_limit_halves_it() -> None:
    window = make_window(40)
    start_all(window, 3)
    assert refuse(window, 10.0) == 20
    start_all(window, 1, 20.0)
    assert refuse(window, 21.0) == 10


def test_one_request_a_minute_is_always_left() -> None:
    window = make_window(3)
    for minute in range(5):
        start_all(window, 1, minute * 100.0)
        refuse(window, minute * 100.0 + 1)
    assert window.limit_in_force == 1


def test_nothing_starts_for_a_moment_after_a_refusal() -> None:
    window = make_window(40)
    start_all(window, 1)
    refuse(window, 1.0)
    assert window.next_start_s(1.5) == 1 + PAUSE_S


def test_a_learned_limit_rises_ever_faster_while_requests_are_served() -> None:
    window = make_window(40)
    start_all(window, 6)
    refuse(window, 10.0)
    assert limit_after(window, RECOVERY_S + 9) == 20
    assert [limit_after(window, RECOVERY_S * n + 10) for n in (1, 2, 3, 4, 5)] == [21, 23, 27, 35, 40]


def refuse_often(window: RequestWindow, times: int) -> float:
    """Refuses the only request of each half minute, and returns when the last one was refused."""
    for n in range(times):
        start_all(window, 1, from_s=30.0 * n)
        refuse(window, 30.0 * n)
    return 30.0 * (times - 1)


def test_a_limit_that_was_learned_of_a_busy_upstream_is_back_soon_after_it_serves_again() -> None:
    window = make_window(40)
    refused_s = refuse_often(window, 8)
    assert window.limit_in_force == 5, "an eighth of the limit is always left"
    assert [limit_after(window, refused_s + BUSY_RECOVERY_S * n) for n in (0, 1)] == [20, 40]


def test_refusals_between_answers_of_a_busy_upstream_leave_an_eighth_and_long_pauses() -> None:
    window = make_window(40)
    for second in range(0, 80, 8):
        if second % 16 == 0:
            window.count_start(second)
            window.note_served(second + 1)
        window.count_start(second + 2)
        refuse(window, second + 3)
    assert window.limit_in_force == 5
    refused_s = 75.0
    assert window.next_start_s(refused_s) == refused_s + LONGEST_PAUSE_S
    limits = [limit_after(window, refused_s + BUSY_RECOVERY_S * n) for n in range(4)]
    assert limits == [5, 10, 20, 40]
    later_s = refused_s + CALM_S
    start_all(window, 1, from_s=later_s)
    refuse(window, later_s)
    assert window.next_start_s(later_s) == later_s + PAUSE_S, "after a calm time the pauses are short again"


def test_a_count_below_an_eighth_is_believed_if_upstream_refuses_for_minutes() -> None:
    window = make_window(40)
    refused_s = refuse_often(window, int(LONG_TROUBLE_S / 30) + 1)
    assert refused_s == LONG_TROUBLE_S
    assert window.limit_in_force == 2


def test_a_refusal_begins_the_rise_anew() -> None:
    window = make_window(40)
    start_all(window, 6)
    refuse(window, 0.0)
    assert limit_after(window, RECOVERY_S * 3) == 27
    start_all(window, 20, RECOVERY_S * 3)
    refused_s = RECOVERY_S * 3 + 60
    assert refuse(window, refused_s) == 19
    assert limit_after(window, refused_s + RECOVERY_S) == 20


def test_a_learned_limit_is_gone_after_a_day_without_requests() -> None:
    window = make_window(40)
    start_all(window, 1)
    refuse(window, 0.0)
    assert limit_after(window, 86_400.0) == 40


def test_a_burst_that_is_refused_makes_bursts_small_and_leaves_the_limit() -> None:
    window = make_window(40)
    start_all(window, 25)
    assert refuse(window, 0.3, times=15) == 40
    window.note_served(2.0)
    assert window.count_used(4.0) == 10
    assert start_all(window, 1, from_s=4.0) == [4.0]
    start_all(window, 1, from_s=4.0)
    assert start_all(window, 6, from_s=200.0)[:6] == pytest.approx([200.0] * 5 + [200 + WINDOW_S / 36])


def test_bursts_become_larger_again_while_requests_are_served() -> None:
    window = make_window(40)
    start_all(window, 25)
    refuse(window, 0.0)
    for minutes, burst in ((5, 15), (20, 25)):
        window.note_served(60.0 * minutes)
        assert start_all(window, burst + 1, from_s=60.0 * minutes)[-2:] == pytest.approx(
            [60.0 * minutes, 60.0 * minutes + WINDOW_S / (41 - burst)]
        )


def test_a_refused_request_does_not_count_as_taken() -> None:
    window = make_window(40)
    start_all(window, 3)
    refuse(window, 1.0, times=2)
    assert window.count_used(1.0) == 1


def test_with_a_learned_limit_starts_are_evenly_spaced() -> None:
    window = make_window(40)
    start_all(window, 1)
    refuse(window, 10.0)
    window.note_served(15.0)
    assert start_all(window, 3, from_s=20.0) == pytest.approx([20 + WINDOW_S / 20 * n for n in range(3)])


def test_during_many_refusals_one_request_at_a_time_is_tried_after_growing_pauses() -> None:
    window = make_window(40)
    start_all(window, 25)
    refuse(window, 0.0, times=25)
    asked_s: list[float] = []
    for _ in range(6):
        asked_s += start_all(window, 1, from_s=asked_s[-1] if asked_s else 0.0)
        refuse(window, asked_s[-1])
    assert asked_s == [3, 9, 21, 33, 45, 57]
    assert PAUSE_S == 3
    assert LONGEST_PAUSE_S == 12


def test_a_request_without_an_answer_delays_the_next_one_for_a_pause_only() -> None:
    window = make_window(40)
    start_all(window, 1)
    refuse(window, 0.0)
    assert start_all(window, 2, from_s=3.0) == pytest.approx([3.0, 6.0], abs=0.1)


def test_after_many_refusals_the_first_lesson_sets_the_limit() -> None:
    window = make_window(40)
    for n in range(6):
        start_all(window, 1, from_s=20.0 * n)
        refuse(window, 20.0 * n)
    assert window.limit_in_force == 5
    assert limit_after(window, 101.0) == 20


def test_a_learned_limit_delays_a_request_for_a_pause_at_most() -> None:
    window = make_window(40)
    start_all(window, 25)
    for now_s in (10.0, 10.1, 10.2):
        window.note_refused(now_s)
    assert window.limit_in_force == 22
    window.note_served(11.0)
    assert window.count_used(11.0) == 22
    assert window.next_start_s(11.0) == pytest.approx(10.2 + LONGEST_PAUSE_S)
    window.limit = 22
    assert window.next_start_s(11.0) == WINDOW_S, "the user's own limit is no guess"


def test_the_users_limit_stays_the_highest() -> None:
    window = make_window(40)
    start_all(window, 1)
    refuse(window, 0.0)
    window.limit = 10
    assert window.limit_in_force == 10
    window.limit = 100
    assert window.limit_in_force == 20


def test_what_is_foreseen_comes_true_and_changes_nothing() -> None:
    window = make_window(10)
    start_all(window, 8)
    foreseen = window.foresee_starts(1.0, 12)
    assert window.foresee_starts(1.0, 12) == foreseen
    assert start_all(window, 12, from_s=1.0) == foreseen
