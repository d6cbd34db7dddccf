"""Carries out what the page asks for about the NVIDIA API key. The key itself never goes back to the browser."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import Enum, auto
from typing import TYPE_CHECKING, Any

from tray_app.app.new_key import judge_and_save, list_notes
from tray_app.errors import SettingsError
from tray_app.settings.keys import NVIDIA_KEY, Keys, Secret, explain_form, remove_key
from tray_app.settings.store import SettingsStore

if TYPE_CHECKING:  # the icon must not wait for it
    import ssl


class KeyPlace(Enum):
    """Names the places that a key in use can come from."""

    VARIABLE = auto()
    """A variable of the environment, which wins over a saved key."""
    FILE = auto()
    KEYRING = auto()


class KeyDesk:
    """Saves and removes the key. Its methods may take long, so that the job thread must not call them."""

    def __init__(
        self, store: SettingsStore, environ: Mapping[str, str], make_tls_context: Callable[[], ssl.SSLContext]
    ) -> None:
        """`make_tls_context` decides which certificates of NVIDIA's server are trusted."""
        self._store = store
        self._environ = environ
        self._make_tls_context = make_tls_context

    def save(self, value: str) -> dict[str, Any]:
        """Has NVIDIA judge the key, and saves it unless NVIDIA refuses it. Returns what became of it.

        SettingsError if it is no key, or cannot be saved anywhere.
        """
        value = value.strip()
        if not value:
            raise SettingsError("No key was given; nothing is changed.")
        if reason := explain_form(value):
            raise SettingsError(f"That is no key: {reason} Nothing is changed.")
        new = judge_and_save(value, self._store, self._make_tls_context)
        notes = list_notes(NVIDIA_KEY, value, self._environ) if new.place else []
        return {
            "is_saved": bool(new.place),
            "is_accepted": new.is_accepted,
            "sentence": new.sentence,
            "place": f"It is kept in {new.place}." if new.place else "",
            "notes": [f"Note: {note}" for note in notes],
        }

    def remove(self) -> dict[str, Any]:
        """Removes the saved key. SettingsError if the keyring or the settings file cannot be changed."""
        remove_key(NVIDIA_KEY, self._store)
        return {"sentence": "The NVIDIA API key is removed."}


def find_variable(environ: Mapping[str, str], secret: Secret = NVIDIA_KEY) -> str:
    """Returns the environment variable that a key comes from; empty if none is set."""
    return next((name for name in secret.variables if environ.get(name, "").strip()), "")


def find_place(secret: Secret, value: str, store: SettingsStore, environ: Mapping[str, str]) -> KeyPlace | None:
    """Returns where a key in use comes from; None: there is none. `value` is the key."""
    if not value:
        return None
    if find_variable(environ, secret):
        return KeyPlace.VARIABLE
    return KeyPlace.FILE if getattr(store.current, secret.setting) == value else KeyPlace.KEYRING


def describe_place(keys: Keys, store: SettingsStore, environ: Mapping[str, str]) -> str:
    """Returns where the NVIDIA API key in use comes from, as a sentence; empty: there is none."""
    match find_place(NVIDIA_KEY, keys.nvidia, store, environ):
        case KeyPlace.VARIABLE:
            return f"It comes from the environment variable {find_variable(environ)}, which wins over a saved key."
        case KeyPlace.FILE:
            return f"It is kept in {store.path}, which only you can read, because this system has no usable keyring."
        case KeyPlace.KEYRING:
            return "It is kept in the system keyring."
    return ""
