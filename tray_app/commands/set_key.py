"""The command `set-key`: saves or removes the NVIDIA API key or the server key."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from tray_app.app.instance import Instance
from tray_app.app.new_key import judge_and_save, list_notes
from tray_app.commands.open_settings import open_settings
from tray_app.commands.running_app import is_demo_in_the_way
from tray_app.commands.start import start
from tray_app.commands.terminal import FAILED, OK, complain, read_secret, say
from tray_app.desktop import find_desktop
from tray_app.paths import Paths
from tray_app.settings.keys import (
    MIN_NETWORK_KEY_CHARACTERS,
    NVIDIA_KEY,
    SERVER_KEY,
    Secret,
    explain_exposure,
    explain_form,
    remove_key,
    save_key,
)
from tray_app.settings.store import SettingsStore
from tray_app.shells import name_command


def set_key(paths: Paths, environ: Mapping[str, str], users_umask: int, *, is_server: bool, removes: bool) -> int:
    """Asks for a key without showing it, or reads a line if the input is no terminal, and saves the key.

    If a demo is running, a real app takes its place.
    """
    secret, name = (SERVER_KEY, "server key") if is_server else (NVIDIA_KEY, "NVIDIA API key")
    store = open_settings(paths, environ)
    if removes:
        remove_key(secret, store)
        say(f"The {name} is removed.")
        return OK
    if not save_given_key(secret, read_secret(name), store, environ, say):
        return FAILED
    running = Instance(paths.state).find_running()
    if is_server or not is_demo_in_the_way(running, is_demo=False):
        return OK
    return start(paths, is_demo=False, wants_tray=running is None or running.has_icon, users_umask=users_umask)


def save_given_key(
    secret: Secret, value: str, store: SettingsStore, environ: Mapping[str, str], tell: Callable[[str], None]
) -> bool:
    """Checks and saves a key that the user has given. Returns False, and says why, if it is not saved.

    `tell` prints a line for the user if it is saved.
    """
    if not value:
        complain(
            f"No key was given; nothing is changed. `{name_command('set-key', '--remove')}` removes the present key."
        )
        return False
    if reason := explain_form(value):
        complain(f"That is no key: {reason} Nothing is changed.")
        return False
    if secret is SERVER_KEY:
        name, place = "server key", _save_server_key(value, store)
    else:
        name, place = "NVIDIA API key", _save_nvidia_key(value, store, environ, tell)
    if not place:
        return False
    tell(f"The {name} is kept in {place}. A running app uses it from now on.")
    for note in list_notes(secret, value, environ):
        complain(f"Note: {note}")
    return True


def _save_server_key(value: str, store: SettingsStore) -> str:
    """Returns where the key is kept; empty, after it has said why, if it is not saved."""
    if reason := explain_exposure(store.current.addr, value):
        complain(f"The key has {len(value)} characters; nothing is changed. {reason}")
        return ""
    place = save_key(SERVER_KEY, value, store)
    if len(value) < MIN_NETWORK_KEY_CHARACTERS:
        complain(
            f"Note: the key has {len(value)} characters, which is enough on this machine only. To open the gateway to "
            f"your network, a key needs {MIN_NETWORK_KEY_CHARACTERS} or more."
        )
    return place


def _save_nvidia_key(value: str, store: SettingsStore, environ: Mapping[str, str], tell: Callable[[str], None]) -> str:
    """Has NVIDIA judge the key, and tells the verdict. Returns where the key is kept; empty if it is not saved."""
    tell("Checking the key with NVIDIA …")
    new = judge_and_save(value, store, find_desktop(environ).make_tls_context)
    say_verdict = tell if new.is_accepted else complain
    say_verdict(new.sentence)
    return new.place
