"""Finds the Claude Code that is installed, and makes the command that starts it."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

from tray_app.claude_code.batch_line import make_batch_line

HOW_TO_INSTALL = (
    "Claude Code is not installed, or its command `claude` is not on the PATH. "
    "Install it with `npm install -g @anthropic-ai/claude-code` and start this again."
)

_PLACES = (".local/bin/claude", ".local/bin/claude.exe", ".claude/local/claude")
"""Where Anthropic's own installers put it, below the home folder. A PATH that was set before lacks these folders."""

_BATCH_FILES = (".cmd", ".bat")
_BESIDE_SHIM = Path("node_modules", "@anthropic-ai", "claude-code", "bin", "claude.exe")
"""Where npm puts the program, seen from the folder of the batch file with which it starts it on Windows."""


def find_claude(environ: Mapping[str, str]) -> Path | None:
    """Returns the program or the batch file that starts Claude Code; None if there is none."""
    if found := shutil.which("claude", path=environ.get("PATH", "")):
        return _resolve_shim(Path(found).absolute())
    return next((place for place in map(Path.home().joinpath, _PLACES) if place.is_file()), None)


def make_command(program: Path, words: Sequence[str], shell: str) -> list[str] | str:
    """Returns the command that starts the program with these arguments, as `subprocess` takes it.

    `shell` is the path of cmd.exe, which a batch file needs. AppError if an argument cannot be given to a batch file.
    """
    if program.suffix.lower() in _BATCH_FILES:
        return make_batch_line(shell, str(program), words)
    return [str(program), *words]


def _resolve_shim(found: Path) -> Path:
    """Returns the real program if `found` is npm's batch file, because a batch file changes some arguments."""
    program = found.parent / _BESIDE_SHIM
    return program if found.suffix.lower() in _BATCH_FILES and program.is_file() else found
