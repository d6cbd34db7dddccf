"""What is going on, as one immutable value, and the board where it is published."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import Enum, IntEnum, auto
from typing import TypedDict, Unpack


class Phase(Enum):
    STARTING = "starting"
    RUNNING = "running"
    STOPPED = "stopped"
    """Not listening; `Status.troubles` say why."""
    QUITTING = "quitting"


@dataclass(frozen=True, slots=True)
class Trouble:
    """Something the user can mend: a title of about 40 characters for the menu, and the sentence with the way out."""

    title: str
    sentence: str
    verb: str = ""
    """The command of this program that mends it, where there is one."""


class Topic(IntEnum):
    """What a trouble is about. The most urgent topic comes first, and its trouble is the one that the menu shows."""

    START = auto()
    """The gateway does not listen: nobody reaches it."""
    KEY = auto()
    """A key is missing or cannot be read: every request is refused."""
    REFUSED_KEY = auto()
    """NVIDIA refuses the key, and with it every request."""
    MODEL = auto()
    """NVIDIA has withdrawn the selected model. Found in `Status.model_troubles`, and never reported by itself."""
    SETTINGS = auto()
    """The settings file is not used, or cannot be written."""
    FALLBACK = auto()
    """Another model answers in the place of the chosen one."""


class Unavailability(Enum):
    """Why a model is not to be had, in the words of the menu."""

    RETIRED = "retired"
    NOT_SERVED = "not served"
    """Not to this API key."""
    NOT_LISTED = "not listed"
    """NVIDIA's list of models lacks it: a hint only, it may answer all the same."""


@dataclass(frozen=True, slots=True)
class ModelTrouble:
    """What is the matter with a model, and since which date if NVIDIA named one."""

    kind: Unavailability
    date: str = ""


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
    """How many it may be: the user's limit, or what NVIDIA's refusals taught; 0 if there is none, and NVIDIA wants a
    pause."""


@dataclass(frozen=True, slots=True)
class Status:
    """A snapshot for menu, icon and health answer."""

    phase: Phase = Phase.STARTING
    url: str = ""
    """Where clients reach the gateway; empty while it does not listen."""
    active_requests: int = 0
    has_nvidia_key: bool = True
    is_demo: bool = False
    troubles: tuple[tuple[Topic, Trouble], ...] = ()
    """By topic, the most urgent first."""
    model_troubles: tuple[tuple[str, ModelTrouble], ...] = ()
    """By model id, what refused requests showed."""
    listed_models: frozenset[str] = frozenset()
    """Ids that NVIDIA lists, and what answers without being listed; empty while its list is not known."""
    waits: tuple[Wait, ...] = ()
    """One for each model that requests wait for, the longest first; short ones are left out."""

    @property
    def unavailable_models(self) -> frozenset[str]:
        """The ids of the models that are known not to answer: retired, or not served."""
        return frozenset(model_id for model_id, _ in self.model_troubles)

    def model_trouble(self, model_id: str) -> ModelTrouble | None:
        """What is the matter with a model. Being listed proves nothing: NVIDIA keeps dead models there for weeks."""
        if trouble := dict(self.model_troubles).get(model_id):
            return trouble
        if self.listed_models and model_id not in self.listed_models:
            return ModelTrouble(Unavailability.NOT_LISTED)
        return None


class StatusChanges(TypedDict, total=False):
    """The fields of the status that can be published. The others have methods of their own, which lose no change."""

    phase: Phase
    url: str
    has_nvidia_key: bool
    is_demo: bool
    model_troubles: tuple[tuple[str, ModelTrouble], ...]
    listed_models: frozenset[str]
    waits: tuple[Wait, ...]


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

    def publish(self, **changes: Unpack[StatusChanges]) -> None:
        """Changes fields of the status, and tells the subscribers if anything is different.

        TypeError if there is no such field, or it is not for publishing.
        """
        if unknown := changes.keys() - StatusChanges.__annotations__.keys():
            raise TypeError(f"this cannot be published: {', '.join(sorted(unknown))}")
        self._change(lambda status: replace(status, **changes))

    def count_request(self, step: int) -> None:
        """+1 as a request begins, -1 as it ends."""
        self._change(lambda status: replace(status, active_requests=status.active_requests + step))

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
        """A request was refused because of its model."""
        self._change(
            lambda status: replace(
                status, model_troubles=tuple({**dict(status.model_troubles), model_id: trouble}.items())
            )
        )

    def clear_model(self, model_id: str) -> None:
        """A request was answered by the model, so that nothing is the matter with it."""
        if self._status.model_trouble(model_id) is None:  # as nearly always
            return

        def change(status: Status) -> Status:
            troubles = tuple(item for item in status.model_troubles if item[0] != model_id)
            listed = status.listed_models and status.listed_models | {model_id}
            return replace(status, model_troubles=troubles, listed_models=listed)

        self._change(change)

    def forget_models(self) -> None:
        """Nothing is known of any model; what NVIDIA said to one key need not hold for another."""
        self.publish(model_troubles=(), listed_models=frozenset())

    def _change(self, change: Callable[[Status], Status]) -> None:
        with self._lock:
            before, self._status = self._status, change(self._status)
            after = self._status
        if after != before:
            for subscriber in self._subscribers:
                subscriber(after)
