"""Looks for Claude Code and asks for its version."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Mapping

from tray_app.claude_code.find_claude import HOW_TO_INSTALL, find_claude, make_command
from tray_app.doctor.findings import Finding, Level

TRIED_VERSIONS = ("2.1.330", "2.1.332")
"""The versions of Claude Code that this version of the program was tried with (November 2026)."""

_TOPIC = "Claude Code"
_TIMEOUT_S = 10.0


def check_claude(environ: Mapping[str, str]) -> Finding:
    """Looks whether Claude Code can be started, and whether its version was tried with this program."""
    program = find_claude(environ)
    if program is None:
        return Finding(Level.FAIL, _TOPIC, HOW_TO_INSTALL)
    try:
        done = subprocess.run(
            make_command(program, ["--version"], environ.get("COMSPEC", "cmd.exe")),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            env=dict(environ),
            timeout=_TIMEOUT_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        reason = "it does not answer" if isinstance(error, subprocess.TimeoutExpired) else error.strerror
        return Finding(Level.FAIL, _TOPIC, f"{program} does not start: {reason}.", "Install Claude Code again.")
    found = re.search(r"\d+\.\d+\.\d+", done.stdout.decode(errors="replace"))
    if done.returncode or not found:
        sentence = f"{program} --version failed with exit code {done.returncode}."
        return Finding(Level.FAIL, _TOPIC, sentence, "Install Claude Code again.")
    version = found.group()
    if version in TRIED_VERSIONS:
        return Finding(Level.OK, _TOPIC, f"{program} is version {version}, which was tried with this program.")
    tried = " and ".join(TRIED_VERSIONS)
    return Finding(
        Level.NOTE,
        _TOPIC,
        f"{program} is version {version}. This program was tried with {tried}.",
        "If something does not work, try one of these versions: npm install -g @anthropic-ai/claude-code@VERSION.",
    )
