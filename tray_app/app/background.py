"""Starts the app in the background, where it outlives the terminal, and ends an app that is running."""

from __future__ import annotations

import os
import subprocess
import time
from pathlib import Path

from tray_app.app.instance import Instance, Whereabouts
from tray_app.desktop.detached import ask_to_end, start_detached
from tray_app.errors import AppError
from tray_app.files.private import make_private_folder, open_private
from tray_app.shells import NO_WELCOME_OPTION, find_background_program

_START_S = 60.0
"""Longest wait until a started app listens. A keyring that asks for a password takes seconds of it."""
_LOOK_S = 0.1
"""The time between two looks at the note of the app."""
_QUIT_S = 15.0
"""Longest wait for an app that was asked to quit. It gives running answers five seconds."""
_TERMINATE_S = 5.0
"""Longest wait after SIGTERM."""
_MOST_OUTPUT_BYTES = 2000
"""How much of the end of the app's output is quoted."""


class StartFailed(AppError):
    """The app has ended, or it does not listen. The message says what it printed."""


def start_in_background(
    state: Path, *, is_demo: bool, wants_tray: bool, shows_welcome: bool, umask: int
) -> Whereabouts:
    """Starts the app and waits until it listens. Returns where. StartFailed if it does not.

    `state` is the folder for the state of this program, where the output of the app is kept. `umask` is the user's.
    `shows_welcome`: the very first start shows the page.
    """
    command = find_background_program()
    command += ["--demo"] if is_demo else []
    command += [] if wants_tray else ["--no-tray"]
    command += [] if shows_welcome else [NO_WELCOME_OPTION]
    make_private_folder(state)
    output = state / "background-output.txt"
    descriptor = open_private(output, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND)
    try:
        # Its folder is not the one of this process, which the user may want to remove.
        process = start_detached(command, descriptor, state, umask)
    finally:
        os.close(descriptor)
    return wait_listening(Instance(state), process, output)


def wait_listening(
    instance: Instance, process: subprocess.Popen[bytes] | None = None, output: Path | None = None
) -> Whereabouts:
    """Waits until the app listens. Returns where. StartFailed if it does not.

    `process` is that of the app, and `output` the file with what it prints; None: another process has started it.
    """
    deadline_s = time.monotonic() + _START_S
    while time.monotonic() < deadline_s:
        # The process is looked at first: if it ends because another app is running already, that one is found.
        has_ended = process is not None and process.poll() is not None
        running = instance.find_running()
        if running is not None and running.url:
            return running
        if running is not None and running.pid:  # it has written its note, which names no URL
            raise StartFailed(f"The app runs, but its gateway does not listen.{_quote(output)}")
        if running is None and (has_ended or process is None):
            raise StartFailed(f"The app has ended.{_quote(output)}")
        time.sleep(_LOOK_S)
    raise StartFailed(f"The app does not listen after {_START_S:.0f} seconds.{_quote(output)}")


def end_app(instance: Instance) -> bool:
    """Asks the running app to quit, and waits for its end. Returns False if it does not end."""
    running = instance.find_running()
    if running is None:
        return True
    instance.ask_to_quit()
    if instance.wait_end(_QUIT_S):
        return True
    if running.pid:  # it may hang, so that it does not see that it is asked
        ask_to_end(running.pid)
    return instance.wait_end(_TERMINATE_S)


def _quote(output: Path | None) -> str:
    """Returns what the app printed last, as a sentence; empty if that is not known."""
    if output is None:
        return " Its menu says why."
    with output.open("rb") as file:
        file.seek(0, os.SEEK_END)
        file.seek(max(file.tell() - _MOST_OUTPUT_BYTES, 0))
        text = file.read().decode(errors="replace").strip()
    return f" It said: {text}" if text else " It said nothing; its log may say why."
