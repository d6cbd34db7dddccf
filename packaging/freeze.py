"""The program with its own Python, made by PyInstaller from the checkout: the same bytes from the same inputs."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
SPEC = ROOT / "packaging" / "claude-nvidia-tray.spec"
EPOCH_S = 1_767_225_600  # 2026-01-01: the date of every file in what is published
SAME_EVERY_TIME = {"PYTHONHASHSEED": "1", "SOURCE_DATE_EPOCH": str(EPOCH_S), "PYTHONUTF8": "1"}

Run = Callable[[Sequence[str], dict[str, str]], int]


class BuildError(Exception):
    """One sentence: which step failed, and why if that is known."""


def run_here(command: Sequence[str], environ: dict[str, str]) -> int:
    return subprocess.call(command, env={**os.environ, **environ}, stdin=subprocess.DEVNULL)


def freeze(python: str, work: Path, run: Run = run_here, spec: Path = SPEC) -> Path:
    """Makes the folder of the program (onedir) with the modules of `python`; returns it. BuildError if that fails.

    `work` is for this alone, and is emptied first. `run` runs a command with additional environment variables. `spec`
    stands in the checkout that is frozen.
    """
    shutil.rmtree(work, ignore_errors=True)
    folders = ["--distpath", str(work / "out"), "--workpath", str(work / "tmp")]
    command = [python, "-m", "PyInstaller", "--noconfirm", "--clean", "--log-level", "WARN", *folders, str(spec)]
    if run(command, {**SAME_EVERY_TIME, "PYINSTALLER_CONFIG_DIR": str(work / "cache")}):
        raise BuildError("PyInstaller failed (its message is above).")
    return work / "out" / "claude-nvidia-tray"


def check_itself(program: Path) -> None:
    """Lets the frozen program show that it is whole. BuildError if it is not."""
    if run_here([str(program), "--self-check"], {}):
        raise BuildError("the frozen program's self-check failed (see above).")
