"""The names and the quoting of shells, and the commands that start this program."""

from __future__ import annotations

import shlex
import shutil
import sys
from pathlib import Path, PurePosixPath

from tray_app import APP_ID

UNIX_SHELLS = ("bash", "zsh", "fish")

WORKER_OPTION = "--worker"
"""The option with which a bundle starts a worker process, as it has no Python to start by itself."""


def name_shell(path: str, default: str) -> str:
    """The shell at `path` ($SHELL), if it is one that the exports are written for."""
    name = PurePosixPath(path).name
    return name if name in UNIX_SHELLS else default


def find_program() -> list[str]:
    """The words of a command that runs this program in a terminal."""
    if getattr(sys, "frozen", False):
        # the Windows bundle has two: this may be the one that has no terminal
        return [str(Path(sys.executable).with_name(APP_ID + Path(sys.executable).suffix))]
    return [sys.executable, "-m", "tray_app"]


def find_worker() -> tuple[list[str], Path]:
    """The words of a command that starts a worker process of the gateway, and the folder to start it in."""
    program = find_program()
    if getattr(sys, "frozen", False):
        return [*program, WORKER_OPTION], Path(program[0]).parent
    return [sys.executable, "-m", "tray_app.proxy.workers.process"], Path(__file__).resolve().parents[1]


def find_command(shell: str) -> str:
    """What a user of the shell types to start this program: its name if that is installed, else where it is."""
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
    return APP_ID


def _quote_for_powershell(word: str) -> str:
    return "'{}'".format(word.replace("'", "''"))


def find_exports_command(shell: str) -> str:
    """The line that puts the exports for Claude Code into force in the running shell."""
    printing = f"{find_command(shell)} --print-exports {shell}"
    return {
        "fish": f"{printing} | source",
        "powershell": f"{printing} | Out-String | Invoke-Expression",
    }.get(shell, f'eval "$({printing})"')
