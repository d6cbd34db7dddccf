"""Asks the system's keyring in a thread of its own, because it may ask the user for a password and wait for ever."""

from __future__ import annotations

import contextlib
import logging
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Generic, TypeVar

from tray_app import APP_ID

log = logging.getLogger(__name__)

T = TypeVar("T")

_REASONS = {"KeyringLocked": "is locked", "InitError": "could not be opened"}
"""Descriptions of the keyring library's errors, by class name, because the library is imported late."""


@dataclass(frozen=True, slots=True)
class Silence:
    """The keyring gave no answer, so that a secret may be in it or not. `reason` continues "the system keyring"."""

    reason: str


class KeyringFailed(Exception):
    """Another process could not read the keyring. The text is the name of the error that it got."""


class Question(Generic[T]):
    """One question to the keyring. It is asked at once, and stays open for as long as the keyring is busy."""

    def __init__(self, ask: Callable[[], T]) -> None:
        self.answer: T | Silence | None = None
        """None while the question is open."""
        self._ask = ask
        self._thread = threading.Thread(target=self._work, name="keyring", daemon=True)
        self._thread.start()

    @property
    def is_open(self) -> bool:
        return self.answer is None

    def wait(self, timeout_s: float) -> T | Silence:
        """Returns the answer, or Silence if there is none within `timeout_s` seconds."""
        self._thread.join(timeout_s)
        return Silence("does not answer") if self.answer is None else self.answer

    def _work(self) -> None:
        try:
            self.answer = self._ask()
        except Exception as error:  # noqa: BLE001 (backends raise their own D-Bus, COM and OS errors)
            self.answer = Silence(_describe(error))
            log.info("no use of the system keyring: it %s", self.answer.reason)


def read_secrets(names: Iterable[str]) -> dict[str, str]:
    """Returns the secrets that are in the keyring, by name. A system without a keyring has none."""
    import keyring  # imported here, because it loads its backends at once
    import keyring.errors

    _look_for_late_keyring()
    found = {}
    with contextlib.suppress(keyring.errors.NoKeyringError):
        for name in names:
            if value := keyring.get_password(APP_ID, name):
                found[name] = value
    return found


def set_secret(name: str, value: str) -> bool:
    """Puts the secret into the keyring. Returns True if it is in there afterwards."""
    import keyring
    import keyring.errors

    try:
        keyring.set_password(APP_ID, name, value)
        return keyring.get_password(APP_ID, name) == value  # some backends do not keep a secret
    except keyring.errors.NoKeyringError:
        return False


def delete_secret(name: str) -> bool:
    """Removes the secret from the keyring, if it is there. Returns True."""
    import keyring
    import keyring.errors

    with contextlib.suppress(keyring.errors.NoKeyringError):
        if keyring.get_password(APP_ID, name) is not None:
            keyring.delete_password(APP_ID, name)
    return True


def _look_for_late_keyring() -> None:
    """Looks for a keyring again if there was none, because this program may start before the keyring at log-in."""
    import keyring.backend
    import keyring.backends.fail
    import keyring.core

    if isinstance(keyring.get_keyring(), keyring.backends.fail.Keyring):
        with contextlib.suppress(AttributeError, KeyError):  # the library caches its first search, if there was one
            keyring.backend.get_all_keyring.reset()
        keyring.core.init_backend()


def _describe(error: Exception) -> str:
    name = str(error) if isinstance(error, KeyringFailed) else type(error).__name__
    return _REASONS.get(name, f"failed ({name})")
