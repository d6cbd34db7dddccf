"""Looks at every settings file that Claude Code reads, and says which of them wins over this program's settings."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tray_app.claude_code.conflicts import find_conflicts
from tray_app.claude_code.settings_files import find_settings_files, find_user_settings, read_environment
from tray_app.claude_code.user_settings import read_settings
from tray_app.doctor.findings import Finding, Level, Remedy, list_names
from tray_app.errors import ClaudeSettingsError
from tray_app.shells import name_command

_TOPIC = "Settings files"
_BASE_URL = "ANTHROPIC_BASE_URL"
_KEY_HELPER = "apiKeyHelper"

MANAGED_FOLDERS = (
    Path("/etc/claude-code"),
    Path("/Library/Application Support/ClaudeCode"),
    Path("C:/Program Files/ClaudeCode"),
)
"""Where administrators put settings that win over all others, on Linux, macOS and Windows (Claude Code 2.1.332)."""


def check_settings_files(
    environ: Mapping[str, str], folder: Path, url: str, managed: tuple[Path, ...] = MANAGED_FOLDERS
) -> list[Finding]:
    """Looks at the files that count if Claude Code is started in `folder`. `url` is that of the gateway."""
    findings = []
    for path in find_settings_files(environ, folder):
        findings += _check_file(path, url, is_managed=False)
    for place in managed:
        for path in [place / "managed-settings.json", *sorted(place.glob("managed-settings.d/*.json"))]:
            findings += _check_file(path, url, is_managed=True)
    return findings or [Finding(Level.OK, _TOPIC, "Claude Code has no settings file here.")]


def check_all_sessions(environ: Mapping[str, str], url: str, *, is_on: bool) -> list[Finding]:
    """Looks whether the user's settings still lead to the gateway if all sessions are set to use it (`is_on`)."""
    path = find_user_settings(environ)
    try:
        leads_here = _leads_to(read_settings(path).value, url)
    except ClaudeSettingsError:
        return []  # the finding about the file says why it cannot be read
    if not is_on or leads_here:
        return []
    sentence = f"All sessions of Claude Code are set to use this program, but {path} no longer leads to {url}."
    fix = "Use it for all sessions again, or undo that, in the menu under More."
    return [Finding(Level.NOTE, "All sessions", sentence, fix, Remedy.USE_FOR_ALL_SESSIONS)]


def _check_file(path: Path, url: str, *, is_managed: bool) -> list[Finding]:
    """Returns a finding if there is such a file."""
    if not path.exists():
        return []
    try:
        settings = read_settings(path).value
    except ClaudeSettingsError as error:
        return [Finding(Level.NOTE, _TOPIC, str(error), "Claude Code may ignore it until then.")]
    names = _find_disturbances(settings, url)
    if not names:
        where = ", which leads to this gateway" if _leads_to(settings, url) else ", and nothing in it disturbs"
        return [Finding(Level.OK, _TOPIC, f"Claude Code reads {path}{where}.")]
    if is_managed:
        sentence = f"Your administrator's {path} wins over this program: {list_names(names)}."
        return [Finding(Level.FAIL, _TOPIC, sentence, "Only your administrator can change that.")]
    return [
        Finding(
            Level.NOTE,
            _TOPIC,
            f"{path} wins over the exports: {list_names(names)}.",
            f"Start Claude Code with `{name_command('claude')}`, which wins over this file, or remove these from it.",
            Remedy.OPEN_CLAUDE_CODE,
        )
    ]


def _find_disturbances(settings: Mapping[str, Any], url: str) -> list[str]:
    """Returns the names of what leads elsewhere. A file that leads to this gateway was written for it."""
    if _leads_to(settings, url):
        return []
    names = find_conflicts({name: value for name, value in read_environment(settings).items() if value})
    return [*names, *([_KEY_HELPER] if settings.get(_KEY_HELPER) else [])]


def _leads_to(settings: Mapping[str, Any], url: str) -> bool:
    return str(read_environment(settings).get(_BASE_URL, "")).rstrip("/") == url
