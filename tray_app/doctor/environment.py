"""Looks at the environment variables of the terminal in which the doctor runs, or of the app."""

from __future__ import annotations

from collections.abc import Mapping

from tray_app.claude_code.conflicts import find_conflicts
from tray_app.claude_code.shell_syntax import read_no_proxy
from tray_app.doctor.findings import Finding, Level, Remedy, list_names
from tray_app.shells import name_command

_TOPIC = "Environment"
_PROXIES = ("HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY")
_BASE_URL = "ANTHROPIC_BASE_URL"
_OF_EXPORTS = ("ANTHROPIC_AUTH_TOKEN", "ANTHROPIC_DEFAULT_")
"""The beginnings of the names that the exports themselves set."""


def check_environment(environ: Mapping[str, str], url: str, whose: str = "this terminal") -> list[Finding]:
    """Looks for variables that lead Claude Code elsewhere. `url` is that of the gateway.

    `whose` names the place of the variables in a sentence, behind "variable of".
    """
    return [_check_conflicts(environ, url, whose), *_check_proxy(environ), *_check_wsl(environ)]


def _check_conflicts(environ: Mapping[str, str], url: str, whose: str) -> Finding:
    names = find_conflicts({name: value for name, value in environ.items() if value})
    has_exports = environ.get(_BASE_URL, "").rstrip("/") == url
    if has_exports:
        names = [name for name in names if name != _BASE_URL and not name.startswith(_OF_EXPORTS)]
    if names:
        return Finding(
            Level.NOTE,
            _TOPIC,
            f"Variables of {whose} lead Claude Code elsewhere or disturb it: {list_names(names)}.",
            f"Start Claude Code with `{name_command('claude')}`, which ignores them, or paste the exports again.",
            Remedy.OPEN_CLAUDE_CODE,
        )
    if has_exports:
        return Finding(Level.OK, _TOPIC, f"The exports for this gateway are set in {whose}.")
    return Finding(Level.OK, _TOPIC, f"No variable of {whose} leads Claude Code elsewhere.")


def _check_proxy(environ: Mapping[str, str]) -> list[Finding]:
    proxy = next((name for name in _PROXIES if environ.get(name) or environ.get(name.lower())), "")
    if not proxy:
        return []
    if {"127.0.0.1", "*"} & {host.strip() for host in read_no_proxy(environ).split(",")}:
        return [Finding(Level.OK, "Proxy", f"{proxy} is set, and NO_PROXY leaves out 127.0.0.1.")]
    return [
        Finding(
            Level.NOTE,
            "Proxy",
            f"{proxy} is set, and NO_PROXY does not leave out 127.0.0.1, so that a proxy gets what is for the gateway.",
            f"The exports and `{name_command('claude')}` set NO_PROXY. For other programs, add 127.0.0.1 to it.",
        )
    ]


def _check_wsl(environ: Mapping[str, str]) -> list[Finding]:
    name = environ.get("WSL_DISTRO_NAME")
    if not name:
        return []
    return [
        Finding(
            Level.NOTE,
            "WSL",
            f"This is {name} under WSL, from which a gateway on Windows is another machine.",
            "Run the gateway and Claude Code on the same side, or set networkingMode=mirrored in .wslconfig.",
        )
    ]
