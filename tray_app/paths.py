"""Where settings, logs and the running instance's notes live."""

from __future__ import annotations

import shlex
import shutil
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import platformdirs

from tray_app import APP_ID

HOME_VARIABLE = "CLAUDE_NVIDIA_TRAY_HOME"
CONFIG_VARIABLE = "CONFIG_PATH"
WORKER_OPTION = "--worker"
"""How a bundle, which has no Python to start by itself, starts a worker process."""


@dataclass(frozen=True, slots=True)
class Paths:
    """`settings` is a file; `logs` and `state` are folders. None of them needs to exist."""

    settings: Path
    logs: Path
    state: Path
    owns_settings_folder: bool = True
    """False if the user named a settings file elsewhere: its folder may be anything."""


def find_program() -> list[str]:
    """The words of a command that runs this program in a terminal."""
    if getattr(sys, "frozen", False):
        # the Windows bundle has two: this may be the one that has no terminal
        return [str(Path(sys.executable).with_name(APP_ID + Path(sys.executable).suffix))]
    return [sys.executable, "-m", "tray_app"]


def find_worker() -> tuple[list[str], Path]:
    """The words of a command that starts a worker process of the gateway, and the folder to start it in."""
    program = find_program()
    if getattr(sys, "frozen", False):
        return [*program, WORKER_OPTION], Path(program[0]).parent
    return [sys.executable, "-m", "tray_app.proxy.worker_process"], Path(__file__).resolve().parents[1]


def find_command(shell: str) -> str:
    """What a user of the shell types to start this program: its name if that is installed, else where it is."""
    is_powershell = shell == "powershell"
    quote = _quote_for_powershell if is_powershell else shlex.quote
    checkout = Path(__file__).resolve().parents[1] / "packaging" / "dev.py"
    if shutil.which(APP_ID):
        return APP_ID
    if getattr(sys, "frozen", False):
        (program,) = find_program()
        return f"{'& ' if is_powershell else ''}{quote(program)}"
    if checkout.is_file():
        return f"{'py' if is_powershell else 'python3'} {quote(str(checkout))} run"
    return APP_ID


def _quote_for_powershell(word: str) -> str:
    return "'{}'".format(word.replace("'", "''"))


def find_paths(environ: Mapping[str, str]) -> Paths:
    """The platform's folders, or all below $CLAUDE_NVIDIA_TRAY_HOME; $CONFIG_PATH names another settings file."""
    if home := environ.get(HOME_VARIABLE):
        root = Path(home).expanduser().absolute()
        config, logs, state = root, root / "logs", root / "state"
    else:
        config = platformdirs.user_config_path(APP_ID, appauthor=False, roaming=False)
        logs = platformdirs.user_log_path(APP_ID, appauthor=False)
        state = platformdirs.user_state_path(APP_ID, appauthor=False)
    chosen = environ.get(CONFIG_VARIABLE)
    settings = Path(chosen).expanduser().absolute() if chosen else config / "settings.json"
    return Paths(settings=settings, logs=logs, state=state, owns_settings_folder=settings.parent == config)
