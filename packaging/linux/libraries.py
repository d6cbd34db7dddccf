"""Which native libraries the bundle carries on Linux, and whose they are."""

from __future__ import annotations

import shutil
import subprocess
import sysconfig
from collections.abc import Iterable
from pathlib import Path

from linux.elf import forget_search_path, strip

Row = tuple[str, str, str]
"""PyInstaller's: where in the bundle, the file, its kind."""

_OF_THE_SYSTEM = ("libgcc_s.so.1", "libstdc++.so.6")
"""On every desktop, as PyPI's wheels expect. Those of the build system ask for a newer glibc than all else here."""

_PATCHED = ("PIL/", "pillow.libs/")
"""By auditwheel, which puts a library's tables where strip does not expect them: the file would be broken."""


def choose_libraries(rows: Iterable[Row]) -> list[Row]:
    return [row for row in rows if row[0] not in _OF_THE_SYSTEM]


def strip_libraries(rows: Iterable[Row], work: Path) -> list[Row]:
    """The same libraries, stripped below `work` where that is safe, and free of this system's folders."""
    stripped = []
    for name, source, kind in rows:
        if kind in ("BINARY", "EXTENSION") and not name.startswith(_PATCHED):
            strip(Path(source), work / name)
            forget_search_path(work / name, sysconfig.get_config_var("LIBDIR"))
            stripped.append((name, str(work / name), kind))
        else:
            stripped.append((name, source, kind))
    return stripped


def write_owners(rows: Iterable[Row], notices: Path) -> None:
    """Adds the licences of the Debian packages that libraries come from. Nothing on a build system without dpkg."""
    if shutil.which("dpkg-query") is None:
        return
    packages = sorted({owner for _, source, _ in rows if Path(source).is_absolute() and (owner := _find_owner(source))})
    with notices.open("a", encoding="utf-8", newline="\n") as file:
        for package in packages:
            text = Path("/usr/share/doc", package, "copyright").read_text(encoding="utf-8")
            file.write(f"{'=' * 80}\n{package}\n{'=' * 80}\n{text}\n")


def _find_owner(source: str) -> str | None:
    # by its last folder: since /lib is a link to /usr/lib, either may stand in dpkg's list
    pattern = "*/" + "/".join(Path(source).resolve().parts[-2:])
    found = subprocess.run(["dpkg-query", "--search", pattern], capture_output=True, text=True, check=False)
    if found.returncode != 0:  # of PyPI, or of a Python that no package owns; notices.py knows those
        return None
    return found.stdout.split(":")[0]
