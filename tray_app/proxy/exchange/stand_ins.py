"""Which models stand in for others: for requests that begin, and for one whose model has just failed."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import Enum, auto

from tray_app.catalog import Model
from tray_app.errors import ModelUnavailable, ProxyError
from tray_app.settings.settings import Settings
from tray_app.status.board import Status
from tray_app.status.findings import Unavailability
from tray_app.status.following import find_absence, find_answering, find_stand_ins

MOST_FOLLOWED = 6
"""So many models at most are asked for one request. Each refusal takes NVIDIA about a second, and two thirds of the
models that it lists are not served, but of the members of a family and of the catalog's rows most are."""


class Reason(Enum):
    """Why another model is asked."""

    WITHDRAWN = auto()
    """NVIDIA has retired the model, or does not serve it to this key."""
    FAILED = auto()
    """The model failed, and the user has set a fallback model."""
    CHOSEN = auto()
    """The user wants it, for this one request."""


@dataclass(frozen=True, slots=True)
class StandIn:
    """The model that is asked next, and why."""

    model: Model
    reason: Reason


def find_next(
    error: ProxyError, choice: Model, tried: Collection[str], status: Status, settings: Settings
) -> StandIn | None:
    """Returns the model that is asked after one has failed with `error`; None: there is none, so the error is final.

    `choice` is the model that the request is meant for, and `tried` are the ids of those that were asked. A model that
    is withdrawn is followed; one that fails is replaced only by the user's fallback models.
    """
    if isinstance(error, ModelUnavailable) and len(tried) < MOST_FOLLOWED:
        answering = find_answering(choice, status, settings)
        if answering.id not in tried:
            return StandIn(answering, Reason.WITHDRAWN)
    fallbacks = settings.catalog.fallbacks(choice, status.unavailable_models | set(tried))
    return StandIn(fallbacks[0], Reason.FAILED) if fallbacks else None


class StandIns:
    """The stand-ins of all choices, and the model for requests that no user waits for.

    They are found anew only if something that they depend on has changed, since that may take half a millisecond.
    """

    def __init__(self) -> None:
        self._basis: tuple[object, ...] = ()
        self._found: tuple[Mapping[str, Model], Model | None] = {}, None

    def find(self, status: Status, settings: Settings) -> tuple[Mapping[str, Model], Model | None]:
        """Returns the model that answers in the place of another one, by the id of that one, and the background model.

        The latter is None if the user has set none, or if it is withdrawn.
        """
        basis = (
            status.findings,
            status.model_troubles,
            status.listed_models,
            status.failing,
            status.answering,
            settings,
        )
        if basis != self._basis:  # values that are the same object are not compared any further
            self._found = find_stand_ins(status, settings), _find_background(status, settings)
        self._basis = basis
        return self._found


def _find_background(status: Status, settings: Settings) -> Model | None:
    model = settings.background
    if model is None:
        return None
    absence = find_absence(model, status)
    return model if absence is None or absence.kind is Unavailability.NOT_LISTED else None
