"""Many agents for half an hour: what pacing is for, measured. The whole table: tests/proxy/pacing_simulation.py."""

from __future__ import annotations

import pytest

from tests.proxy.pacing_simulation import by_load, simulate, steady


@pytest.mark.parametrize("agents", [8, 16])
@pytest.mark.parametrize("burst", [None, 10], ids=["a minute's limit", "no bursts"])
def test_with_the_right_limit_upstream_never_refuses_and_is_fully_used(agents: int, burst: int | None) -> None:
    report = simulate(steady(40), agents=agents, paced=True, burst=burst)
    assert report.upstream_refusals == 0
    assert report.used_share >= 0.97
    assert report.longest_interactive_s < 30


def test_a_lower_limit_is_learned_and_no_client_sees_a_refusal() -> None:
    report = simulate(steady(25), agents=16, paced=True)
    assert report.client_refusals == 0
    assert report.upstream_refusals <= 40  # one a minute, and those of the beginning
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
