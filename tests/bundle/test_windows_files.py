"""What is wrong with a Windows bundle is seen without running it: the real one, spoilt in one thing at a time."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest
from bundle import write_zip
from freeze import BuildError

from tests.bundle.windows_build import BUNDLE, CONSOLE, INSTALLER, WINDOWED
from tray_app import APP_NAME, __version__
from windows.pe_check import check_bundle

PROGRAMS = {WINDOWED: False, CONSOLE: True}


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    return Path(shutil.copytree(BUNDLE, tmp_path / "bundle", copy_function=os.link))


def spoil(path: Path, old: bytes, new: bytes) -> None:
    """Replaces bytes in a file of the copy alone; as many as there were."""
    data = path.read_bytes()
    assert old in data
    assert len(old) == len(new)
    path.unlink()
    path.write_bytes(data.replace(old, new))


def faults(bundle: Path, programs: dict[str, bool] = PROGRAMS, version: str = __version__) -> str:
    with pytest.raises(BuildError) as caught:
        check_bundle(bundle, programs, version)
    return str(caught.value)


def test_the_bundle_itself_has_none(bundle: Path) -> None:
    assert check_bundle(bundle, PROGRAMS, __version__).endswith(" programs and libraries")


def test_the_zip_is_the_same_whenever_it_is_made(bundle: Path, tmp_path: Path) -> None:
    copied = shutil.copytree(bundle, tmp_path / "copied", copy_function=shutil.copyfile)  # with dates of today
    again = write_zip(Path(copied), tmp_path / "again.zip", APP_NAME)
    assert again.read_bytes() == INSTALLER.with_name(INSTALLER.name.replace("-setup.exe", ".zip")).read_bytes()


def test_the_sums_fit_what_is_published() -> None:
    command = ["sha256sum", "--check", "--strict", "--quiet", "SHA256SUMS"]
    assert subprocess.run(command, cwd=INSTALLER.parent, check=False).returncode == 0
    assert INSTALLER.name in (INSTALLER.parent / "SHA256SUMS").read_text(encoding="utf-8")


def test_a_library_that_is_missing(bundle: Path) -> None:
    (bundle / "_internal" / "libssl-3.dll").unlink()
    assert "_ssl.pyd: imports libssl-3.dll, which is neither in the bundle nor a part of Windows 10" in faults(bundle)


def test_a_library_of_wine(bundle: Path) -> None:
    path = bundle / "_internal" / "libffi-8.dll"
    spoil(path, path.read_bytes()[0x40:0x50], b"Wine builtin DLL")
    assert "libffi-8.dll: a part of Wine" in faults(bundle)


def test_a_program_too_many_and_one_too_few(bundle: Path) -> None:
    (bundle / CONSOLE).rename(bundle / "other.exe")
    assert f"the programs are ['{WINDOWED}', 'other.exe'], not ['{WINDOWED}', '{CONSOLE}']" in faults(bundle)


def test_a_console_that_should_not_be_there(bundle: Path) -> None:
    told = faults(bundle, {WINDOWED: True, CONSOLE: False})
    assert f"{WINDOWED}: subsystem 2, for a program that has a console" in told
    assert f"{CONSOLE}: subsystem 3, for a program that has no console" in told


def test_another_version(bundle: Path) -> None:
    told = faults(bundle, version="9.8.7")
    assert f"{WINDOWED}: FileVersion {__version__}, not 9.8.7" in told
    assert f"{WINDOWED}: version {__version__} in numbers, not 9.8.7" in told


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        (b"PerMonitorV2, PerMonitor<", b"System                  <", "the manifest says dpiAwareness System"),
        (b'level="asInvoker"', b'level="highest.."', "the manifest says requestedExecutionLevel highest.."),
    ],
    ids=["blurred", "as an administrator"],
)
def test_a_manifest_that_asks_for_something_else(bundle: Path, old: bytes, new: bytes, told: str) -> None:
    spoil(bundle / WINDOWED, old, new)
    assert f"{WINDOWED}: {told}" in faults(bundle)
