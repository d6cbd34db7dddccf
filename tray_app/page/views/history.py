"""The view "History": sums over some days, per day, model and project, and the requests themselves, as plain values.

What nobody knows is None, which the page shows as "none". So a day without a request is not a day with 0 of something.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from tray_app.history.csv_text import PERCENTILES
from tray_app.history.reader import StoredRequest
from tray_app.history.sums import AMOUNTS, COUNTS, DaySum, merge
from tray_app.page.views.ended import show_ended
from tray_app.page.views.labels import Label

_MOST_DAYS_AS_BARS = 120
_MOST_WEEKS_AS_BARS = 120
"""A chart with more bars than that cannot be read. Then a bar is a week, or else a month."""


@dataclass(frozen=True, slots=True)
class Period:
    """Days that follow each other, as dates in the form 2026-11-27."""

    first_day: str
    """Empty: the period begins with the first day of the history."""
    last_day: str

    @classmethod
    def of(cls, today: str, days: int | None) -> Period:
        """Returns the period of so many days that ends today; None: all days."""
        if days is None:
            return cls("", today)
        # The calendar begins with the year 1, whatever number of days the browser sends.
        ordinal = date.fromisoformat(today).toordinal() - days + 1
        return cls(date.fromordinal(max(ordinal, 1)).isoformat(), today)


def show_sums(sums: Sequence[DaySum], period: Period, label: Label) -> dict[str, Any]:
    """Returns all figures of a period. `sums` are those of its days, in any order."""
    by_day = merge(sums, lambda found: found.day)
    days = _list_days(by_day, period)
    whole = list(merge(sums, lambda _: "").values())
    return {
        "first_day": days[0],
        "last_day": days[-1],
        "total": show_figures(whole[0]) if whole else None,
        "bars": _make_bars(days, by_day),
        "days": _show_days(days, by_day, sums, label),
        "models": [
            {"id": model_id, "label": label(model_id), **show_figures(found)}
            for model_id, found in _most_first(merge(sums, lambda found: found.model_id))
        ],
        "projects": [
            {"project": project, **show_figures(found)}
            for project, found in _most_first(merge(sums, lambda found: found.project))
        ],
    }


def show_figures(found: DaySum) -> dict[str, Any]:
    """Returns the figures of a sum. The times are seconds until 50, 95 and 99 % of the answers had begun."""
    return {
        **{name: getattr(found, name) for name in (*COUNTS, *AMOUNTS)},
        "success_rate": found.success_rate,
        "first_token_s": [found.first_token_s(percent) for percent in PERCENTILES],
    }


def show_requests(page: Iterable[StoredRequest], label: Label) -> list[dict[str, Any]]:
    """Returns rows of requests in their order. The number of a row is the request's key in the database."""
    return [show_ended(found.key, found.record, label(found.record.model_id), None) for found in page]


def _list_days(by_day: Iterable[str], period: Period) -> list[str]:
    """Returns every day of the period, the oldest first, also those without a request."""
    first = date.fromisoformat(period.first_day or min(by_day, default=period.last_day))
    length = (date.fromisoformat(period.last_day) - first).days + 1
    return [(first + timedelta(days=number)).isoformat() for number in range(max(length, 1))]


def _show_days(
    days: Sequence[str], by_day: dict[str, DaySum], sums: Sequence[DaySum], label: Label
) -> list[dict[str, Any]]:
    """Returns a row for each day, the newest first. In a long period, days without a request have none."""
    most_used: dict[str, DaySum] = {}
    for found in merge(sums, lambda found: (found.day, found.model_id)).values():
        if found.model_id and (found.day not in most_used or found.requests > most_used[found.day].requests):
            most_used[found.day] = found
    rows = []
    for day in reversed(days):
        if day in by_day:
            model = label(most_used[day].model_id) if day in most_used else ""
            rows.append({"day": day, "most_used": model, **show_figures(by_day[day])})
        elif len(days) <= _MOST_DAYS_AS_BARS:
            rows.append({"day": day, "requests": None})
    return rows


def _make_bars(days: Sequence[str], by_day: dict[str, DaySum]) -> list[dict[str, Any]]:
    """Returns the bars of the chart, the oldest first: one for each day, week or month, with what they stand for."""
    begin = _choose_width(len(days))
    bars: dict[str, list[str]] = {}
    for day in days:
        bars.setdefault(begin(day), []).append(day)
    merged = merge((by_day[day] for day in days if day in by_day), lambda found: begin(found.day))
    return [
        {
            "first_day": members[0],
            "last_day": members[-1],
            "sum": show_figures(merged[name]) if name in merged else None,
        }
        for name, members in bars.items()
    ]


def _choose_width(days: int) -> Callable[[str], str]:
    """Returns a function that gives the same name to all days of one bar."""
    if days <= _MOST_DAYS_AS_BARS:
        return lambda day: day
    if days <= 7 * _MOST_WEEKS_AS_BARS:
        return lambda day: "{}-{}".format(*date.fromisoformat(day).isocalendar()[:2])
    return lambda day: day[: len("2026-11")]


def _most_first(sums: dict[str, DaySum]) -> list[tuple[str, DaySum]]:
    return sorted(sums.items(), key=lambda item: (-item[1].requests, item[0]))
