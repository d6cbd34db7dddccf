"""The program for Windows, frozen under Wine: the same bytes from the same checkout, wherever it lies."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from freeze import ROOT, SPEC, BuildError, freeze

from wine.prefix import PYTHON
from wine.wine import Prefix

_FREEZE_S = 300
_SELF_CHECK_S = 120


def copy_source(folder: Path) -> Path:
    """Copies the files that git knows, as they are now; returns the folder."""
    listed = subprocess.check_output(["git", "-C", ROOT, "ls-files", "-z", "--cached"]).decode()
    for name in filter(None, listed.split("\0")):
        if (ROOT / name).is_file():  # not one that is deleted, and git not yet told
            target = folder / name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / name, target)
    return folder


def build(prefix: Prefix, source: Path, work: str = "build") -> Path:
    """Freezes the source in the prefix; returns the folder of the program. `work` is a folder of C: for this alone."""

    def run(command: Sequence[str], environ: dict[str, str]) -> int:
        words = [prefix.to_windows(Path(word)) if word.startswith("/") else word for word in command]
        variables = {
            name: prefix.to_windows(Path(value)) if value.startswith("/") else value for name, value in environ.items()
        }
        finished = prefix.run(*words, cwd=source, timeout_s=_FREEZE_S, **variables)
        sys.stderr.write(finished.output)
        return finished.code

    folder = freeze(PYTHON, prefix.drive_c / Path(*work.split("\\")), run, source / SPEC.relative_to(ROOT))
    prefix.wait()
    return folder


def check_itself(prefix: Prefix, program: Path) -> str:
    """Lets the frozen console program show that it is whole; returns what it said."""
    finished = prefix.run(program, "--self-check", timeout_s=_SELF_CHECK_S)
    if finished.code != 0:
        raise BuildError(f"the frozen program's self-check failed.\n{finished.output}")
    return finished.output


def find_differences(one: Path, other: Path) -> list[str]:
    """The files that are not the same in two folders, or are only in one of them."""
    names = {path.relative_to(folder).as_posix() for folder in (one, other) for path in folder.rglob("*")}

    def differs(name: str) -> bool:
        first, second = one / name, other / name
        if first.is_file() and second.is_file():
            return first.read_bytes() != second.read_bytes()
        return not (first.is_dir() and second.is_dir())

    return sorted(filter(differs, names))
