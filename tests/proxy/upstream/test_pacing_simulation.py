"""The effect of pacing on many agents in half an hour. `pacing_simulation.py` prints the whole table."""

from __future__ import annotations

from itertools import pairwise

import pytest

from tests.proxy.upstream.pacing_simulation import (
    STORM_ENDS_S,
    busy,
    by_load,
    simulate,
    simulate_fan_outs,
    simulate_session,
    steady,
    storm,
)


@pytest.mark.parametrize("agents", [8, 16])
def test_the_right_limit_is_never_refused_and_fully_used(agents: int) -> None:
    report = simulate(steady(40), agents=agents, paced=True)
    assert report.upstream_refusals == 0
    assert report.used_share >= 0.97
    assert report.longest_interactive_s < 30


@pytest.mark.parametrize("agents", [8, 16])
@pytest.mark.parametrize("burst", [5, 10])
def test_an_upstream_without_bursts_is_learned_at_once_and_fully_used(agents: int, burst: int) -> None:
    report = simulate(steady(40), agents=agents, paced=True, burst=burst)
    assert report.client_refusals == 0
    assert report.upstream_refusals <= 4
    assert report.used_share >= 0.95
    assert report.longest_interactive_s < 60


@pytest.mark.parametrize("burst", [None, 10])
def test_a_burst_in_an_idle_minute_starts_at_once_if_upstream_takes_it(burst: int | None) -> None:
    report = simulate_fan_outs(steady(40), asks=25, times=10, burst=burst)
    assert report.client_refusals == 0
    assert report.upstream_refusals == 0 if burst is None else report.upstream_refusals < 40
    assert report.longest_s < 4 if burst is None else report.longest_s < 40


def test_after_many_refusals_turns_go_on_within_seconds() -> None:
    report = simulate(storm, agents=8, paced=True, minutes=15)
    assert report.upstream_refusals <= 20, "an upstream that refuses everything is asked seldom"
    resumed_s = [time_s for time_s in report.taken_s if time_s >= STORM_ENDS_S]
    assert resumed_s[0] - STORM_ENDS_S < 15
    assert max(later - earlier for earlier, later in pairwise(resumed_s)) < 5


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("agents", [4, 8, 16])
def test_after_many_refusals_with_some_answers_in_between_turns_go_on_within_a_minute(agents: int, seed: int) -> None:
    report = simulate(busy, agents=agents, paced=True, minutes=12, seed=seed)
    assert report.upstream_refusals <= 40
    after_s = [time_s - STORM_ENDS_S for time_s in report.taken_s if time_s >= STORM_ENDS_S]
    assert sum(time_s < 60 for time_s in after_s) >= 15
    assert sum(60 <= time_s < 120 for time_s in after_s) >= 24, "all is as before"


@pytest.mark.parametrize("limit", [8, 15])
def test_a_limit_that_stays_low_is_refused_about_once_a_minute(limit: int) -> None:
    report = simulate(steady(limit), agents=8, paced=True)
    assert report.client_refusals == 0
    assert report.upstream_refusals <= 45
    assert report.used_share >= 0.93


def test_a_lower_limit_is_learned_and_no_client_sees_a_refusal() -> None:
    report = simulate(steady(25), agents=16, paced=True)
    assert report.client_refusals == 0
    assert report.upstream_refusals <= 40  # one a minute, and some at the beginning
    assert report.used_share >= 0.93


def test_a_limit_that_sinks_and_rises_is_followed_and_no_client_sees_a_refusal() -> None:
    report = simulate(by_load, agents=16, paced=True)
    assert report.client_refusals == 0
    assert report.upstream_refusals <= 60
    assert report.used_share >= 0.75


def test_agents_that_stay_below_the_limit_do_not_notice_it() -> None:
    paced, free = (simulate(steady(40), agents=4, paced=paced) for paced in (True, False))
    assert paced == free


def test_without_pacing_clients_are_refused_all_the_time_and_wait_for_minutes() -> None:
    report = simulate(steady(40), agents=16, paced=False)
    assert report.client_refusals > report.turns
    assert report.longest_interactive_s > 100


@pytest.mark.parametrize("limit", [25, 8])
def test_a_model_of_their_own_for_sub_agents_brings_a_second_allowance(limit: int) -> None:
    own, others = simulate_session(steady(limit), sub_agents=8, has_background_model=False)
    own_alone, others_alone = simulate_session(steady(limit), sub_agents=8, has_background_model=True)
    assert own_alone.longest_s < own.longest_s / 3, "the session no longer waits behind its sub-agents"
    assert own_alone.turns > own.turns
    assert others_alone.turns > 1.3 * others.turns
    assert own_alone.failed_turns == others_alone.failed_turns == 0
