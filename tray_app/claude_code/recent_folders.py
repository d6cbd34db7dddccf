"""Remembers the folders in which Claude Code was started last, for the menu."""

from __future__ import annotations

from pathlib import Path

from tray_app.files.json_file import read_json, write_json

_MOST = 5
"""The number of folders that are remembered."""


def note_folder(state: Path, folder: Path) -> None:
    """Remembers that Claude Code was started in `folder`. `state` is the folder for the state of this program."""
    folders = [folder, *(known for known in list_recent_folders(state) if known != folder)]
    write_json(_find_list(state), [str(known) for known in folders[:_MOST]])


def list_recent_folders(state: Path) -> list[Path]:
    """Returns at most five folders that still exist, the one that was used last first."""
    names = read_json(_find_list(state), list[str]) or []
    return [folder for folder in map(Path, names) if folder.is_absolute() and folder.is_dir()][:_MOST]


def _find_list(state: Path) -> Path:
    return state / "recent-folders.json"
