"""What NVIDIA offers on one day: each model, and how its endpoint behaves. A file in JSON holds one day."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import msgspec

Conduct = Literal["answers", "not served", "hangs", "retired", "busy", "forbidden"]
"""What a model does with a chat request. The words after "answers" and "hangs" stand for 404, 410, 503 and 403."""

DAYS = Path(__file__).parent / "nvidia_days"
"""The folder with one file for each day that the tests play."""


class Offer(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One model of one day."""

    id: str
    conduct: Conduct = "not served"
    calls_tools: bool = False
    is_listed: bool = True
    first_token_s: float = 1.0
    """Time from the request to the first token."""
    thinks_tokens: int = 0
    """So many tokens of thinking come before each answer."""
    retired_on: str = ""
    """The date that a 410 names."""
    only_keys: tuple[str, ...] = ()
    """If there are any, the model is not served to other keys (404)."""
    busy_share: float = 0.0
    """This share of the requests gets a 503."""
    waiting: int = 77
    places: int = 32
    """The numbers in the 503: so many requests wait for so many places."""


class Catalogue(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One day: the models, the limits, and the accounts that may do nothing."""

    models: tuple[Offer, ...]
    requests_per_minute: int = 40
    """The limit for each model and key."""
    requests_per_day: int = 10_000
    refused_keys: tuple[str, ...] = ()
    """They get a 401."""
    keys_without_permission: tuple[str, ...] = ()
    """They are valid, but get a 403 from every model."""

    def find(self, model_id: str) -> Offer | None:
        """Returns the model; None if NVIDIA has never heard of it."""
        return next((offer for offer in self.models if offer.id == model_id), None)

    def replace(self, *offers: Offer) -> Catalogue:
        """Returns the catalogue with these models in the place of those with their ids, or in addition."""
        by_id = {offer.id: offer for offer in (*self.models, *offers)}
        return msgspec.structs.replace(self, models=tuple(by_id.values()))


def read_catalogue(path: Path) -> Catalogue:
    """Reads the file of a day. OSError or msgspec.ValidationError if it cannot be used."""
    return msgspec.json.decode(path.read_bytes(), type=Catalogue)


def read_day(name: str) -> Catalogue:
    """Reads a day of the folder `nvidia_days`, such as "first_day"."""
    return read_catalogue(DAYS / f"{name}.json")
