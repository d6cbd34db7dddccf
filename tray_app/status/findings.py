"""What was found out about each model for this key: by real requests, by probes, and by NVIDIA's refusals."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

from tray_app.catalog import Model

REQUESTS_PER_DAY = 10_000
"""About so many requests a day does NVIDIA take for each model (public reports, August 2026). It publishes no limit."""


class Unavailability(Enum):
    """Why a model cannot be used. The values are the words in the menu."""

    RETIRED = "retired"
    NOT_SERVED = "not served"
    """NVIDIA does not serve it to this API key."""
    NOT_ALLOWED = "not allowed"
    """NVIDIA says that this API key may not use it. The key may lack the permission for every model."""
    NOT_LISTED = "not listed"
    """NVIDIA's list of models lacks it. That is only a hint: it may answer all the same."""


@dataclass(frozen=True, slots=True)
class ModelTrouble:
    """Why a model cannot be used, and the date since when; empty: NVIDIA named no date."""

    kind: Unavailability
    date: str = ""


@dataclass(frozen=True, slots=True)
class Finding:
    """What was found out about one model. Real requests count more than probes."""

    answers: bool | None = None
    """Tells whether the model answers requests; None: not known."""
    calls_tools: bool | None = None
    """Tells whether the model calls tools; None: not known."""
    takes_images: bool | None = None
    """Tells whether the model sees images; None: not known."""
    refusal: ModelTrouble | None = None
    """Why NVIDIA refuses every request to the model; None: no refusal is known."""
    first_token_s: float | None = None
    """Median of the seconds from a request to the first token, over recent answers; None: not known."""
    asked: int = 0
    """Number of requests over the days that are kept."""
    succeeded: int = 0
    """Number of those requests that were answered."""
    today: int = 0
    """Number of requests of this day, which begins at midnight UTC."""
    found_at: float = 0.0
    """When the newest of these facts was found, in seconds since 1970; 0: nothing was found."""
    holds_until: float = 0.0
    """Until when `answers`, `calls_tools`, `takes_images` and `refusal` are believed, in seconds since 1970."""

    def sees_images(self, model: Model) -> bool:
        """Tells whether a model sees images: as it was found out, else as the catalog says. `model` is its row."""
        return model.takes_images if self.takes_images is None else self.takes_images

    def holds(self, now: float) -> bool:
        """Tells whether the facts are still believed at `now`, in seconds since 1970. The counts always stay true."""
        return now < self.holds_until


@dataclass(frozen=True, slots=True)
class LookProgress:
    """How far the search for models that answer is. It asks NVIDIA's list and then one model after the other."""

    finished: int = 0
    """How many looks have ended since the gateway began."""
    left: int | None = None
    """How many models are still to be asked in the look that runs; None: none runs."""
    ended_at: float = 0.0
    """When the last look ended, as a Unix time in seconds; 0: none has ended since the gateway began."""


NO_LOOK = LookProgress()
NOTHING_FOUND = Finding()


@dataclass(frozen=True, slots=True)
class Findings:
    """The findings about all models, by their ids."""

    by_model: Mapping[str, Finding] = field(default_factory=dict)

    def find(self, model_id: str) -> Finding:
        """Returns what was found out about a model, or `NOTHING_FOUND`."""
        return self.by_model.get(model_id, NOTHING_FOUND)

    def with_finding(self, model_id: str, finding: Finding) -> Findings:
        """Returns these findings with another one for a model."""
        return Findings({**self.by_model, model_id: finding})


NO_FINDINGS = Findings()
