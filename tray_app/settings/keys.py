"""The two secrets: NVIDIA's API key, and the server key, which clients of this gateway must send.

Each is looked for in the environment, then in the system keyring, then in the settings file, which is used if there
is no keyring. A keyring that gives no answer may still hold the key. So a key that was known before stays in force, and
while a server key is not known, every request is refused.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from typing import Literal

from tray_app.errors import SettingsError
from tray_app.settings.keyring_process import read_secrets_apart
from tray_app.settings.settings import ROWS, Address
from tray_app.settings.store import Changes, SettingsStore
from tray_app.settings.system_keyring import Question, Silence, delete_secret, read_secrets, set_secret
from tray_app.shells import name_command

log = logging.getLogger(__name__)

KEYRING_TIMEOUT_S = 3.0
"""Longest wait for the keyring. A locked one may ask the user for a password, and block until somebody answers."""

_FIRST_PAUSE_S = 60.0
_LONGEST_PAUSE_S = 960.0
"""Pauses before a silent keyring is asked again. Each question may make it ask the user for a password."""

MAX_KEY_CHARACTERS = 1280
"""Longest key. Windows' credential store takes 2,560 bytes, two for each character. Real keys have under a hundred."""

MIN_NETWORK_KEY_CHARACTERS = 16
"""Shortest server key if the network can reach the gateway. Even small letters alone make 75 bits then."""


@dataclass(frozen=True, slots=True)
class Secret:
    """One of the two secrets: its name in the keyring, its setting and its variables. The first variable counts."""

    name: str
    setting: Literal["nvidia_key", "server_api_key"]
    variables: tuple[str, ...]


NVIDIA_KEY = Secret("nvidia-api-key", "nvidia_key", ROWS["nvidia_key"].variables)
SERVER_KEY = Secret("server-api-key", "server_api_key", ROWS["server_api_key"].variables)


@dataclass(frozen=True, slots=True)
class Keys:
    """The secrets in force; an empty text means that there is none. A repr never shows their values."""

    nvidia: str = field(default="", repr=False)
    server: str = field(default="", repr=False)
    is_nvidia_unknown: bool = field(default=False, repr=False)
    """Tells whether the NVIDIA key may be in a keyring that gives no answer."""
    is_server_unknown: bool = field(default=False, repr=False)
    """Tells whether a server key may be set that cannot be read. Every request is refused then."""

    @property
    def is_guarded(self) -> bool:
        """Tells whether clients must send a key."""
        return bool(self.server) or self.is_server_unknown


_KEY_VARIABLES = frozenset(NVIDIA_KEY.variables + SERVER_KEY.variables)


def without_keys(environ: Mapping[str, str]) -> dict[str, str]:
    """Returns the environment without the keys, for a process that needs none."""
    return {name: value for name, value in environ.items() if name not in _KEY_VARIABLES}


class KeyReader:
    """Reads the secrets, and knows when to ask a silent keyring again. It is used by one thread only."""

    def __init__(
        self,
        store: SettingsStore,
        environ: Mapping[str, str],
        clock: Callable[[], float] = time.monotonic,
        *,
        reads_apart: bool = False,
    ) -> None:
        """`reads_apart`: the keyring is read in a process of its own."""
        self._store = store
        self._environ = environ
        self._clock = clock
        self._read_secrets = partial(read_secrets_apart, environ=without_keys(environ)) if reads_apart else read_secrets
        self.keys = Keys()
        """The secrets as they were last read."""
        self.silence: Silence | None = None
        """Why the keyring gave no answer the last time; None: it answered, or was not asked."""
        self._question: Question[dict[str, str]] | None = None
        """The question that is still open; None: no question is. The keyring may wait for the user's password."""
        self._next_s: float | None = None
        """The time of the clock to ask again; None: there is no need to."""
        self._pause_s = _FIRST_PAUSE_S

    def read(self) -> Keys:
        """Returns both secrets, each from the first place that has it. Takes seconds if the keyring blocks."""
        nvidia, server = self._from_environment(NVIDIA_KEY), self._from_environment(SERVER_KEY)
        answer = self._ask([secret.name for secret, value in ((NVIDIA_KEY, nvidia), (SERVER_KEY, server)) if not value])
        kept, silence = ({}, answer) if isinstance(answer, Silence) else (answer, None)
        if silence and silence != self.silence:
            log.warning("the system keyring %s", silence.reason)
        if self.silence and not silence:
            log.info("the system keyring answers again")
        self.silence = silence
        in_file = self._store.current
        found = Keys(
            nvidia or kept.get(NVIDIA_KEY.name, "").strip() or in_file.nvidia_key,
            server or kept.get(SERVER_KEY.name, "").strip() or in_file.server_api_key,
        )
        self.keys = self._judge(found)
        if self.keys == found:  # both secrets are known
            self._next_s, self._pause_s = None, _FIRST_PAUSE_S
        elif self._question is None:
            self._wait()
        return self.keys

    def is_due(self) -> bool:
        """Tells whether to read again: an open question has been answered, or a pause is over."""
        if self._question is None:
            return self._next_s is not None and self._clock() >= self._next_s
        if self._question.is_open:
            return False
        answer, self._question = self._question.answer, None
        self._wait()
        # The answer itself is not used, because the keyring may have changed meanwhile.
        return not isinstance(answer, Silence)

    def read_again(self) -> None:
        """Makes the next `read` ask the keyring at once, even if a question is still open."""
        self._question = None
        self._pause_s = _FIRST_PAUSE_S

    def _judge(self, found: Keys) -> Keys:
        """Returns the keys in force, given those that were found. The others may be in a silent keyring."""
        is_silent, needs_server_key = self.silence is not None, self._store.needs_server_key
        nvidia = found.nvidia or (self.keys.nvidia if is_silent else "")
        server = found.server or (self.keys.server if is_silent else "")
        return Keys(
            nvidia,
            server,
            is_nvidia_unknown=is_silent and not nvidia,
            is_server_unknown=not server and (needs_server_key is True or (needs_server_key is None and is_silent)),
        )

    def _from_environment(self, secret: Secret) -> str:
        values = (self._environ.get(variable, "").strip() for variable in secret.variables)
        return next(filter(None, values), "")

    def _ask(self, names: list[str]) -> dict[str, str] | Silence:
        if not names:
            return {}
        timeout_s = 0.0
        if self._question is None or not self._question.is_open:
            self._question = Question(lambda: self._read_secrets(names))
            timeout_s = KEYRING_TIMEOUT_S
        answer = self._question.wait(timeout_s)
        if not self._question.is_open:
            self._question = None
        return answer

    def _wait(self) -> None:
        self._next_s = self._clock() + self._pause_s
        self._pause_s = min(2 * self._pause_s, _LONGEST_PAUSE_S)


def explain_exposure(address: Address, server_key: str) -> str:
    """Returns why the gateway may not listen on the address with this server key; empty if it may."""
    if address.is_loopback or len(server_key) >= MIN_NETWORK_KEY_CHARACTERS:
        return ""
    what = f"a server key of {MIN_NETWORK_KEY_CHARACTERS} or more characters" if server_key else "a server key"
    return (
        f"Listening on {address} would open the gateway to your network. Set {what} first "
        f"(`{name_command('set-key', '--server')}`, or SERVER_API_KEY), or use 127.0.0.1 as the address."
    )


def explain_form(value: str) -> str:
    """Returns why a text cannot be a key, as a sentence about "it"; empty if it can be one."""
    if not value.isascii() or not value.isprintable() or " " in value:
        return "a key has no spaces and only ASCII characters."
    if len(value) > MAX_KEY_CHARACTERS:
        return f"it has {len(value)} characters, and the limit is {MAX_KEY_CHARACTERS}."
    return ""


def read_keys(store: SettingsStore, environ: Mapping[str, str]) -> Keys:
    """Reads both secrets once. Takes seconds if the keyring blocks; never raises."""
    return KeyReader(store, environ).read()


def save_key(secret: Secret, value: str, store: SettingsStore) -> str:
    """Saves the secret in the keyring, else in the settings file. Returns the name of that place, for the user.

    The settings file is written in both cases, so that a running app notices the change. SettingsError if the secret
    could not be saved in either place.
    """
    in_keyring = _ask_once(lambda: set_secret(secret.name, value)) is True
    changes = _note_change(needs_server_key=True if secret is SERVER_KEY else store.needs_server_key)
    changes[secret.setting] = None if in_keyring else value
    store.update(**changes)
    if in_keyring:
        return "the system keyring"
    if not store.is_saved:
        raise SettingsError(f"The key is not saved: this system has no usable keyring. {store.problem}")
    return f"{store.path} (this system has no usable keyring)"


def remove_key(secret: Secret, store: SettingsStore) -> None:
    """Removes the secret from both places. SettingsError if the keyring or the file cannot be changed."""
    answer = _ask_once(lambda: delete_secret(secret.name))
    was_in_file = bool(getattr(store.current, secret.setting))
    if isinstance(answer, Silence) and not was_in_file:
        raise SettingsError(f"The key is not removed: the system keyring {answer.reason}. Unlock it and try again.")
    changes = _note_change(needs_server_key=False if secret is SERVER_KEY else store.needs_server_key)
    changes[secret.setting] = None
    store.update(**changes)
    if was_in_file and not store.is_saved:
        raise SettingsError(f"The key is not removed. {store.problem}")


def _note_change(*, needs_server_key: bool | None) -> Changes:
    return {"keys_changed": datetime.now(UTC).isoformat(timespec="seconds"), "needs_server_key": needs_server_key}


def _ask_once(ask: Callable[[], bool]) -> bool | Silence:
    return Question(ask).wait(KEYRING_TIMEOUT_S)
