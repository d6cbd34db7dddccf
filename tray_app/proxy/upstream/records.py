"""What was seen of each model with one key: the requests of the last days, answers, tool calls and refusals.

The values are frozen and the functions are pure. `evidence.py` keeps them.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from statistics import median

import msgspec

from tray_app.status.findings import Finding, Findings, ModelTrouble, Unavailability

KEPT_DAYS = 14
"""Days for which requests are counted. An endpoint's habits change within weeks, so older counts say little."""
KEPT_TIMES = 15
"""So many times to the first token are kept. Their median is shown."""

ANSWER_HOLDS_S = 36 * 3600.0
"""For so long an answer says that the model answers. NVIDIA's models change from one day to the next, so that each day
finds it out anew, and there are some hours until it does."""
RENEW_AFTER_S = 20 * 3600.0
"""An answer that is older than this is to be renewed."""
_REFUSAL_HOLDS_S = {
    # A retired model does not come back. After a month one request finds out whether this one did.
    Unavailability.RETIRED: 30 * 24 * 3600.0,
    # A new model is often listed before it answers. The next look asks it again, and then ever more seldom.
    Unavailability.NOT_SERVED: 20 * 3600.0,
    # The user may get a permission at any time, on NVIDIA's web site.
    Unavailability.NOT_ALLOWED: 24 * 3600.0,
}
_MOST_DOUBLINGS = 3
"""The time of a 404 doubles each time that it turns out to be still true, up to so often: it is 6.7 days then, because
two thirds of the models that NVIDIA lists answer nobody for weeks."""
SILENCE_HOLDS_S = 6 * 3600.0
"""A model that gave no verdict in all tries is tried again after this time."""
MOST_TRIES = 3
"""So many probes are needed for the verdict that a model gives no answer, or calls no tool. One misjudges."""

_MINUTE_S = 60.0


class Day(msgspec.Struct, frozen=True, omit_defaults=True):
    """The requests to a model on one day of UTC."""

    date: date
    sent: int = 0
    """All requests that were sent, probes too, as NVIDIA counts them."""
    succeeded: int = 0
    """Requests of clients that the model began to answer."""
    failed: int = 0
    """Requests of clients that the model, though it is served, did not answer."""
    probes: int = 0


class Refusal(msgspec.Struct, frozen=True, omit_defaults=True):
    """NVIDIA said that it does not serve the model."""

    kind: Unavailability
    at: float
    """Unix time in seconds."""
    date: str = ""
    """Since when, as NVIDIA says it; empty if it named no date."""
    doublings: int = 0
    """How often the model was refused again when the time of its refusal was over."""

    @property
    def holds_until(self) -> float:
        """The Unix time until which the model need not be asked again."""
        doublings = self.doublings if self.kind is Unavailability.NOT_SERVED else 0
        return self.at + _REFUSAL_HOLDS_S.get(self.kind, ANSWER_HOLDS_S) * 2.0**doublings

    def renew(self, now_s: float) -> int:
        """Returns the doublings of a refusal that says the same at a later time."""
        return min(self.doublings + (now_s >= self.holds_until), _MOST_DOUBLINGS)


class Record(msgspec.Struct, frozen=True, omit_defaults=True):
    """What was seen of one model. Times are Unix times in seconds; 0: never."""

    days: tuple[Day, ...] = ()
    """The newest is the last one."""
    answered_at: float = 0.0
    called_at: float = 0.0
    """The last tool call."""
    uncalled: int = 0
    """Probes since the last tool call in which the model did not call the tool that it was told to call."""
    silent: int = 0
    """Probes since the last answer or refusal that ended without either."""
    silent_at: float = 0.0
    refusal: Refusal | None = None
    """None if the model has answered since it was refused."""
    first_token_s: tuple[float, ...] = ()
    """Seconds from sending a request to the first content, the newest last."""
    probed_s: float | None = None
    """The same for the last probe, which counts while no request of a client has been answered."""

    @property
    def calls_tools(self) -> bool | None:
        """Tells whether the model calls tools; None while it is not known."""
        if self.uncalled >= MOST_TRIES:
            return False
        return True if self.called_at else None

    def answers(self, now_s: float) -> bool | None:
        """Tells whether the model answers; None while it is not known."""
        if self.refusal is not None and now_s < self.refusal.holds_until:
            return False
        if now_s < self.answered_at + ANSWER_HOLDS_S:
            return True
        return False if self.is_silent(now_s) else None

    def is_silent(self, now_s: float) -> bool:
        """Tells whether all tries of late ended without an answer and without a refusal."""
        return self.silent >= MOST_TRIES and now_s < self.silent_at + SILENCE_HOLDS_S

    def is_stale(self, now_s: float) -> bool:
        """Tells whether nothing of the record counts any more, so that it may be forgotten."""
        oldest = utc_date(now_s) - timedelta(days=KEPT_DAYS - 1)
        holds = self.refusal is not None and now_s < self.refusal.holds_until
        return not holds and not any(day.date >= oldest for day in self.days)

    def with_day(self, today: date, *, sent: int = 0, succeeded: int = 0, failed: int = 0, probes: int = 0) -> Record:
        """Returns the record with these requests counted for a day. Days that are too old are left out."""
        if self.days and self.days[-1].date == today:
            before, last = self.days[:-1], self.days[-1]
        else:
            oldest = today - timedelta(days=KEPT_DAYS - 1)
            before, last = tuple(day for day in self.days if oldest <= day.date <= today), Day(today)
        last = Day(today, last.sent + sent, last.succeeded + succeeded, last.failed + failed, last.probes + probes)
        return msgspec.structs.replace(self, days=(*before, last))

    def on_day(self, today: date) -> Day:
        """Returns the requests of one day."""
        return next((day for day in reversed(self.days) if day.date == today), Day(today))


def utc_date(now_s: float) -> date:
    """Returns the day of UTC for a Unix time."""
    return datetime.fromtimestamp(now_s, UTC).date()


def find_findings(records: Mapping[str, Record], now_s: float) -> Findings:
    """Returns what the records of all models say at a Unix time."""
    return Findings({model_id: _find(record, now_s) for model_id, record in records.items()})


def _find(record: Record, now_s: float) -> Finding:
    answers = record.answers(now_s)
    refusal = record.refusal if record.refusal and now_s < record.refusal.holds_until else None
    oldest = utc_date(now_s) - timedelta(days=KEPT_DAYS - 1)
    days = [day for day in record.days if day.date >= oldest]
    succeeded = sum(day.succeeded for day in days)
    if refusal is not None:
        found_at, holds_until = refusal.at, refusal.holds_until
    elif answers is False:
        found_at, holds_until = record.silent_at, record.silent_at + SILENCE_HOLDS_S
    elif answers:
        found_at, holds_until = record.answered_at, record.answered_at + ANSWER_HOLDS_S
    else:
        found_at = holds_until = 0.0
    return Finding(
        answers=answers,
        calls_tools=record.calls_tools,
        refusal=ModelTrouble(refusal.kind, refusal.date) if refusal else None,
        first_token_s=_round(median(record.first_token_s) if record.first_token_s else record.probed_s),
        asked=succeeded + sum(day.failed for day in days),
        succeeded=succeeded,
        today=record.on_day(utc_date(now_s)).sent,
        found_at=_round_down(found_at),
        holds_until=_round_down(holds_until),
    )


def _round(seconds: float | None) -> float | None:
    """Returns tenths of a second, so that a finding does not differ with every request."""
    return None if seconds is None else round(seconds, 1)


def _round_down(unix_s: float) -> float:
    """Returns the beginning of the minute, for the same reason."""
    return unix_s // _MINUTE_S * _MINUTE_S
