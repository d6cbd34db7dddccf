"""The Windows Python is taken only as its makers left it."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from freeze import BuildError

from tests.bundle.windows_build import PYTHON
from tests.support.parts import need
from wine.python import verify


@pytest.fixture
def python(tmp_path: Path) -> Iterator[Path]:
    """The verified one, in links that a test replaces one by one."""
    need("osslsigncode")
    folder = tmp_path / "python"
    shutil.copytree(PYTHON.parent, folder, copy_function=os.link)
    yield folder
    shutil.rmtree(folder)


def change(path: Path) -> None:
    """Flips one bit in the middle."""
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.unlink()
    path.write_bytes(data)


def test_what_its_makers_left_is_taken(python: Path) -> None:
    assert verify(python) == "30 signatures and 537 digests verified"


@pytest.mark.parametrize(
    "name",
    [
        "python.exe",
        "python313.dll",
        "vcruntime140.dll",
        "DLLs/_ssl.pyd",
        "DLLs/libcrypto-3.dll",
        "DLLs/python_lib.cat",
        "Lib/os.py",
        "Lib/xml/__init__.py",
        "Lib/zipfile/__init__.py",
        "LICENSE.txt",
    ],
)
def test_a_single_changed_bit_is_seen(python: Path, name: str) -> None:
    change(python / name)
    with pytest.raises(BuildError, match=name.replace(".", r"\.")):
        verify(python)


@pytest.mark.parametrize("name", ["Lib/added.py", "DLLs/added.pyd", "added.dll", "Lib/site-packages/added.pth"])
def test_a_file_of_unknown_origin_is_seen(python: Path, name: str) -> None:
    path = python / name
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(b"import os\n")
    with pytest.raises(BuildError, match="added"):
        verify(python)


def test_a_validly_signed_file_of_other_makers_is_seen(python: Path) -> None:
    (python / "DLLs" / "select.pyd").unlink()
    shutil.copyfile(python / "vcruntime140.dll", python / "DLLs" / "select.pyd")
    with pytest.raises(BuildError, match="select"):
        verify(python)
