"""Asks a running gateway how it is."""

from __future__ import annotations

import time
from typing import TypeVar

import msgspec

from tray_app.status.findings import Finding, LookProgress

T = TypeVar("T", bound=msgspec.Struct)

_TIMEOUT_S = 3.0
_LOOK_S = 0.1
_MOST_BYTES = 1_000_000


class Waiting(msgspec.Struct, frozen=True):
    """The requests to one model that wait for NVIDIA's rate limit. The fields are those of `board.Wait`."""

    model: str
    waiting: int
    longest_s: int
    used: int
    limit: int


class Health(msgspec.Struct, frozen=True):
    """The answer of GET /health, without what is not needed here."""

    model: str
    """The id of the model that is chosen in the tray."""
    has_nvidia_key: bool
    active_requests: int
    has_page: bool = False
    """Tells whether the gateway shows its page to browsers."""
    paused: bool = False
    waits: tuple[Waiting, ...] = ()
    answering: str = ""
    """The id of the model that answers for it; empty: the gateway is older and does not say."""
    today: int = 0
    """Number of requests to that model on this day of UTC."""


class ModelHealth(msgspec.Struct, frozen=True):
    """The answer of GET /health/models."""

    findings: dict[str, Finding] = {}
    """What was found out about each model, by its id."""
    listed: tuple[str, ...] = ()
    """The ids that NVIDIA lists; empty while its list is not known."""
    look: LookProgress = LookProgress()


def read_health(url: str) -> Health | None:
    """Returns the state of the gateway at this URL; None if it does not answer, or not in this form."""
    return _read(f"{url}/health", Health)


def read_model_health(url: str) -> ModelHealth | None:
    """Returns what the gateway at this URL knows of the models; None if it does not answer, or not in this form."""
    return _read(f"{url}/health/models", ModelHealth)


def _read(url: str, form: type[T]) -> T | None:
    import urllib.request  # it imports much, and most commands never need it
    from http.client import HTTPException

    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))  # no proxy leads to this machine
    try:
        with opener.open(url, timeout=_TIMEOUT_S) as response:
            return msgspec.json.decode(response.read(_MOST_BYTES), type=form)
    except (OSError, ValueError, HTTPException):  # all errors of urllib and of msgspec are among these
        return None


def wait_for_key(url: str, timeout_s: float) -> bool:
    """Waits until the gateway has an NVIDIA key: the app notices a new one within a second or two.

    Returns False if the time is over first.
    """
    deadline_s = time.monotonic() + timeout_s
    while not ((health := read_health(url)) and health.has_nvidia_key):
        if time.monotonic() >= deadline_s:
            return False
        time.sleep(_LOOK_S)
    return True
