"""The state of the program as one immutable value, and the board where it is published."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import Enum, IntEnum, auto
from typing import TypedDict, Unpack

from tray_app.status.findings import NO_FINDINGS, NO_LOOK, Findings, LookProgress, ModelTrouble, Unavailability
from tray_app.status.progress import Pace, RequestProgress, SessionModel


class Phase(Enum):
    """The phases in the life of the gateway."""

    STARTING = "starting"
    RUNNING = "running"
    STOPPED = "stopped"
    """The gateway does not listen; `Status.troubles` says why."""
    QUITTING = "quitting"


@dataclass(frozen=True, slots=True)
class Trouble:
    """A problem that the user can solve: a title of about 40 characters for the menu, and a sentence that says how."""

    title: str
    sentence: str
    verb: str = ""
    """The command of this program that solves it; empty: there is none."""
    view: str = ""
    """The part of the page where it can be solved; empty: there is none."""


class Topic(IntEnum):
    """The topic of a trouble. The most urgent topic comes first, and the menu shows its trouble."""

    START = auto()
    """The gateway does not listen, so that no client can reach it."""
    KEY = auto()
    """A key is missing or cannot be read: every request is refused."""
    REFUSED_KEY = auto()
    """NVIDIA refuses the API key, and with it every request."""
    MODEL = auto()
    """NVIDIA has withdrawn the selected model. It is never reported, because `Status.model_troubles` holds it."""
    SETTINGS = auto()
    """The settings file, or a part of it, is not used or cannot be written."""
    FALLBACK = auto()
    """Another model answers in place of the selected one."""


@dataclass(frozen=True, slots=True)
class Wait:
    """The requests to one model that wait for NVIDIA's rate limit."""

    model: str
    """The label of the model."""
    waiting: int
    """Number of requests that wait."""
    longest_s: int
    """Whole seconds since the oldest of them began, or since NVIDIA's last word to it."""
    used: int
    """Number of requests that were sent in the last minute."""
    limit: int
    """The limit of requests per minute: the user's, or the lower one learned from NVIDIA's refusals. 0: there is none,
    and NVIDIA asked for a pause."""
    next_s: int = 0
    """Whole seconds until the next of them is sent."""
    is_pause: bool = False
    """Tells whether they wait because NVIDIA refused requests or asked for a pause, whatever the limit is."""


@dataclass(frozen=True, slots=True)
class Failing:
    """A model that keeps failing: NVIDIA is overloaded, refuses its requests, or breaks off its answers."""

    model_id: str
    reason: str
    """Why the newest request failed, such as "NVIDIA is overloaded"."""


@dataclass(frozen=True, slots=True)
class Status:
    """The state of the program. The menu, the icon and the answer of /health are made from it."""

    phase: Phase = Phase.STARTING
    url: str = ""
    """The URL at which clients reach the gateway; empty while it does not listen."""
    active_requests: int = 0
    """How many requests run. It is published with `requests`."""
    has_nvidia_key: bool = True
    is_demo: bool = False
    is_paused: bool = False
    """Tells whether the user has paused the program, so that new requests are refused."""
    troubles: tuple[tuple[Topic, Trouble], ...] = ()
    """Each trouble with its topic, the most urgent first."""
    model_troubles: tuple[tuple[str, ModelTrouble], ...] = ()
    """Each model id with its trouble, as refused requests have shown it."""
    listed_models: frozenset[str] = frozenset()
    """Ids of the models that NVIDIA lists or that have answered; empty while NVIDIA's list is not known."""
    findings: Findings = NO_FINDINGS
    """What was found out about each model for this key."""
    look: LookProgress = NO_LOOK
    """How far the search for models that answer is."""
    waits: tuple[Wait, ...] = ()
    """One for each model that requests wait for, the longest first. Short waits are left out."""
    requests: tuple[RequestProgress, ...] = ()
    """Each running request, the oldest first."""
    paces: tuple[Pace, ...] = ()
    """One for each model that was asked in the last minute in which a request ran."""
    sessions: tuple[SessionModel, ...] = ()
    """The sessions of Claude Code that have asked last."""
    failing: tuple[Failing, ...] = ()
    """The models that keep failing. A model that answers again is no longer among them."""
    answering: frozenset[str] = frozenset()
    """The ids of the models whose newest request was answered."""

    @property
    def unavailable_models(self) -> frozenset[str]:
        """The ids of the models that are known not to answer: retired, or not served."""
        return frozenset(model_id for model_id, _ in self.model_troubles)

    def model_trouble(self, model_id: str) -> ModelTrouble | None:
        """Returns why a model cannot be used; None: it can. NVIDIA lists retired models for weeks."""
        if trouble := dict(self.model_troubles).get(model_id):
            return trouble
        if self.listed_models and model_id not in self.listed_models:
            return ModelTrouble(Unavailability.NOT_LISTED)
        return None


class StatusChanges(TypedDict, total=False):
    """The fields of the status that `publish` can change. The others have methods of their own."""

    phase: Phase
    url: str
    has_nvidia_key: bool
    is_demo: bool
    is_paused: bool
    model_troubles: tuple[tuple[str, ModelTrouble], ...]
    listed_models: frozenset[str]
    active_requests: int
    findings: Findings
    look: LookProgress
    waits: tuple[Wait, ...]
    requests: tuple[RequestProgress, ...]
    paces: tuple[Pace, ...]
    sessions: tuple[SessionModel, ...]
    failing: tuple[Failing, ...]
    answering: frozenset[str]


class StatusBoard:
    """Holds the newest Status. Any thread may publish. Subscribers run in that thread, and must be quick."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._status = Status()
        self._subscribers: list[Callable[[Status], None]] = []

    @property
    def status(self) -> Status:
        return self._status

    def subscribe(self, subscriber: Callable[[Status], None]) -> None:
        """Calls the subscriber with each new status from now on."""
        self._subscribers.append(subscriber)

    def publish(self, **changes: Unpack[StatusChanges]) -> None:
        """Changes fields of the status, and tells the subscribers if anything is different.

        TypeError if there is no such field, or `publish` cannot change it.
        """
        if unknown := changes.keys() - StatusChanges.__annotations__.keys():
            raise TypeError(f"this cannot be published: {', '.join(sorted(unknown))}")
        self._change(lambda status: replace(status, **changes))

    def report(self, topic: Topic, trouble: Trouble | None) -> None:
        """Sets the trouble of a topic; None clears it."""

        def change(status: Status) -> Status:
            troubles = dict(status.troubles)
            if trouble is None:
                troubles.pop(topic, None)
            else:
                troubles[topic] = trouble
            return replace(status, troubles=tuple(sorted(troubles.items())))

        self._change(change)

    def mark_model(self, model_id: str, trouble: ModelTrouble) -> None:
        """Notes that a request was refused because of its model."""
        self._change(
            lambda status: replace(
                status, model_troubles=tuple({**dict(status.model_troubles), model_id: trouble}.items())
            )
        )

    def clear_model(self, model_id: str) -> None:
        """Notes that the model has answered a request, so that there is no trouble with it."""
        if self._status.model_trouble(model_id) is None:  # the usual case, and no reason to take the lock
            return

        def change(status: Status) -> Status:
            troubles = tuple(item for item in status.model_troubles if item[0] != model_id)
            listed = status.listed_models and status.listed_models | {model_id}
            return replace(status, model_troubles=troubles, listed_models=listed)

        self._change(change)

    def forget_models(self) -> None:
        """Forgets what NVIDIA said about its models, because that may be different for another key or address."""
        self.publish(model_troubles=(), listed_models=frozenset(), findings=NO_FINDINGS)

    def _change(self, change: Callable[[Status], Status]) -> None:
        with self._lock:
            before, self._status = self._status, change(self._status)
            after = self._status
        if after != before:
            for subscriber in self._subscribers:
                subscriber(after)
