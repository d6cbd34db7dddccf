"""The view "History": the days of a period, the bars, and figures of what nobody knows."""

from __future__ import annotations

from typing import Any

import pytest

from tray_app.history.reader import StoredRequest
from tray_app.history.record import Outcome, RequestRecord
from tray_app.history.sums import DaySum
from tray_app.page.views.history import Period, show_requests, show_sums

GLM, OTHER = "z-ai/glm4.7", "lab/other"


def label(model_id: str) -> str:
    return {GLM: "GLM 4.7"}.get(model_id, model_id)


def show(*sums: DaySum, days: int | None = 7) -> Any:
    return show_sums(sums, Period.of("2026-11-27", days), label)


@pytest.mark.parametrize(
    ("days", "first_day"), [(1, "2026-11-27"), (14, "2026-11-14"), (None, ""), (10**18, "0001-01-01")]
)
def test_a_period_ends_today(days: int | None, first_day: str) -> None:
    assert Period.of("2026-11-27", days) == Period(first_day, "2026-11-27")


def test_days_without_a_request_have_no_figures_at_all() -> None:
    shown = show(DaySum("2026-11-25", GLM, requests=2, answered=2))
    assert [day["day"] for day in shown["days"]] == [f"2026-11-{number}" for number in range(27, 20, -1)]
    assert [day["requests"] for day in shown["days"]] == [None, None, 2, None, None, None, None]
    assert [bar["sum"] and bar["sum"]["requests"] for bar in shown["bars"]] == [None, None, None, None, 2, None, None]


def test_a_sum_of_unknown_numbers_stays_unknown() -> None:
    total = show(DaySum("2026-11-25", GLM, requests=1, refused=1))["total"]
    assert (total["requests"], total["tokens_in"], total["success_rate"]) == (1, None, None)
    assert total["first_token_s"] == [None, None, None]


def test_without_requests_there_is_no_total() -> None:
    shown = show(days=None)
    assert shown["total"] is None
    assert (shown["first_day"], shown["last_day"]) == ("2026-11-27", "2026-11-27")
    assert not shown["models"]


def test_the_sums_are_also_per_model_and_project_with_the_most_requests_first() -> None:
    shown = show(
        DaySum("2026-11-25", OTHER, "/a", requests=1, answered=1, tokens_in=5),
        DaySum("2026-11-26", GLM, "/a", requests=4, answered=3, failed=1, tokens_in=7),
        DaySum("2026-11-26", OTHER, "", requests=2, answered=2),
    )
    models = [(row["id"], row["label"], row["requests"], row["success_rate"]) for row in shown["models"]]
    assert models == [(GLM, "GLM 4.7", 4, 0.75), (OTHER, OTHER, 3, 1.0)]
    assert [(row["project"], row["requests"]) for row in shown["projects"]] == [("/a", 5), ("", 2)]
    assert shown["total"]["tokens_in"] == 12
    assert [day.get("most_used") for day in shown["days"][1:3]] == ["GLM 4.7", OTHER]


@pytest.mark.parametrize(("days", "first", "last", "bars"), [(300, "2026-02-01", "2026-02-01", 44), (2000, "", "", 66)])
def test_a_bar_of_a_long_period_is_a_week_or_a_month(days: int, first: str, last: str, bars: int) -> None:
    shown = show(DaySum("2026-11-26", GLM, requests=1), DaySum("2026-11-27", GLM, requests=2), days=days)
    assert len(shown["bars"]) == bars
    assert shown["bars"][-1]["sum"]["requests"] == 3
    assert [day["requests"] for day in shown["days"]] == [2, 1]
    if first:
        assert (shown["bars"][0]["first_day"], shown["bars"][0]["last_day"]) == (first, last)


def test_a_request_is_shown_as_those_that_have_just_ended() -> None:
    record = RequestRecord(1.5, "nvidia", GLM, outcome=Outcome.FAILED, cause="NVIDIA is overloaded")
    (shown,) = show_requests([StoredRequest(7, record)], label)
    assert (shown["number"], shown["used"], shown["result"]["word"]) == (7, "GLM 4.7", "NVIDIA is overloaded")
