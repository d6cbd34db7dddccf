"""What the page shows of each running request, and of the pace of each model, at the moment at which it asks."""

from __future__ import annotations

from dataclasses import dataclass

from tray_app.status.progress import Delay, RequestPhase


@dataclass(frozen=True, slots=True)
class LiveRequest:
    """One running request. It changes with the second only while the request is delayed."""

    number: int
    """Its number among the requests of this run of the gateway."""
    asked: str
    """The name of a model that the client sent; empty while the request is prepared."""
    model_id: str
    model: str
    """The label of the model that is asked; empty while the request is prepared."""
    reason: str
    """Why another model is asked than the client named, as the history names it; empty: no other one is asked."""
    project: str
    """The folder in which the client works; empty if the client named none."""
    session_id: str
    """The id of the session of Claude Code; empty if the client named none."""
    kind: str
    """What the request is for, as the history names it; empty while the request is prepared."""
    turn: int | None
    """The number of the user's turn in the conversation that it belongs to; None if it belongs to none."""
    is_background: bool
    """Tells whether no user waits for the answer."""
    phase: RequestPhase
    began_at: float
    """When it began: Unix time in seconds."""
    tries: int
    """How often it was sent to NVIDIA."""
    failure: str
    """Why the last try failed, in a few words; empty if none failed since NVIDIA's newest word."""
    delay: Delay | None
    """Why it takes long; None: it does not, or not for more than a few seconds yet."""
    delayed_s: int
    """Whole seconds for which it has been delayed."""
    waiting_before: int | None
    """How many requests to the same model are sent before it; None: it does not wait for its turn."""
    next_try_at: float | None
    """When it is sent if nothing changes: Unix time in seconds. None: it is sent already, or nobody knows."""
    tokens: int | None
    """An estimate of the tokens of its answer so far, thinking and tool calls included; None before the first part."""
    first_token_s: float | None
    """Seconds from its last sending to the first part of the answer; None before that part."""
    can_change_model: bool
    """Tells whether another model can be asked instead: nothing of an answer has reached the client."""


@dataclass(frozen=True, slots=True)
class NvidiaQueue:
    """What NVIDIA told of its own queue when it refused a request to a model that is overloaded."""

    waiting: int
    """So many requests of all users wait there."""
    places: int
    """So many requests are answered there at once."""
    told_at: float
    """Unix time in seconds."""


@dataclass(frozen=True, slots=True)
class Gauge:
    """The pace of the requests to one model."""

    model_id: str
    model: str
    """The label of the model."""
    used: int
    """Number of requests that were sent in the last minute and not refused."""
    limit: int
    """The limit of requests per minute: the user's, or the lower one learned from refusals. 0: there is none."""
    waiting: int
    """Number of requests that wait for their turn."""
    next_slot_at: float | None
    """When the next request may be sent: Unix time in seconds. None: at once."""
    is_pause: bool
    """Tells whether nothing is sent because NVIDIA refused requests or asked for a pause."""
    queue: NvidiaQueue | None
    """NVIDIA's own queue for the model, if its last refusal told of it; else None."""
    today: int
    """Number of requests that were sent to it today, in the day of UTC by which NVIDIA counts."""
