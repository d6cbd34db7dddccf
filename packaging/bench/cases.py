"""What is measured under load: the jobs, and the figures that are read from each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from bench.load import NEW_SESSIONS, NEXT_TURN, Job, Result
from bench.upstream import Plan


@dataclass(frozen=True, slots=True)
class Row:
    """One row of the table: a figure, of which less is better."""

    name: str
    unit: str
    sentence: str


@dataclass(frozen=True, slots=True)
class Measured:
    """One round of one case with one gateway. `direct` is the same job without a gateway; None if none is needed."""

    result: Result
    cpu_ns: int
    direct: Result | None

    def cpu_per_request_ms(self) -> float:
        return self.cpu_ns / self.result.requests / 1e6

    def cpu_per_event_us(self) -> float:
        return self.cpu_ns / self.result.events / 1e3

    def added_ms(self, field: str, base: str = "") -> float:
        """What the gateway adds to a time, or how far a time lies above another one without a gateway."""
        assert self.direct is not None
        return float(getattr(self.result, field) - getattr(self.direct, base or field))


@dataclass(frozen=True, slots=True)
class Figure:
    """A row of a case, and how it is read. `direct_field` names what of the direct job belongs beside it, if any."""

    row: Row
    read: Callable[[Measured], float]
    direct_field: str = ""


@dataclass(frozen=True, slots=True)
class Case:
    """A job with the plan of the upstream. `heavy` runs beside it, from a process of its own, once all streams run."""

    name: str
    job: Job
    plan: Plan
    figures: tuple[Figure, ...]
    heavy: Job | None = None

    @property
    def needs_direct(self) -> bool:
        return any(figure.direct_field for figure in self.figures)


def ask(name: str, job: Job, sentence: str) -> Case:
    row = Row(name, "ms", f"processor time for {sentence}")
    return Case(name, job, Plan(), (Figure(row, Measured.cpu_per_request_ms),))


def cost_of_events(name: str, job: Job, plan: Plan, sentence: str) -> Case:
    row = Row(name, "µs", f"processor time for each event of {sentence}")
    return Case(name, job, plan, (Figure(row, Measured.cpu_per_event_us),))


def stream(streams: int, events_per_s: int, steady_events: int, stagger_s: float) -> Job:
    """One stream for each connection. Only events are looked at that come once all streams run."""
    unsteady_events = int(stagger_s * events_per_s) + 5
    events = unsteady_events + steady_events
    return Job(streams, streams, events=events, stagger_s=stagger_s, unsteady_events=unsteady_events)


def latency(streams: int, events_per_s: int, steady_events: int, stagger_s: float) -> Case:
    name = f"latency-{streams}"
    what = f"{'one stream' if streams == 1 else f'{streams} streams at once'} of {events_per_s} events a second"
    median = Row(f"{name}-p50", "ms", f"delay added to an event, median; {what}")
    late = Row(f"{name}-p99", "ms", f"delay added to an event, 99th percentile; {what}")
    figures = (
        Figure(median, lambda measured: measured.added_ms("event_p50_ms"), "event_p50_ms"),
        Figure(late, lambda measured: measured.added_ms("event_p99_ms", base="event_p50_ms"), "event_p99_ms"),
    )
    job = stream(streams, events_per_s, steady_events, stagger_s)
    return Case(name, job, Plan(job.events, events_per_s), figures)


FIRST_BYTE = Row("first-byte", "ms", "delay added to the first content event of a small request, one after another")
STALL = Row(
    "stall", "ms", "greatest delay of an event of 50 streams, 20 events a second each, while a session of 5 MB goes on"
)
SMALL = Row("small-request", "ms", "time added to a small request, not streamed, one after another")

STALLED = stream(50, 20, steady_events=60, stagger_s=1)

CASES = (
    ask(
        "request-200k",
        Job(4, 100, 200_000, NEXT_TURN),
        "the next turn of a session of 200 KB that the gateway has seen, not streamed; 4 at once",
    ),
    ask(
        "request-200k-new",
        Job(4, 60, 200_000, NEW_SESSIONS),
        "a request of 200 KB of a session that the gateway has never seen, not streamed; 4 at once",
    ),
    ask("request-2m", Job(4, 20, 2_000_000, NEXT_TURN), "the next turn of a session of 2 MB; 4 at once"),
    ask("request-2m-new", Job(4, 12, 2_000_000, NEW_SESSIONS), "a request of 2 MB of a new session; 4 at once"),
    cost_of_events("event-fast", Job(8, 40, events=300), Plan(300), "streams of 300 events at full speed; 8 at once"),
    cost_of_events(
        "event-paced",
        Job(8, 8, events=300, stagger_s=0.01),
        Plan(300, 100),
        "streams of 100 events a second; 8 at once",
    ),
    Case(
        "first-byte",
        Job(1, 150, events=5),
        Plan(5),
        (Figure(FIRST_BYTE, lambda measured: measured.added_ms("first_ms"), "first_ms"),),
    ),
    Case(
        "stall",
        STALLED,
        Plan(STALLED.events, 20),
        (Figure(STALL, lambda measured: measured.result.event_max_ms, "event_max_ms"),),
        heavy=Job(1, 10, 5_000_000),
    ),
    latency(1, 100, steady_events=300, stagger_s=0),
    latency(50, 20, steady_events=45, stagger_s=1),
    latency(200, 10, steady_events=20, stagger_s=2),
    Case(
        "small-request",
        Job(1, 300),
        Plan(),
        (Figure(SMALL, lambda measured: measured.added_ms("whole_ms"), "whole_ms"),),
    ),
)
