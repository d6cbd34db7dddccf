"""Keeps the model in the user's own settings of Claude Code as it was before a session of the launcher.

Claude Code saves what is picked in `/model` as the default for new sessions, also if the session has settings of its
own. A session without this gateway would then ask Anthropic for a model of NVIDIA.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from tray_app.claude_code.user_settings import SettingsText, read_settings, write_settings
from tray_app.errors import ClaudeSettingsError
from tray_app.files.atomic import read_whole, write_whole

_NOTE = "own-model.json"
"""The name of the file in the state folder that holds the user's own model, for the next run after a crash."""


@contextmanager
def own_model_kept(state: Path, settings_file: Path, ours: Collection[str]) -> Iterator[None]:
    """Puts the user's own model back at the end of the `with`, and before it if an earlier run has crashed.

    `ours` are the names that only this gateway knows. A settings file that cannot be read or written stays as it is.
    """
    with suppress(ClaudeSettingsError, OSError):
        _keep(state / _NOTE, settings_file, ours)
    try:
        yield
    finally:
        with suppress(ClaudeSettingsError, OSError):
            _keep(state / _NOTE, settings_file, ours)


def _keep(note_file: Path, settings_file: Path, ours: Collection[str]) -> None:
    settings = read_settings(settings_file)
    model, note = settings.value.get("model"), _read_note(note_file)
    if note is None or model not in ours:  # it is the user's own
        write_whole(note_file, json.dumps({"had_file": settings.raw is not None, "model": model}).encode())
    elif model != note["model"]:
        _put_back(settings_file, settings, note)


def _read_note(note_file: Path) -> dict[str, Any] | None:
    try:
        note = json.loads(read_whole(note_file))
    except (OSError, ValueError, RecursionError):
        return None
    return note if isinstance(note, dict) and {"had_file", "model"} <= note.keys() else None


def _put_back(settings_file: Path, settings: SettingsText, note: dict[str, Any]) -> None:
    value = {name: setting for name, setting in settings.value.items() if name != "model"}
    if note["model"] is not None:
        value = {**settings.value, "model": note["model"]}  # at its place
    if value or note["had_file"]:
        write_settings(settings_file, settings.render(value))
    else:
        settings_file.unlink()
