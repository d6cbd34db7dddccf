"""What is going on, as one immutable value, and the board where it is published."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import Enum
from typing import Any


class Phase(Enum):
    STARTING = "starting"
    RUNNING = "running"
    STOPPED = "stopped"
    """Not listening; `Status.trouble` says why."""
    QUITTING = "quitting"


@dataclass(frozen=True, slots=True)
class Trouble:
    """Something the user can mend: a title of about 40 characters for the menu, and the sentence with the way out."""

    title: str
    sentence: str


@dataclass(frozen=True, slots=True)
class Wait:
    """Requests to one model that wait for NVIDIA's rate limit."""

    model: str
    """Its label."""
    waiting: int
    longest_s: int
    """How long the first of them has waited, in whole seconds."""
    used: int
    """Requests of the last minute."""
    limit: int
    """How many it may be: the user's limit, or what NVIDIA's refusals taught."""

    @property
    def notice(self) -> Trouble:
        """For the menu."""
        wait = "waits" if self.waiting == 1 else "wait"
        return Trouble(
            f"Waiting for NVIDIA's rate limit, {self.longest_s} s",
            f"{self.used} of {self.limit} requests this minute went to {self.model}; {self.waiting} {wait}. "
            "Nothing is lost: they go on by themselves. Fewer agents at once wait less.",
        )


@dataclass(frozen=True, slots=True)
class Status:
    """A snapshot for menu, icon and health answer."""

    phase: Phase = Phase.STARTING
    url: str = ""
    """Where clients reach the gateway; empty while it does not listen."""
    active_requests: int = 0
    has_nvidia_key: bool = True
    is_demo: bool = False
    troubles: tuple[tuple[str, Trouble], ...] = ()
    """By topic, the most pressing first."""
    waits: tuple[Wait, ...] = ()
    """One for each model that requests wait for, the longest first; short ones are left out."""

    @property
    def trouble(self) -> Trouble | None:
        return self.troubles[0][1] if self.troubles else None

    @property
    def notice(self) -> Trouble | None:
        """What the menu says before all else: the first trouble, or the longest wait."""
        return self.trouble or (self.waits[0].notice if self.waits else None)


class StatusBoard:
    """Holds the newest Status. Any thread may publish; subscribers run in the publisher's thread and must be quick."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._status = Status()
        self._subscribers: list[Callable[[Status], None]] = []

    @property
    def status(self) -> Status:
        return self._status

    def subscribe(self, subscriber: Callable[[Status], None]) -> None:
        self._subscribers.append(subscriber)

    def publish(self, **changes: Any) -> None:
        """Changes fields of the status, and tells the subscribers if anything is different."""
        self._change(lambda status: replace(status, **changes))

    def count_request(self, step: int) -> None:
        """+1 as a request begins, -1 as it ends."""
        self._change(lambda status: replace(status, active_requests=status.active_requests + step))

    def report(self, topic: str, trouble: Trouble | None) -> None:
        """Sets the trouble of a topic, or clears it. A topic that is already there keeps its rank."""

        def change(status: Status) -> Status:
            troubles = dict(status.troubles)
            if trouble is None:
                troubles.pop(topic, None)
            else:
                troubles[topic] = trouble
            return replace(status, troubles=tuple(troubles.items()))

        self._change(change)

    def _change(self, change: Callable[[Status], Status]) -> None:
        with self._lock:
            before, self._status = self._status, change(self._status)
            after = self._status
        if after != before:
            for subscriber in self._subscribers:
                subscriber(after)
