"""Reads the system's keyring in a process of its own, which ends when it has answered.

On Linux the keyring's library loads an encryption library of 10 MB, and works for 0.1 s until it is ready. The app asks
it once or twice in its life. So it does that elsewhere, and imports other modules in the meantime.
"""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence

from tray_app.settings.system_keyring import KeyringFailed, read_secrets
from tray_app.shells import KEYRING_OPTION, find_program

log = logging.getLogger(__name__)

_OF_MACOS = "keyring.backends.macOS.api"
"""The keyring's library imports this on each system. On Linux it starts a compiler, which finds nothing: 40 ms."""


def read_secrets_apart(names: Sequence[str], environ: Mapping[str, str]) -> dict[str, str]:
    """Returns the secrets that are in the keyring, by name. Raises KeyringFailed, or an error of the keyring's library.

    `environ` is for the other process. If that cannot be used, or if the library is loaded here already, this process
    reads the keyring itself.
    """
    if "keyring" in sys.modules:
        return read_secrets(names)
    try:
        answer = json.loads(ask_process(names, environ))
        found, failure = answer["found"], answer["failure"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        log.info("the keyring is read without another process: %s", type(error).__name__)
        return read_secrets(names)
    if failure:
        raise KeyringFailed(failure)
    return {name: found[name] for name in names if name in found}


def ask_process(names: Sequence[str], environ: Mapping[str, str]) -> bytes:
    """Returns what the other process writes: JSON with the secrets `found`, and the name of a `failure`; empty: none.

    It waits for as long as the keyring waits for the user. OSError if the process cannot be started.
    """
    with subprocess.Popen(
        [*find_program(), KEYRING_OPTION, *names],
        env=environ,
        stdin=subprocess.PIPE,  # its end is the end of this process
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    ) as process:
        assert process.stdout is not None
        return process.stdout.read()


def main(names: Sequence[str]) -> int:
    """Writes the secrets of these names, or what has failed, to the standard output. Returns the exit code."""
    threading.Thread(target=_end_with_app, daemon=True).start()
    sys.modules[_OF_MACOS] = None  # type: ignore[assignment]  # an import of it fails, which the library allows for
    found, failure = {}, ""
    try:
        found = read_secrets(names)
    except Exception as error:  # noqa: BLE001 (backends raise their own D-Bus and OS errors)
        failure = type(error).__name__
    sys.stdout.write(json.dumps({"found": found, "failure": failure}))
    return 0


def _end_with_app() -> None:
    """Ends this process when the app has ended, even while the keyring waits for the user."""
    os.read(sys.stdin.fileno(), 1)  # nothing is ever written, so it returns at the end
    os._exit(1)
