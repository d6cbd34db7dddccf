"""What the board tells about each running request, and about the requests of the last minute."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class RequestPhase(Enum):
    """What a request does at the moment. The values are the words in the answer of /health."""

    PREPARING = "preparing"
    """It is translated, which takes a moment if it is large."""
    WAITING = "waiting"
    """It waits for its turn, because of NVIDIA's rate limit."""
    PAUSING = "pausing"
    """It pauses after a failure, and is then tried again."""
    ASKED = "asked"
    """It was sent to NVIDIA, which has said nothing yet."""
    THINKING = "thinking"
    """The thinking of its answer arrives."""
    TEXT = "text"
    """The text of its answer arrives."""
    TOOL = "tool"
    """A tool call of its answer arrives."""


class Delay(Enum):
    """Why a request takes long. The values are the words in the answer of /health."""

    RATE_LIMIT = "rate limit"
    """It waits for its turn, or NVIDIA refused it because of the rate limit, and it is tried again."""
    RETRIES = "retries"
    """NVIDIA failed to answer it for another reason, and it is tried again."""
    SILENCE = "silence"
    """It was sent, and NVIDIA says nothing."""


@dataclass(frozen=True, slots=True)
class RequestProgress:
    """One running request. It changes with the second only while the request is delayed."""

    asked: str
    """The name of a model that the client sent; empty while the request is prepared."""
    model_id: str = ""
    model: str = ""
    """The label of the model that is asked; empty while the request is prepared."""
    session_id: str = ""
    """The id of the session of Claude Code that sent it; empty if the client named none."""
    phase: RequestPhase = RequestPhase.PREPARING
    began_at: int = 0
    """When it began: Unix time in whole seconds."""
    tries: int = 0
    """How often it was sent to NVIDIA."""
    failure: str = ""
    """Why the last try failed, such as "NVIDIA is overloaded"; empty if none failed since NVIDIA's newest word."""
    delay: Delay | None = None
    """Why it takes long; None: it does not, or not for more than a few seconds yet."""
    delayed_since: int = 0
    """When the delay began: Unix time in whole seconds; 0: there is none."""
    delayed_s: int = 0
    """Whole seconds since then. A delay by waits and retries counts from the request's begin, or from the newest word
    of NVIDIA's answer, and not from its last try."""


@dataclass(frozen=True, slots=True)
class Pace:
    """The requests of the last minute to one model."""

    model: str
    """The label of the model."""
    limit: int
    """The limit of requests per minute: the user's, or the lower one learned from refusals. 0: there is none."""
    starts_at: tuple[int, ...]
    """When each request was sent that NVIDIA did not refuse: Unix times in whole seconds, the oldest first."""


@dataclass(frozen=True, slots=True)
class SessionModel:
    """The model of the newest request of one session of Claude Code."""

    session_id: str
    asked: str
    """The name of a model that Claude Code sent."""
    model: str
    """The label of the model that was asked."""
    follows_tray: bool = True
    """Tells whether the tray chose the model, so that a click changes it. False: the client or a fallback list did."""
