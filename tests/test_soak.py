"""Runs the soak test for a hundred answers, so that it is known to work."""

from __future__ import annotations

from tests.support.soak import soak


def test_agents_get_right_answers_or_honest_errors_from_an_upstream_that_fails_in_every_way() -> None:
    report = soak(0, least_answers=100)  # too short to say anything about growth
    assert not report.tally.wrong
    assert report.upstream.faults.total() > 2
