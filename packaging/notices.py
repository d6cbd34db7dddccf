"""The licences of what a bundle carries besides this program, from the own files of what is installed or vendored."""

from __future__ import annotations

import os
import platform
import re
import sys
from importlib.metadata import Distribution, distribution
from pathlib import Path

_PIN = re.compile(r"^([\w.-]+)==", re.MULTILINE)
_LICENCE_FILE = re.compile(r"(?i)(licen[cs]e|copying|notice|authors)")


def write_notices(lock: Path, vendored: Path, target: Path) -> None:
    """Writes one text about Python, every distribution that `lock` names and this Python has, and what is vendored.

    Each library of JavaScript has a folder of its name in the folder `vendored`, with its licence.
    """
    names = sorted(set(_PIN.findall(lock.read_text(encoding="utf-8"))))
    sections = [_describe_python(), *(_describe(found) for name in names if (found := _find(name)))]
    sections += [_title(folder.name) + _read_licence(folder) for folder in sorted(vendored.iterdir())]
    target.write_text("\n".join(sections), encoding="utf-8", newline="\n")


def _find(name: str) -> Distribution | None:
    try:
        return distribution(name)
    except ModuleNotFoundError:  # for another system
        return None


def _describe_python() -> str:
    places = (Path(sys.base_prefix), Path(os.__file__).parent)
    licence = next((path for place in places if (path := place / "LICENSE.txt").is_file()), None)
    text = licence.read_text(encoding="utf-8") if licence else "https://docs.python.org/3/license.html\n"
    return f"{_title(f'Python {platform.python_version()}')}{text}"


def _read_licence(folder: Path) -> str:
    return (folder / "LICENSE").read_text(encoding="utf-8")


def _describe(found: Distribution) -> str:
    fields: dict[str, str] = {name: found.metadata[name] for name in found.metadata}
    classified = (
        line.rpartition(" :: ")[2] for line in found.metadata.get_all("Classifier") or () if "License" in line
    )
    licence = fields.get("License-Expression") or fields.get("License") or ", ".join(classified)
    home = fields.get("Project-URL") or fields.get("Home-page") or ""
    texts = [
        Path(str(file.locate())).read_text(encoding="utf-8", errors="replace")
        for file in found.files or ()
        if ".dist-info" in str(file) and _LICENCE_FILE.search(file.name)
    ]
    head = f"{licence.splitlines()[0]}\n{home}\n\n"
    return _title(f"{fields['Name']} {found.version}") + head + "\n".join(texts)


def _title(name: str) -> str:
    return f"{'=' * 80}\n{name}\n{'=' * 80}\n"
