"""Histories of tests, written by the real writer. A long one, to look at the page with:

python -m tests.support.history FILE --days 60 --requests 10000
"""

from __future__ import annotations

import argparse
import random
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

import msgspec

from tray_app.history.record import Outcome, Reason, RequestRecord
from tray_app.history.writer import HistoryWriter

FOR_EVER = 100_000
"""A number of days after which no test deletes its requests."""


def write_history(path: Path, records: Iterable[RequestRecord], keep_days: int = FOR_EVER) -> None:
    """Writes the records, and ends the writer."""
    writer = HistoryWriter(path, keep_days)
    writer.start()
    for record in records:
        writer.add(record)
    writer.close()


_USED = (
    # a model, how many of 100 requests go to it, how many of 100 it answers, the usual seconds to its first token
    ("z-ai/glm-5.3-flash", 58, 98, 1.4),
    ("minimaxai/minimax-m3.1-flash", 20, 95, 2.2),
    ("nvidia/nemotron-3.5-lightning-30b-a3b", 18, 97, 0.9),
    ("nvidia/nemotron-3-ultra-550b-a55b", 4, 78, 6.0),
)
_PROJECTS = ("/home/me/shop-api", "/home/me/docs", "/home/me/work/a-folder-with-quite-a-long-name/frontend", "")
_FAILURES = (
    ("Overloaded", "NVIDIA is overloaded"),
    ("RateLimited", "NVIDIA's limit of requests per minute"),
    ("UpstreamTimeout", "NVIDIA did not answer in time"),
)
_DAY_S = 86_400
_QUIET_DAY = 6
"""One day of seven has no requests."""


def invent_requests(days: int, requests: int, now_s: float) -> Iterator[RequestRecord]:
    """Yields requests of the last days, the oldest first. They are the same for the same numbers."""
    chance = random.Random(7)
    busy = [day for day in range(days) if day % 7 != _QUIET_DAY or day == 0]
    shares = [chance.uniform(0.3, 1.7) for _ in busy]
    times = [now_s - day * _DAY_S - chance.uniform(0, 36_000) for day in chance.choices(busy, shares, k=requests)]
    for began_at in sorted(times):
        model_id, _, answered, usual_s = chance.choices(_USED, [share for _, share, _, _ in _USED])[0]
        yield _invent_request(chance, began_at, model_id, answered, usual_s)


def _invent_request(
    chance: random.Random, began_at: float, model_id: str, answered: int, usual_s: float
) -> RequestRecord:
    asked = RequestRecord(
        began_at,
        asked="nvidia",
        model_id=model_id,
        reason=chance.choice((Reason.TRAY, Reason.RETIRED)),
        project=chance.choices(_PROJECTS, (60, 20, 15, 5))[0],
        is_background="lightning" in model_id,
        is_stream=True,
        queue_wait_s=chance.choice((None, None, chance.uniform(0.5, 9))),
        tries=chance.choices((1, 2, 4), (90, 8, 2))[0],
    )
    if chance.uniform(0, 100) > answered:
        error, cause = chance.choice(_FAILURES)
        return msgspec.structs.replace(asked, outcome=Outcome.FAILED, error=error, cause=cause, total_s=3.0)
    first_token_s = usual_s * chance.lognormvariate(0, 0.6)
    tokens_in = int(chance.lognormvariate(10.5, 0.8))
    return msgspec.structs.replace(
        asked,
        outcome=chance.choices((Outcome.ANSWERED, Outcome.LEFT), (97, 3))[0],
        first_token_s=first_token_s,
        total_s=first_token_s + chance.lognormvariate(1.5, 0.7),
        tokens_in=tokens_in,
        tokens_out=int(chance.lognormvariate(6, 1)),
        tokens_cached=int(tokens_in * chance.uniform(0.3, 0.9)),
        tool_calls=chance.choices((0, 1, 2, 3), (30, 40, 20, 10))[0],
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", type=Path)
    parser.add_argument("--days", type=int, default=60)
    parser.add_argument("--requests", type=int, default=10_000)
    given = parser.parse_args()
    write_history(given.file, invent_requests(given.days, given.requests, time.time()))


if __name__ == "__main__":
    main()
