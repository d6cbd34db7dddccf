"""Where settings, logs and the running instance's notes live."""

from __future__ import annotations

import shlex
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import platformdirs

from tray_app import APP_ID

HOME_VARIABLE = "CLAUDE_NVIDIA_TRAY_HOME"
CONFIG_VARIABLE = "CONFIG_PATH"


@dataclass(frozen=True, slots=True)
class Paths:
    """`settings` is a file; `logs` and `state` are folders. None of them needs to exist."""

    settings: Path
    logs: Path
    state: Path


def find_command(shell: str) -> str:
    """What a user of the shell types to start this program: its name if it is installed, else the way of a checkout."""
    checkout = Path(__file__).resolve().parents[1] / "packaging" / "dev.py"
    if shutil.which(APP_ID) is None and checkout.is_file():
        if shell == "powershell":
            quoted = str(checkout).replace("'", "''")
            return f"py '{quoted}' run"
        return f"python3 {shlex.quote(str(checkout))} run"
    return APP_ID


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
    return Paths(settings=settings, logs=logs, state=state)
