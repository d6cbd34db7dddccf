"""Finds the folders of this program: for settings, logs, data, and the state that a run leaves to the next."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import platformdirs

from tray_app import APP_ID

HOME_VARIABLE = "CLAUDE_NVIDIA_TRAY_HOME"
CONFIG_VARIABLE = "CONFIG_PATH"


@dataclass(frozen=True, slots=True)
class Paths:
    """`settings` is a file; `logs`, `state` and `data` are folders. None of them needs to exist."""

    settings: Path
    logs: Path
    state: Path
    data: Path
    owns_settings_folder: bool = True
    """Tells whether the settings file is in this program's own folder. False: the user named a file elsewhere."""


def find_paths(environ: Mapping[str, str]) -> Paths:
    """Returns the system's usual folders, or those below $CLAUDE_NVIDIA_TRAY_HOME. $CONFIG_PATH names another file."""
    if home := environ.get(HOME_VARIABLE):
        root = Path(home).expanduser().absolute()
        config, logs, state, data = root, root / "logs", root / "state", root / "data"
    else:
        config = platformdirs.user_config_path(APP_ID, appauthor=False, roaming=False)
        logs = platformdirs.user_log_path(APP_ID, appauthor=False)
        state = platformdirs.user_state_path(APP_ID, appauthor=False)
        data = platformdirs.user_data_path(APP_ID, appauthor=False, roaming=False)
    chosen = environ.get(CONFIG_VARIABLE)
    settings = Path(chosen).expanduser().absolute() if chosen else config / "settings.json"
    return Paths(settings, logs, state, data, owns_settings_folder=settings.parent == config)
