"""What the bundle's ELF files need of the system, and the same files without what only a debugger reads."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterable
from pathlib import Path

_MAGIC = b"\x7fELF"
_GLIBC = re.compile(r"\(GLIBC_([\d.]+)\)")
_NEEDED = re.compile(r"^ +NEEDED +(\S+)$", re.MULTILINE)


def find_elf_files(folder: Path) -> list[Path]:
    return [path for path in sorted(folder.rglob("*")) if path.is_file() and not path.is_symlink() and _is_elf(path)]


def find_glibc(files: Iterable[Path]) -> str:
    """The oldest glibc that has every symbol the files ask for, like "2.34"."""
    versions: set[str] = set(_GLIBC.findall(_objdump("--dynamic-syms", files)))
    return max(versions, key=lambda version: tuple(map(int, version.split("."))))


def find_needed(files: Iterable[Path]) -> set[str]:
    """The libraries that the files are linked to, wherever those come from."""
    return set(_NEEDED.findall(_objdump("--private-headers", files)))


def strip(source: Path, target: Path) -> None:
    """Copies a library without its symbols for debuggers and linkers; what the loader needs stays."""
    target.parent.mkdir(parents=True, exist_ok=True)
    subprocess.run(["strip", "--strip-unneeded", "-o", target, source], check=True)


def forget_search_path(file: Path, search_path: str) -> None:
    """Empties the entry by which the loader would first look into a folder of the system that built the file."""
    entry = b"\0" + search_path.encode() + b"\0"
    file.write_bytes(file.read_bytes().replace(entry, bytes(len(entry))))


def _is_elf(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(len(_MAGIC)) == _MAGIC


def _objdump(what: str, files: Iterable[Path]) -> str:
    return subprocess.run(["objdump", what, *files], check=True, capture_output=True, text=True).stdout
