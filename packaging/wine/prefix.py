r"""A Windows for the build and for the tests: Wine's, with Python in C:\\python where that is asked for."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

from freeze import BuildError

from wine import wine
from wine.cache import keep
from wine.python import VERSION
from wine.wine import Prefix

PYTHON = r"C:\python\python.exe"


def make_prefix(folder: Path) -> Prefix:
    """A new Windows in `folder`, in the place of what was there."""
    inputs = Path(wine.__file__).read_bytes() + subprocess.check_output([wine.find_wine(), "--version"])
    kept = keep("prefix", inputs, lambda half_made: Prefix(half_made / "prefix").create())
    if folder.is_dir():
        Prefix(folder).stop()
        shutil.rmtree(folder)
    shutil.copytree(kept / "prefix", folder, symlinks=True)
    return Prefix(folder)


def install_python(prefix: Prefix, python: Path, lock: Path) -> None:
    """Puts the Python of that folder into the prefix, with the wheels that `lock` names for Windows."""
    home = prefix.drive_c / "python"
    shutil.copytree(python, home)
    install_lock(lock, home / "Lib" / "site-packages")


def install_lock(lock: Path, folder: Path) -> None:
    """Puts the wheels that `lock` names for Windows into the folder. BuildError if that fails."""
    # uv, since pip would go by the markers of the system it runs on, and leave out what is only for Windows.
    command: list[str | Path] = [sys.executable, "-I", "-m", "uv", "pip", "install", "--quiet", "--no-config"]
    options = ["--python-platform", "x86_64-pc-windows-msvc", "--python-version", VERSION, "--link-mode", "copy"]
    safe = ["--require-hashes", "--only-binary", ":all:", "--no-deps"]
    if subprocess.call([*command, *options, *safe, "--target", folder, "--requirement", lock]) != 0:
        raise BuildError(f"uv could not install {lock.name} for Windows (its message is above).")
