"""The two secrets: NVIDIA's API key, and the key that clients of this gateway must show.

Each is looked for in the environment, the OS keyring, then the settings file (0600, where there is no keyring).
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TypeVar

from tray_app import APP_ID
from tray_app.errors import SettingsError
from tray_app.settings import Address
from tray_app.settings_store import SettingsStore

log = logging.getLogger(__name__)

KEYRING_PATIENCE_S = 3.0
"""A locked keyring may ask the user for a password, and block for as long as nobody answers."""

MAX_KEY_CHARACTERS = 1280
"""Windows' credential store takes 2,560 bytes, and gets two for each character. Real keys have under a hundred."""

MIN_NETWORK_KEY_CHARACTERS = 16
"""Of the server key, where anybody in the network may try one: even small letters alone are 75 bits then."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Secret:
    """One of the two secrets: its name in the keyring, in the settings file, and its variables, first one first."""

    name: str
    setting: str
    variables: tuple[str, ...]


NVIDIA_KEY = Secret("nvidia-api-key", "nvidia_key", ("PROVIDER_API_KEY", "NVIDIA_API_KEY"))
SERVER_KEY = Secret("server-api-key", "server_api_key", ("SERVER_API_KEY",))


@dataclass(frozen=True, slots=True)
class Keys:
    """The secrets in force; empty where there is none. Their values never show in a repr."""

    nvidia: str = field(default="", repr=False)
    server: str = field(default="", repr=False)


def explain_exposure(address: Address, server_key: str) -> str:
    """Why the gateway may not listen there with this server key; empty if it may."""
    if address.is_loopback or len(server_key) >= MIN_NETWORK_KEY_CHARACTERS:
        return ""
    what = f"a server key of {MIN_NETWORK_KEY_CHARACTERS} or more characters" if server_key else "a server key"
    return (
        f"Listening on {address} would open the gateway to your network. Set {what} first "
        "(`claude-nvidia-tray set-key --server`, or SERVER_API_KEY), or use 127.0.0.1 as the address."
    )


def read_keys(store: SettingsStore, environ: Mapping[str, str]) -> Keys:
    """Both secrets, from the first place that has them. May take seconds where the keyring blocks; never raises."""
    return Keys(nvidia=_read(NVIDIA_KEY, store, environ), server=_read(SERVER_KEY, store, environ))


def save_key(secret: Secret, value: str, store: SettingsStore) -> str:
    """Keeps the secret in the keyring, else in the settings file; says where, for the user's eyes.

    The settings file is touched either way, which is how a running app learns of the change. SettingsError if neither
    of them takes it.
    """
    in_keyring = _ask_keyring(lambda: _keyring_set(secret, value))
    store.update(
        **{
            secret.setting: None if in_keyring else value,
            "keys_changed": datetime.now(UTC).isoformat(timespec="seconds"),
        }
    )
    if in_keyring:
        return "the system keyring"
    if not store.is_saved:
        raise SettingsError(f"The key is not kept: this system has no usable keyring. {store.problem}")
    return f"{store.path} (this system has no usable keyring)"


def remove_key(secret: Secret, store: SettingsStore) -> None:
    """Forgets the secret in both places. SettingsError if it stands in a file that cannot be written."""
    _ask_keyring(lambda: _keyring_delete(secret))
    was_in_file = bool(getattr(store.current, secret.setting))
    store.update(**{secret.setting: None, "keys_changed": datetime.now(UTC).isoformat(timespec="seconds")})
    if was_in_file and not store.is_saved:
        raise SettingsError(f"The key is not forgotten. {store.problem}")


def _read(secret: Secret, store: SettingsStore, environ: Mapping[str, str]) -> str:
    for variable in secret.variables:
        if value := environ.get(variable, "").strip():
            return value
    stored = _ask_keyring(lambda: _keyring_get(secret))
    in_file: str = getattr(store.current, secret.setting)
    return (stored or in_file).strip()


def _keyring_get(secret: Secret) -> str:
    import keyring  # here, since it loads its backends at import

    return keyring.get_password(APP_ID, secret.name) or ""


def _keyring_set(secret: Secret, value: str) -> bool:
    import keyring

    keyring.set_password(APP_ID, secret.name, value)
    return keyring.get_password(APP_ID, secret.name) == value  # some backends drop what they are given


def _keyring_delete(secret: Secret) -> bool:
    import keyring

    if keyring.get_password(APP_ID, secret.name) is not None:
        keyring.delete_password(APP_ID, secret.name)
    return True


def _ask_keyring(question: Callable[[], T]) -> T | None:
    """The answer of the OS keyring, or None if it has none in time or no backend works."""
    answers: list[T] = []

    def ask() -> None:
        try:
            answers.append(question())
        except Exception as error:  # backends raise their own D-Bus, COM and OS errors
            log.info("no use of the system keyring: %s", type(error).__name__)

    thread = threading.Thread(target=ask, name="keyring", daemon=True)
    thread.start()
    thread.join(KEYRING_PATIENCE_S)
    if thread.is_alive():
        log.warning("the system keyring did not answer within %g s", KEYRING_PATIENCE_S)
    return answers[0] if answers else None
