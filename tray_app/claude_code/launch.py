"""Prepares one run of Claude Code: its arguments, its environment and its settings. Nothing here starts anything."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tray_app.claude_code.claude_settings import Setup, make_settings
from tray_app.claude_code.conflicts import drop_conflicts, find_conflicts
from tray_app.claude_code.settings_files import parse_settings, read_environment
from tray_app.claude_code.shell_syntax import LOOPBACK, TOKEN, read_no_proxy
from tray_app.files.atomic import read_whole

MANUAL = "--manual"
"""Our own word, directly behind `claude`: Claude Code asks the user before each risky command."""

_SETTINGS = "--settings"
_QUESTIONS = ("--help", "-h", "--version", "-v")
_BACKGROUND = ("--bg", "--background")


@dataclass(frozen=True, slots=True)
class Arguments:
    """The arguments for Claude Code, in which the user may name settings."""

    words: tuple[str, ...]
    settings: dict[str, Any] | None = None
    """The settings that the user names; None: there are none, or Claude Code is to say what is wrong with them."""
    place: int | None = None
    """The index of the word that names `settings`; None if there are none."""

    @property
    def is_question(self) -> bool:
        """Tells whether Claude Code is only asked for its help or its version, which needs no gateway."""
        return bool(self.words) and self.words[0] in _QUESTIONS

    @property
    def is_background(self) -> bool:
        """Tells whether Claude Code only begins a session in the background, which outlives the run."""
        return any(word in _BACKGROUND for word in self.words)

    def with_settings(self, ours: str) -> list[str]:
        """Returns the words with our settings, the path of a file or a JSON text.

        They stand for those that the user names, because Claude Code uses one `--settings` only.
        """
        if self.place is None:
            return [_SETTINGS, ours, *self.words]
        words = list(self.words)
        is_one_word = words[self.place].startswith(f"{_SETTINGS}=")
        words[self.place] = f"{_SETTINGS}={ours}" if is_one_word else ours
        return words


def read_arguments(words: Sequence[str], folder: Path) -> Arguments:
    """Finds the settings that the user names, a file or a JSON text. Claude Code 2.1.332 uses the last ones only."""
    options = words[: words.index("--")] if "--" in words else words
    places = [
        index
        for index, word in enumerate(options)
        if word.startswith(f"{_SETTINGS}=") or (index and options[index - 1] == _SETTINGS)
    ]
    settings = _read_named(words[places[-1]].removeprefix(f"{_SETTINGS}="), folder) if places else None
    return Arguments(tuple(words), settings, None if settings is None else places[-1])


def make_environment(environ: Mapping[str, str], server_key: str) -> dict[str, str]:
    """Returns the environment of the run. An empty `server_key` means that clients need none."""
    variables = drop_conflicts(environ)
    bypassed = ",".join(part for part in (LOOPBACK, read_no_proxy(environ)) if part)
    return {**variables, "NO_PROXY": bypassed, "no_proxy": bypassed, **({TOKEN: server_key} if server_key else {})}


def make_run_settings(setup: Setup, files: Iterable[Mapping[str, Any]], named: Mapping[str, Any]) -> dict[str, Any]:
    """Returns the settings of the run. `files` are the user's settings files, `named` are settings in the arguments.

    Variables in the files that conflict with the set-up are set to an empty text, which Claude Code takes for "not
    set". Of the named settings, everything stays that does not conflict.
    """
    ours = make_settings(setup)
    found = {name for settings in files for name in find_conflicts(read_environment(settings))}
    if setup.needs_server_key:
        found.discard(TOKEN)  # an empty text would hide the one in the environment
    ours["env"] = {**dict.fromkeys(sorted(found), ""), **ours["env"]}
    theirs = dict(named)
    if "env" in theirs:
        theirs["env"] = drop_conflicts(read_environment(theirs))
    if "statusLine" in theirs:
        ours.pop("statusLine", None)
    return _merge(theirs, ours)


def has_status_line(files: Iterable[Mapping[str, Any]]) -> bool:
    """Tells whether the user has a status line of their own in one of the settings files."""
    return any("statusLine" in settings for settings in files)


def _read_named(value: str, folder: Path) -> dict[str, Any] | None:
    try:
        if value.lstrip().startswith("{"):
            return parse_settings(value)
        return parse_settings(read_whole(folder / Path(value).expanduser(), follows_links=True).decode("utf-8-sig"))
    except (OSError, ValueError, RuntimeError):
        return None


def _merge(theirs: Mapping[str, Any], ours: Mapping[str, Any]) -> dict[str, Any]:
    """Merges two settings: objects are merged, lists are joined, and of two other values ours counts."""
    merged = dict(theirs)
    for name, value in ours.items():
        other = merged.get(name)
        if isinstance(value, dict) and isinstance(other, dict):
            merged[name] = _merge(other, value)
        elif name == "deny" and isinstance(value, list) and isinstance(other, list):
            merged[name] = [*other, *(item for item in value if item not in other)]
        else:
            merged[name] = value
    return merged
