"""Saves an NVIDIA API key that the user has given, after NVIDIA has judged it. The command and the page use it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tray_app.settings.keys import NVIDIA_KEY, Secret, save_key
from tray_app.settings.store import SettingsStore

if TYPE_CHECKING:  # every command would import it, and most never need it
    import ssl


@dataclass(frozen=True, slots=True)
class NewKey:
    """The result of judging and saving a key that the user has given."""

    is_accepted: bool
    """Tells whether a model has answered to the key."""
    sentence: str
    """Tells what NVIDIA says about the key, and whether the key is saved if that is not plain."""
    place: str = ""
    """Where the key is kept, such as "the system keyring"; empty: it is not saved."""


def judge_and_save(value: str, store: SettingsStore, make_tls_context: Callable[[], ssl.SSLContext]) -> NewKey:
    """Has NVIDIA judge a key, and saves it unless NVIDIA refuses it. It takes a second, or up to a minute.

    `value` must have the form of a key. SettingsError if it cannot be saved anywhere.
    """
    from tray_app.proxy.key_check import Verdict, check_key, list_judges  # it imports aiohttp, which is seldom needed

    settings = store.current
    check = check_key(value, settings.nvidia_url, list_judges(settings), make_tls_context)
    if check.verdict is Verdict.REFUSED:
        return NewKey(False, f"{check.sentence} It is not saved.")
    place = save_key(NVIDIA_KEY, value, store)
    if check.verdict is Verdict.VALID:
        return NewKey(True, check.sentence, place)
    return NewKey(False, f"{check.sentence} It is saved all the same.", place)


def list_notes(secret: Secret, value: str, environ: Mapping[str, str]) -> list[str]:
    """Returns what the user should know about a saved key, as sentences behind "Note: "."""
    is_odd = secret is NVIDIA_KEY and not value.startswith("nvapi-")
    winning = [variable for variable in secret.variables if environ.get(variable)]
    return [
        *(['keys of build.nvidia.com begin with "nvapi-", and this one does not.'] if is_odd else []),
        *(f"the environment variable {variable} is set, and is used instead of it." for variable in winning),
    ]
