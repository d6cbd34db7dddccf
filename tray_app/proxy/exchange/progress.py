"""The progress of the running requests. A timer publishes it on the board, so that no request ever wakes a thread.

Each request keeps one small record, which only its own task changes. While requests run, a timer of the event loop
looks at the records four times a second, and publishes what has changed.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from tray_app.catalog import Model
from tray_app.errors import ProxyError, RateLimited
from tray_app.proxy.exchange.notes import Notes
from tray_app.proxy.exchange.steering import Steering
from tray_app.proxy.upstream.outcomes import Outcomes
from tray_app.proxy.upstream.pacing import Pacer
from tray_app.status.board import StatusBoard, Wait
from tray_app.status.progress import Delay, RequestPhase, RequestProgress, SessionModel

PUBLISH_S = 0.25
"""The time between two looks at the records. A begin and an end are seen on the board after so long at most."""

SHOW_DELAY_S = 3.0
"""Shorter waits and retries are no delay."""
SHOW_SILENCE_S = 10.0
"""A shorter silence is no delay. Reading a long prompt takes NVIDIA's models some seconds."""

SENT_AGAIN_S = 60.0
"""A request of the same session that begins so soon after a failed one is that request again. Claude Code waits up to
40 s in between."""

_NAME_CHARS = 80
"""So much of the model name that the client sent is shown. No real name is longer."""

_MOST_SESSIONS = 32
"""So many sessions of Claude Code are remembered, those that asked last."""
_CLOCK_STEP_S = 2.0
"""If the system's clock has moved by more than this, Unix times are computed anew. Smaller steps change nothing, so
that the same moment has the same Unix time each time."""


@dataclass(eq=False, slots=True)
class Progress:
    """The record of one running request. Times are those of the event loop."""

    session_id: str
    """The id of the session of Claude Code; empty if the client named none."""
    well_s: float
    """When the request began, or when NVIDIA said its newest word to it."""
    began_s: float
    asked: str = ""
    model: Model | None = None
    """The model that is asked; None while the request is prepared."""
    follows_tray: bool = True
    phase: RequestPhase = RequestPhase.PREPARING
    sent_s: float = 0.0
    tries: int = 0
    said_bytes: int = 0
    """The size of the answer so far."""
    next_try_s: float | None = None
    """When the pause after a failure ends; None: it does not pause."""
    failure: ProxyError | None = None
    """The error of the last try; None if none has failed since NVIDIA's newest word."""
    steering: Steering = field(default_factory=Steering)
    notes: Notes = field(default_factory=Notes)
    """What is noted of the request for the history."""
    gave_up_s: float = float("-inf")
    """When the client got an error after which it sends the same request again; minus infinity: it got none."""

    def choose(self, asked: str, model: Model, *, follows_tray: bool = True) -> None:
        """Notes which model is asked, what the client called it, and whether the user's choice in the tray decided.

        The tries with another model count no more.
        """
        if self.model is not None and self.model.id != model.id:
            self.well_s, self.tries, self.failure = asyncio.get_running_loop().time(), 0, None
            self.said_bytes = 0
        self.asked, self.model, self.follows_tray = asked[:_NAME_CHARS], model, follows_tray

    def wait(self) -> None:
        """Notes that the request waits for its turn."""
        self.phase, self.next_try_s = RequestPhase.WAITING, None
        self.notes.wait()

    def send(self) -> None:
        """Notes that the request is sent to NVIDIA."""
        self.phase, self.sent_s = RequestPhase.ASKED, asyncio.get_running_loop().time()
        self.tries += 1
        self.notes.send()

    def hear(self, phase: RequestPhase, said_bytes: int) -> None:
        """Notes that a part of the answer has arrived, which has so many bytes now."""
        self.said_bytes = said_bytes
        self.phase, self.well_s, self.failure = phase, asyncio.get_running_loop().time(), None

    def fail(self, error: ProxyError) -> None:
        """Notes that a try has failed."""
        self.phase, self.failure, self.said_bytes = RequestPhase.PAUSING, error, 0

    def pause(self, pause_s: float) -> None:
        """Notes that the request is tried again after so many seconds."""
        self.next_try_s = asyncio.get_running_loop().time() + pause_s

    @property
    def can_change_model(self) -> bool:
        """Tells whether another model can be asked instead."""
        return self.notes.outcome is None and self.steering.can_change_model

    def give_up(self) -> None:
        """Notes that the client gets an error, after which it may send the same request again."""
        self.gave_up_s = asyncio.get_running_loop().time()


class ProgressBook:
    """The records of all running requests. It belongs to one event loop."""

    def __init__(self, board: StatusBoard, pacer: Pacer, outcomes: Outcomes) -> None:
        self._board = board
        self._pacer = pacer
        self._outcomes = outcomes
        self._records: dict[Progress, None] = {}  # a dict keeps their order
        self._sessions: dict[str, SessionModel] = {}
        self._given_up: dict[str, Progress] = {}  # by session: its newest request that failed
        self._timer: asyncio.TimerHandle | None = None
        self._unix_offset_s = float("-inf")

    @contextmanager
    def record(self, notes: Notes) -> Iterator[Progress]:
        """Keeps a record of a request until the end of the `with`."""
        loop = asyncio.get_running_loop()
        session_id = notes.session_id
        progress = self._begin(notes, loop.time())
        self._records[progress] = None
        if self._timer is None:
            self._timer = loop.call_later(PUBLISH_S, self._look)
        try:
            yield progress
        finally:
            del self._records[progress]
            self._note_session(progress)
            if session_id and progress.failure is not None:
                self._given_up[session_id] = progress

    def list_running(self) -> tuple[Progress, ...]:
        """Returns the records of all running requests, the oldest first."""
        return tuple(self._records)

    def find(self, number: int) -> Progress | None:
        """Returns the record of a request whose end is still open; None: there is no such request."""
        return next((one for one in self._records if one.notes.number == number and one.notes.outcome is None), None)

    def to_unix_time(self, loop_s: float) -> float:
        """Returns the Unix time in seconds for a time of the event loop. It is the same each time."""
        self._follow_clock(asyncio.get_running_loop().time())
        return self._unix_offset_s + loop_s

    def _begin(self, notes: Notes, now_s: float) -> Progress:
        """Returns a new record. If a client sends a failed request again, its wait goes on, and its tries add up."""
        progress = Progress(notes.session_id, now_s, now_s, notes=notes)
        before = self._given_up.pop(notes.session_id, None)
        if before is not None and now_s - before.gave_up_s < SENT_AGAIN_S:
            progress.well_s, progress.tries, progress.failure = before.well_s, before.tries, before.failure
            progress.model = before.model
        return progress

    def close(self) -> None:
        """Ends the publishing, and clears what the board shows of requests."""
        if self._timer is not None:
            self._timer.cancel()
        self._board.publish(
            active_requests=0, requests=(), waits=(), paces=(), sessions=(), failing=(), answering=frozenset()
        )

    def _look(self) -> None:
        """Publishes what has changed, and looks again later if requests run."""
        loop = asyncio.get_running_loop()
        self._timer = loop.call_later(PUBLISH_S, self._look) if self._records else None
        now_s = loop.time()
        self._follow_clock(now_s)
        for progress in self._records:
            self._note_session(progress)
        requests = tuple(self._describe(progress, now_s) for progress in self._records)
        self._board.publish(
            active_requests=len(requests),
            requests=requests,
            waits=self._describe_waits(requests),
            paces=self._pacer.describe_paces(self._find_unix_time),
            sessions=tuple(self._sessions.values()),
            failing=self._outcomes.streaks.find_failing(),
            answering=self._outcomes.streaks.answering,
        )

    def _follow_clock(self, now_s: float) -> None:
        offset_s = time.time() - now_s
        if abs(offset_s - self._unix_offset_s) > _CLOCK_STEP_S:
            self._unix_offset_s = offset_s

    def _find_unix_time(self, loop_s: float) -> int:
        return int(self._unix_offset_s + loop_s)

    def _note_session(self, progress: Progress) -> None:
        if not progress.session_id or progress.model is None:
            return
        session = SessionModel(progress.session_id, progress.asked, progress.model.label, progress.follows_tray)
        if self._sessions.get(session.session_id) != session:
            self._sessions.pop(session.session_id, None)
            self._sessions[session.session_id] = session  # behind all others
            if len(self._sessions) > _MOST_SESSIONS:
                oldest = next(iter(self._sessions))
                del self._sessions[oldest]
                self._given_up.pop(oldest, None)

    def _describe(self, progress: Progress, now_s: float) -> RequestProgress:
        delay, since_s = find_delay(progress, now_s)
        return RequestProgress(
            asked=progress.asked,
            model_id=progress.model.id if progress.model else "",
            model=progress.model.label if progress.model else "",
            session_id=progress.session_id,
            phase=progress.phase,
            began_at=self._find_unix_time(progress.began_s),
            tries=progress.tries,
            failure=progress.failure.brief if progress.failure else "",
            delay=delay,
            delayed_since=self._find_unix_time(since_s) if delay else 0,
            delayed_s=int(now_s - since_s) if delay else 0,
        )

    def _describe_waits(self, requests: tuple[RequestProgress, ...]) -> tuple[Wait, ...]:
        """Returns one wait for each model that requests have waited for long enough, the longest first."""
        longest_s: dict[str, int] = {}
        for request in requests:
            if request.delay is Delay.RATE_LIMIT:
                longest_s[request.model_id] = max(request.delayed_s, longest_s.get(request.model_id, 0))
        waits = []
        for model_id, seconds in longest_s.items():
            waiting = [
                request
                for request in requests
                if request.model_id == model_id
                and (request.phase is RequestPhase.WAITING or request.delay is Delay.RATE_LIMIT)
            ]
            waits.append(self._pacer.describe_wait(model_id, waiting[0].model, len(waiting), seconds))
        return tuple(sorted(waits, key=lambda wait: wait.longest_s, reverse=True))


def find_delay(progress: Progress, now_s: float) -> tuple[Delay | None, float]:
    """Returns why a request takes long, and since when. None: it does not take long."""
    since_s, least_s = progress.well_s, SHOW_DELAY_S
    if progress.failure is not None and not isinstance(progress.failure, RateLimited):
        delay = Delay.RETRIES
    elif progress.failure is not None or progress.phase is RequestPhase.WAITING:
        delay = Delay.RATE_LIMIT
    elif progress.phase is RequestPhase.PREPARING:
        return None, since_s
    else:
        delay, since_s, least_s = Delay.SILENCE, max(since_s, progress.sent_s), SHOW_SILENCE_S
    return (delay if now_s - since_s >= least_s else None), since_s
