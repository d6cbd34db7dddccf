"""How many requests a minute takes, with every time given."""

from __future__ import annotations

import pytest

from tray_app.proxy.window import PAUSE_S, RECOVERY_S, WINDOW_S, RequestWindow


def make_window(limit: int) -> RequestWindow:
    window = RequestWindow()
    window.limit = limit
    return window


def start_all(window: RequestWindow, count: int, from_s: float = 0.0) -> list[float]:
    """Starts as many as that, each as early as may be; returns when."""
    starts, now_s = [], from_s
    for _ in range(count):
        now_s = max(now_s, window.next_start_s(now_s))
        window.count_start(now_s)
        starts.append(now_s)
    return starts


def refuse(window: RequestWindow, now_s: float, times: int = 1) -> int:
    """Upstream refuses; returns the limit that is left."""
    for _ in range(times):
        window.note_refused(now_s)
    return window.limit_in_force


def limit_after(window: RequestWindow, now_s: float) -> int:
    window.note_served(now_s)
    return window.limit_in_force


def test_an_eighth_starts_at_once_and_more_only_evenly_spaced() -> None:
    starts = start_all(make_window(40), 9)
    assert starts[:5] == [0.0] * 5
    assert starts[5:] == pytest.approx([WINDOW_S / 40 * n for n in (1, 2, 3, 4)])


def test_whoever_was_slow_before_may_burst_again() -> None:
    window = make_window(40)
    start_all(window, 5)
    assert start_all(window, 5, from_s=20) == [20.0] * 5


@pytest.mark.parametrize("limit", [1, 2, 7, 8, 25, 40, 100])
def test_no_minute_ever_holds_more_than_the_limit(limit: int) -> None:
    starts = start_all(make_window(limit), 5 * limit)
    assert all(later - earlier >= WINDOW_S - 1e-6 for earlier, later in zip(starts, starts[limit:], strict=False))
    assert starts[-1] <= 5 * WINDOW_S  # and none is wasted


def test_the_minute_glides() -> None:
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
    assert window.next_start_s(1.0) == pytest.approx(WINDOW_S / 40)
    window.limit = 0
    assert window.next_start_s(1.0) == 1.0


def test_a_start_that_is_taken_back_leaves_no_trace() -> None:
    window, other = make_window(40), make_window(40)
    start_all(window, 7)
    start_all(other, 7)
    other.count_start(20.0)
    other.take_back(20.0)
    assert start_all(other, 50, 20.0) == pytest.approx(start_all(window, 50, 20.0))
    other.take_back(19.0)  # never was


def test_the_refused_of_a_minute_tell_how_many_upstream_takes() -> None:
    window = make_window(40)
    start_all(window, 30)
    assert refuse(window, 40.0, times=1) == 29
    assert refuse(window, 40.1, times=4) == 25


def test_refusals_of_what_was_under_way_take_half_at_most() -> None:
    window = make_window(40)
    start_all(window, 40)
    assert refuse(window, 60.0, times=40) == 20


def test_a_refusal_far_below_the_limit_halves_it_for_it_tells_of_load() -> None:
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
    start_all(window, 1)
    refuse(window, 0.0)
    assert limit_after(window, RECOVERY_S - 1) == 20
    assert [limit_after(window, RECOVERY_S * n) for n in (1, 2, 3, 4, 5)] == [21, 23, 27, 35, 40]


def test_a_refusal_begins_the_rise_anew() -> None:
    window = make_window(40)
    start_all(window, 1)
    refuse(window, 0.0)
    assert limit_after(window, RECOVERY_S * 3) == 27
    start_all(window, 20, RECOVERY_S * 3)
    refused_s = RECOVERY_S * 3 + 60
    assert refuse(window, refused_s) == 19
    assert limit_after(window, refused_s + RECOVERY_S) == 20


def test_what_was_learned_fades_while_nobody_asks() -> None:
    window = make_window(40)
    start_all(window, 1)
    refuse(window, 0.0)
    assert limit_after(window, 86_400.0) == 40


def test_the_users_limit_stays_the_highest() -> None:
    window = make_window(40)
    start_all(window, 1)
    refuse(window, 0.0)
    window.limit = 10
    assert window.limit_in_force == 10
    window.limit = 100
    assert window.limit_in_force == 20
