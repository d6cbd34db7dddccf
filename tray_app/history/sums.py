"""Sums of requests per day, model and project. They are values; `writer.py` keeps them, and `reader.py` reads them."""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from typing import TypeVar

import msgspec

from tray_app.history.record import CANCELLED, Outcome, RequestRecord, to_storable

_STEP = math.log(1.05)
"""A bucket of times ends 5 % above its beginning, so that a percentile is wrong by 2.5 % at most."""
_SHORTEST_S = 0.001

_Key = TypeVar("_Key", bound=Hashable)


class DaySum(msgspec.Struct, frozen=True):
    """The requests of one local day to one model from one project. A sum of numbers that nobody knows is None."""

    day: str
    """The date in the form 2026-11-27, where the user is."""
    model_id: str = ""
    """Empty: the requests for which no model was asked."""
    project: str = ""
    requests: int = 0
    answered: int = 0
    failed: int = 0
    left_early: int = 0
    """Requests that ended before the answer was complete, because the client left or the user cancelled them."""
    refused: int = 0
    """Requests that the gateway refused without asking NVIDIA."""
    tries: int = 0
    tokens_in: int | None = None
    tokens_out: int | None = None
    tokens_cached: int | None = None
    tool_calls: int | None = None
    first_tokens: Mapping[int, int] = {}
    """How many answers began after about so long: the number of a bucket of times -> the number of answers."""

    @property
    def success_rate(self) -> float | None:
        """The share of answered requests among those that NVIDIA answered or failed to answer; None: there are none."""
        judged = self.answered + self.failed
        return self.answered / judged if judged else None

    def first_token_s(self, percent: float) -> float | None:
        """Returns the seconds in which so many percent of the answers began. None if none began."""
        return find_percentile(self.first_tokens, percent)


COUNTS = ("requests", "answered", "failed", "left_early", "refused", "tries")
"""The fields that are 0 if nothing was counted."""
AMOUNTS = ("tokens_in", "tokens_out", "tokens_cached", "tool_calls")
"""The fields that are None if nobody knows the number."""

_BY_OUTCOME = {
    Outcome.ANSWERED: "answered",
    Outcome.FAILED: "failed",
    Outcome.LEFT: "left_early",
    Outcome.REFUSED: "refused",
}


def sum_record(record: RequestRecord, day: str) -> DaySum:
    """Returns the sum of one record alone."""
    bucket = find_bucket(record.first_token_s)
    return DaySum(
        day,
        record.model_id,
        to_storable(record.project),
        requests=1,
        tries=record.tries,
        tokens_in=record.tokens_in,
        tokens_out=record.tokens_out,
        tokens_cached=record.tokens_cached,
        tool_calls=record.tool_calls,
        first_tokens={} if bucket is None else {bucket: 1},
        **{_find_count(record): 1},
    )


def _find_count(record: RequestRecord) -> str:
    """Returns the name of the number that counts the record. What the user has cancelled is no failure of the model."""
    is_cancelled = record.outcome is Outcome.FAILED and record.error == CANCELLED
    return "left_early" if is_cancelled else _BY_OUTCOME[record.outcome]


def add_all(sums: Sequence[DaySum]) -> DaySum:
    """Returns the sum of at least one sum. Its day, model and project are those of the first one."""
    first, *others = sums
    if not others:
        return first
    buckets = dict(first.first_tokens)
    for found in others:
        for bucket, number in found.first_tokens.items():
            buckets[bucket] = buckets.get(bucket, 0) + number
    counts = {name: sum([getattr(found, name) for found in sums]) for name in COUNTS}
    amounts = {name: _add_known([getattr(found, name) for found in sums]) for name in AMOUNTS}
    return msgspec.structs.replace(first, first_tokens=buckets, **counts, **amounts)


def merge(sums: Iterable[DaySum], key: Callable[[DaySum], _Key]) -> dict[_Key, DaySum]:
    """Returns one sum for each key. `key` may leave out the project, for example, so that all projects are added."""
    groups: dict[_Key, list[DaySum]] = {}
    for found in sums:
        groups.setdefault(key(found), []).append(found)
    return {name: add_all(members) for name, members in groups.items()}


def find_bucket(seconds: float | None) -> int | None:
    """Returns the number of the bucket that a time is counted in; None if there is no time."""
    return None if seconds is None else math.floor(math.log(max(seconds, _SHORTEST_S)) / _STEP)


def find_percentile(buckets: Mapping[int, int], percent: float) -> float | None:
    """Returns the seconds below which so many percent of the counted times are. None if none were counted."""
    rank = sum(buckets.values()) * percent / 100
    seen = 0
    for bucket, number in sorted(buckets.items()):
        seen += number
        if seen >= rank:
            return math.exp((bucket + 0.5) * _STEP)
    return None


def shorten_count(number: int) -> str:
    """Returns a number for a narrow place, such as 950, 9k, 182k or 1.2M."""
    if number < 1000:
        return str(number)
    if number < 999_500:
        return f"{(number + 500) // 1000}k"
    millions = (number + 50_000) // 100_000 / 10
    return f"{millions:.1f}M" if millions < 10 else f"{millions:,.0f}M"


def _add_known(numbers: Iterable[int | None]) -> int | None:
    """Returns the sum of the numbers that are known; None if there are none."""
    known = [number for number in numbers if number is not None]
    return sum(known) if known else None
