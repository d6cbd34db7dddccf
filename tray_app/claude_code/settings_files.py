"""Reads the settings files of Claude Code that belong to the user. Nothing here changes them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tray_app.files.atomic import read_whole


def find_user_settings(environ: Mapping[str, str]) -> Path:
    """Returns the path of the settings for all sessions of this user. The file may be missing."""
    folder = environ.get("CLAUDE_CONFIG_DIR")
    return (Path(folder) if folder else Path.home() / ".claude") / "settings.json"


def find_settings_files(environ: Mapping[str, str], folder: Path) -> list[Path]:
    """Returns the settings files that Claude Code reads if it is started in `folder`, the weakest first.

    These are the user's, the project's, and the user's for the project. Any of them may be missing. Settings that an
    organization manages are left out, because nothing here can override them.
    """
    places = [find_user_settings(environ)]
    for project in dict.fromkeys((_find_project(folder), folder)):
        places += [project / ".claude" / "settings.json", project / ".claude" / "settings.local.json"]
    return list(dict.fromkeys(places))


def read_settings_file(path: Path) -> dict[str, Any]:
    """Returns the content of the file; empty if there is none, or if it cannot be used."""
    try:
        return parse_settings(read_whole(path, follows_links=True).decode("utf-8-sig"))
    except (OSError, ValueError):
        return {}


def parse_settings(text: str) -> dict[str, Any]:
    """Returns the settings in a JSON text. ValueError if they are no JSON object."""
    try:
        settings = json.loads(text)
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error
    if not isinstance(settings, dict):
        raise ValueError("it is no object")
    return settings


def read_environment(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Returns the environment variables that the settings set."""
    variables = settings.get("env")
    return variables if isinstance(variables, dict) else {}


def _find_project(folder: Path) -> Path:
    """Returns the folder of the repository that `folder` is in; `folder` itself if it is in none."""
    return next((place for place in (folder, *folder.parents) if (place / ".git").exists()), folder)
