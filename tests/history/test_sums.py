"""Sums of requests: what nobody knows is not zero, and percentiles are read from counted times."""

from __future__ import annotations

import random

import pytest

from tray_app.history.record import CANCELLED, Outcome, RequestRecord
from tray_app.history.sums import DaySum, add_all, find_bucket, find_percentile, merge, shorten_count, sum_record

DAY = "2026-11-27"


def test_a_sum_of_numbers_that_nobody_knows_is_unknown_and_not_zero() -> None:
    unknown = sum_record(RequestRecord(0.0), DAY)
    known = sum_record(RequestRecord(0.0, tokens_in=7, tokens_cached=0), DAY)
    assert (unknown.tokens_in, unknown.tokens_cached) == (None, None)
    assert (add_all([unknown, unknown]).tokens_in, add_all([known, known]).tokens_in) == (None, 14)
    assert (add_all([unknown, known]).tokens_in, add_all([known, unknown]).tokens_in) == (7, 7)
    assert (add_all([known, known]).tokens_cached, add_all([known, unknown]).tokens_cached) == (0, 0)


@pytest.mark.parametrize(
    ("outcome", "counts"),
    [
        (Outcome.ANSWERED, (1, 0, 0, 0)),
        (Outcome.FAILED, (0, 1, 0, 0)),
        (Outcome.LEFT, (0, 0, 1, 0)),
        (Outcome.REFUSED, (0, 0, 0, 1)),
    ],
)
def test_each_outcome_has_a_count_of_its_own(outcome: Outcome, counts: tuple[int, ...]) -> None:
    found = sum_record(RequestRecord(0.0, outcome=outcome), DAY)
    assert (found.answered, found.failed, found.left_early, found.refused) == counts


def test_what_the_user_cancelled_is_no_failure_of_the_model() -> None:
    found = sum_record(RequestRecord(0.0, outcome=Outcome.FAILED, error=CANCELLED), DAY)
    assert (found.failed, found.left_early, found.success_rate) == (0, 1, None)


def test_the_success_rate_counts_only_what_nvidia_answered_or_failed_to_answer() -> None:
    assert DaySum(DAY, answered=3, failed=1, left_early=9, refused=9, requests=22).success_rate == 0.75
    assert DaySum(DAY, left_early=1, refused=1, requests=2).success_rate is None


def test_sums_are_merged_by_what_the_key_names() -> None:
    sums = [DaySum(DAY, "a", "x", requests=1), DaySum(DAY, "b", "x", requests=2), DaySum(DAY, "a", "y", requests=4)]
    assert {key: found.requests for key, found in merge(sums, lambda one: one.model_id).items()} == {"a": 5, "b": 2}
    assert {key: found.requests for key, found in merge(sums, lambda one: one.project).items()} == {"x": 3, "y": 4}


@pytest.mark.parametrize("percent", [1, 50, 95, 99, 100])
def test_a_percentile_of_counted_times_is_within_a_few_percent_of_the_true_one(percent: float) -> None:
    times = sorted(random.Random(1).lognormvariate(0, 1) for _ in range(1000))
    sums = merge((sum_record(RequestRecord(0.0, first_token_s=time), DAY) for time in times), lambda one: one.day)
    true = times[int(len(times) * percent / 100) - 1]
    assert sums[DAY].first_token_s(percent) == pytest.approx(true, rel=0.026)


@pytest.mark.parametrize(
    ("number", "short"),
    [
        *[(0, "0"), (999, "999"), (1000, "1k"), (9_400, "9k"), (182_499, "182k"), (999_499, "999k")],
        *[(999_500, "1.0M"), (1_249_999, "1.2M"), (9_949_999, "9.9M"), (9_950_000, "10M"), (1_234_567_890, "1,235M")],
    ],
)
def test_a_count_is_shortened_and_rounded(number: int, short: str) -> None:
    assert shorten_count(number) == short


def test_no_times_have_no_percentile() -> None:
    assert find_percentile({}, 50) is None
    assert find_bucket(None) is None
    assert find_bucket(0.0) == find_bucket(0.001)
