"""The names of shells, their quoting, and the commands that start this program."""

from __future__ import annotations

import shlex
import shutil
import sys
from functools import cache
from pathlib import Path, PurePosixPath

from tray_app import APP_ID, APP_NAME

_FROM_SOURCE = ("-P", str(Path(__file__).resolve().with_name("__main__.py")))
"""The arguments with which Python starts this program in any folder. With `-P`, no module of that folder is used."""

UNIX_SHELLS = ("bash", "zsh", "fish")

WORKER_OPTION = "--worker"
"""The option that makes a bundle run as a worker process. A bundle has no Python that could be started instead."""


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
    shell = (
        "powershell" if Path(sys.executable).suffix == ".exe" else "bash"
    )  # only programs of Windows have this suffix
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
