"""The command `set-key`: saves or removes the NVIDIA API key or the server key."""

from __future__ import annotations

from collections.abc import Mapping

from tray_app.commands.open_settings import open_settings
from tray_app.commands.terminal import FAILED, OK, complain, read_secret, say
from tray_app.paths import Paths
from tray_app.settings.keys import (
    MAX_KEY_CHARACTERS,
    MIN_NETWORK_KEY_CHARACTERS,
    NVIDIA_KEY,
    SERVER_KEY,
    explain_exposure,
    remove_key,
    save_key,
)
from tray_app.shells import name_command


def set_key(paths: Paths, environ: Mapping[str, str], *, is_server: bool, removes: bool) -> int:
    """Asks for a key without showing it, or reads a line if the input is no terminal, and saves the key."""
    secret, name = (SERVER_KEY, "server key") if is_server else (NVIDIA_KEY, "NVIDIA API key")
    store = open_settings(paths, environ)
    if removes:
        remove_key(secret, store)
        say(f"The {name} is removed.")
        return OK
    value = read_secret(name)
    if not value:
        complain(
            f"No key was given; nothing is changed. `{name_command('set-key', '--remove')}` removes the present key."
        )
        return FAILED
    if reason := explain_form(value):
        complain(f"That is no key: {reason} Nothing is changed.")
        return FAILED
    if is_server and (reason := explain_exposure(store.current.addr, value)):
        complain(f"The key has {len(value)} characters; nothing is changed. {reason}")
        return FAILED
    where = save_key(secret, value, store)
    if is_server and len(value) < MIN_NETWORK_KEY_CHARACTERS:
        complain(
            f"Note: the key has {len(value)} characters, which is enough on this machine only. To open the gateway to "
            f"your network, a key needs {MIN_NETWORK_KEY_CHARACTERS} or more."
        )
    if not is_server and not value.startswith("nvapi-"):
        complain('Note: keys of build.nvidia.com begin with "nvapi-", and this one does not.')
    say(f"The {name} is kept in {where}. A running app uses it from now on.")
    for variable in secret.variables:
        if environ.get(variable):
            complain(f"Note: the environment variable {variable} is set, and is used instead of it.")
    return OK


def explain_form(value: str) -> str:
    """Returns why a text cannot be a key, as a sentence about "it"; empty if it can be one."""
    if not value.isascii() or not value.isprintable() or " " in value:
        return "a key has no spaces and only ASCII characters."
    if len(value) > MAX_KEY_CHARACTERS:
        return f"it has {len(value)} characters, and the limit is {MAX_KEY_CHARACTERS}."
    return ""
