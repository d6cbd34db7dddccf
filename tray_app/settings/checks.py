"""The checks for values in the settings file. Each returns the value to use; ValueError means that it is wrong."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import urlsplit

Check = tuple[Callable[[object], Any], str]
"""A check, and a description of the right values for the error that names a wrong one."""

MOST_IDS = 200
"""The most ids in a list. NVIDIA lists about 80 models."""
_ORIGIN = re.compile(r"([a-z][a-z0-9+.-]*)://(?:\[[0-9a-f:.]+\]|[a-z0-9._-]+)(?::([1-9][0-9]{0,4}))?")
_USUAL_PORTS = {"http": "80", "https": "443"}


class Refused(ValueError):
    """A wrong value that must not be shown. Its text continues the name of the setting: "must not hold ..."."""


def text(value: object) -> str:
    """The check for a text. Returns it without white space around it."""
    if not isinstance(value, str):
        raise ValueError
    return value.strip()


def switch(value: object) -> bool:
    """The check for true or false."""
    if not isinstance(value, bool):
        raise ValueError
    return value


def word(*words: str) -> Check:
    """Returns the check for one of these words, with its description."""

    def check(value: object) -> str:
        if value not in words:
            raise ValueError
        return str(value)

    *first, last = (f'"{one}"' for one in words)
    return check, f"{', '.join(first)} or {last}"


def whole_number(minimum: int) -> Callable[[object], int]:
    """Returns the check for a whole number of `minimum` or more."""

    def check(value: object) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or value < minimum:
            raise ValueError
        return value

    return check


def web_address(value: object) -> str:
    """The check for an http or https URL. Refuses a user name in it, which would be sent in place of the API key."""
    url = text(value)
    parts = urlsplit(url)
    if parts.username is not None:
        raise Refused("must not hold a user name or password")
    # `port` itself raises ValueError for an impossible port.
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.port == 0:
        raise ValueError
    return url


def origins(value: object) -> tuple[str, ...]:
    """The check for a list of origins. Returns each as browsers write it: in lower case, without the default port."""
    if not isinstance(value, list):
        raise ValueError
    return tuple(_origin(item) for item in value)


def model_ids(value: object) -> tuple[str, ...]:
    """The check for a list of ids of models. Returns each once. It need not be the id of a model that is known."""
    if not isinstance(value, list):
        raise ValueError
    ids = tuple(dict.fromkeys(map(text, value)))
    if not all(ids) or len(ids) > MOST_IDS:
        raise ValueError
    return ids


def _origin(value: object) -> str:
    origin = text(value).lower()
    match = _ORIGIN.fullmatch(origin)
    if match is None:
        raise ValueError
    scheme, port = match.groups()
    if port is not None and int(port) > 65535:
        raise ValueError
    return origin.removesuffix(f":{_USUAL_PORTS.get(scheme)}")


def one_of(ids: Iterable[str]) -> str:
    """Returns the description of a check that accepts only these ids."""
    return "one of " + ", ".join(f'"{model_id}"' for model_id in ids)
