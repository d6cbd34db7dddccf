"""The names of shells, their quoting, and the commands that start this program."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import sys
from collections.abc import Sequence
from functools import cache
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Literal

from tray_app import APP_ID, APP_NAME

_FROM_SOURCE = ("-P", str(Path(__file__).resolve().with_name("__main__.py")))
"""The arguments with which Python starts this program in any folder. With `-P`, no module of that folder is used."""

UNIX_SHELLS = ("bash", "zsh", "fish")

NO_WELCOME_OPTION = "--no-welcome"
"""The option with which the very first start does not show the page, because the user is led in a terminal."""

WORKER_OPTION = "--worker"
"""The option that makes a bundle run as a worker process. A bundle has no Python that could be started instead."""

KEYRING_OPTION = "--read-keyring"
"""The option that makes this program read the system's keyring, write what it found, and end."""

StatusLineShell = Literal["sh", "git-bash", "powershell"]

STATUS_LINE = "status-line"
"""The command that Claude Code starts for its status line."""

_PLAIN_WORD = re.compile(r"[\w@%+=:,./~-]+")
"""A word that needs no quotes in any shell."""


def name_shell(path: str, default: str) -> str:
    """Returns the name of the shell at `path` ($SHELL) if there are exports for it, else `default`."""
    name = PurePosixPath(path).name
    return name if name in UNIX_SHELLS else default


def find_program() -> list[str]:
    """Returns the words of a command that runs this program in a terminal."""
    if getattr(sys, "frozen", False):
        # The Windows bundle has two programs, and the running one may be that without a terminal.
        return [str(Path(sys.executable).with_name(APP_ID + Path(sys.executable).suffix))]
    return [sys.executable, *_FROM_SOURCE]


def find_background_program() -> list[str]:
    """Returns the words of a command that runs this program without a terminal. On Windows it opens no console."""
    program = Path(sys.executable)
    if getattr(sys, "frozen", False):
        windowed = program.with_name(APP_NAME + program.suffix)
        return [str(windowed)] if windowed.is_file() else find_program()
    windowed = program.with_name("pythonw" + program.suffix)
    is_windows = program.suffix.lower() == ".exe"
    return [str(windowed if is_windows and windowed.is_file() else program), *_FROM_SOURCE]


def find_worker() -> tuple[list[str], Path]:
    """Returns the words of a command that starts a worker process, and the folder to start it in."""
    program = find_program()
    if getattr(sys, "frozen", False):
        return [*program, WORKER_OPTION], Path(program[0]).parent
    return [sys.executable, "-m", "tray_app.proxy.workers.process"], Path(__file__).resolve().parents[1]


def find_command(shell: str) -> str:
    """Returns what the user types in the shell to start this program: its name if it is installed, else its path."""
    is_powershell = shell == "powershell"
    quote = _quote_for_powershell if is_powershell else shlex.quote
    checkout = Path(__file__).resolve().parents[1] / "packaging" / "dev.py"
    if shutil.which(APP_ID):
        return APP_ID
    if getattr(sys, "frozen", False):
        (program,) = find_program()
        return f"{'& ' if is_powershell else ''}{quote(program)}"
    if checkout.is_file():
        return f"{'py' if is_powershell else 'python3'} {quote(str(checkout))} run"
    return f"{'& ' if is_powershell else ''}{quote(sys.executable)} -m tray_app"


@cache
def name_command(*words: str) -> str:
    """Returns what the user types in a terminal of this system to start this program with these words."""
    has_windows_suffix = Path(sys.executable).suffix == ".exe"
    shell = "powershell" if has_windows_suffix else "bash"
    return " ".join((find_command(shell), *words))


def _quote_for_powershell(word: str) -> str:
    return "'{}'".format(word.replace("'", "''"))


def find_exports_command(shell: str) -> str:
    """Returns the line that sets the exports for Claude Code in the running shell."""
    printing = f"{find_command(shell)} --print-exports {shell}"
    return {
        "fish": f"{printing} | source",
        "powershell": f"{printing} | Out-String | Invoke-Expression",
    }.get(shell, f'eval "$({printing})"')


def find_status_line_command(state_folder: str = "") -> str:
    """Returns the command of the status line for Claude Code's settings. It works from any folder.

    With `state_folder`, in which the app keeps its state, it also works where the environment names another one, and is
    faster. Empty: it looks for the folder itself.
    """
    words = [*find_program(), STATUS_LINE, *([state_folder] if state_folder else [])]
    return join_status_line(words, find_status_line_shell(words[0]))


def join_status_line(words: Sequence[str], shell: StatusLineShell) -> str:
    """Returns the words as one command for the shell in which Claude Code runs it.

    On Windows the words get slashes, since backslashes are no part of a name in Git Bash.
    """
    if shell == "sh":
        return f"exec {shlex.join(words)}"
    quote = shlex.quote if shell == "git-bash" else _quote_for_powershell
    slashed = [word.replace("\\", "/") for word in words]
    quoted = [word if _PLAIN_WORD.fullmatch(word) else quote(word) for word in slashed]
    call = "& " if shell == "powershell" and quoted[0].startswith("'") else ""
    return call + " ".join(quoted)


def find_status_line_shell(program: str) -> StatusLineShell:
    """Returns the shell in which Claude Code runs a status line whose program has this path.

    A path with a drive belongs to Windows. There it is Git Bash, or PowerShell if there is no Git Bash (since Claude
    Code 2.1.171 of June 2026). Claude Code finds Git Bash by this variable, or by the command of Git.
    """
    if not PureWindowsPath(program).drive:
        return "sh"
    has_git_bash = os.environ.get("CLAUDE_CODE_GIT_BASH_PATH") or shutil.which("git")
    return "git-bash" if has_git_bash else "powershell"
