"""The progress of one running request: one small record, which only the request's own task changes."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

from tray_app.catalog import Model
from tray_app.errors import ProxyError, RateLimited
from tray_app.proxy.exchange.notes import Notes
from tray_app.proxy.exchange.steering import Steering
from tray_app.status.progress import Delay, RequestPhase

SHOW_DELAY_S = 3.0
"""Shorter waits and retries are no delay."""
SHOW_SILENCE_S = 10.0
"""A shorter silence is no delay. Reading a long prompt takes NVIDIA's models some seconds."""

_NAME_CHARS = 80
"""So much of the model name that the client sent is shown. No real name is longer."""


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
    """Through it the user cancels the request, or has another model asked."""
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
