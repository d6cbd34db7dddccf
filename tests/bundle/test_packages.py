"""The wheel and the sdist: what they hold, that they install, and that the sdist makes all anew, byte for byte."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Mapping
from pathlib import Path

import pytest
from packaging.metadata import Metadata

from tests.bundle.built import BUILD_PYTHON, DIST, VARIABLE, find_built
from tests.support.parts import fail_or_skip, need
from tests.support.running_app import ROOT
from tray_app import APP_ID, __version__

NAME = f"claude_nvidia_tray-{__version__}"
SUMS = "SHA256SUMS"
FOR_THE_REPOSITORY_ONLY = (".ci/", ".editorconfig", ".gitattributes", ".github/")


@pytest.fixture(scope="module")
def sdist() -> Path:
    return find_built(f"{NAME}.tar.gz")


@pytest.fixture(scope="module")
def wheel() -> Path:
    return find_built(f"{NAME}-*.whl")


@pytest.fixture(scope="module")
def unpacked(sdist: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The checkout that the sdist is."""
    folder = tmp_path_factory.mktemp("another place")
    with tarfile.open(sdist) as archive:
        archive.extractall(folder, filter="tar")
    return folder / NAME


def test_the_wheel_holds_the_program_and_nothing_else(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
        metadata = archive.read(f"{NAME}.dist-info/METADATA")
    notes = {f"{NAME}.dist-info/{name}" for name in ("METADATA", "RECORD", "WHEEL", "entry_points.txt")}
    modules = {path.relative_to(ROOT).as_posix() for path in (ROOT / "tray_app").rglob("*.py")}
    page = ROOT / "tray_app" / "page" / "static"
    shown = {path.relative_to(ROOT).as_posix() for path in page.rglob("*") if path.is_file()}
    assert names == modules | shown | notes | {f"{NAME}.dist-info/licenses/LICENSE"}
    found = Metadata.from_email(metadata, validate=True)
    assert (found.name, str(found.version), found.license_expression) == (APP_ID, __version__, "MIT")
    assert found.description_content_type == "text/markdown"


def test_the_sdist_holds_all_that_the_repository_does(sdist: Path) -> None:
    need("git")
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if listed.returncode != 0:
        pytest.skip("this checkout is no repository")
    with tarfile.open(sdist) as archive:
        held = {name.removeprefix(f"{NAME}/") for name in archive.getnames()}
    kept = {name for name in listed.stdout.splitlines() if not name.startswith(FOR_THE_REPOSITORY_ONLY)}
    assert kept == held - {"PKG-INFO"}


def test_the_sdists_tests_are_complete(unpacked: Path) -> None:
    run(sys.executable, "-m", "pytest", "--collect-only", "--quiet", "-p", "no:cacheprovider", cwd=unpacked)


def test_the_sdist_makes_everything_anew_byte_for_byte(unpacked: Path, sdist: Path) -> None:
    """In another folder: a trace of the place, the time or the order of a build would show."""
    if not BUILD_PYTHON.is_file():
        fail_or_skip(f"{BUILD_PYTHON} is made by dev.py bundle")
    run(str(BUILD_PYTHON), "packaging/bundle.py", cwd=unpacked)
    again = digests(unpacked / "dist")
    assert again.pop(sdist.name)  # one of an sdist has that one's PKG-INFO for its own
    assert again.items() <= digests(DIST).items()


def test_the_sums_fit_what_is_published(wheel: Path, sdist: Path) -> None:
    lines = (DIST / SUMS).read_text(encoding="utf-8").splitlines()
    sums = {name: digest for digest, name in (line.split("  ") for line in lines)}
    assert sums.items() <= digests(DIST).items()
    assert sums.keys() >= {wheel.name, sdist.name}


def test_pipx_installs_the_sdist(sdist: Path, tmp_path: Path) -> None:
    need("pipx")
    places = {"PIPX_HOME": str(tmp_path / "pipx"), "PIPX_BIN_DIR": str(tmp_path / "bin")}
    run("pipx", "install", "--python", sys.executable, str(sdist), cwd=tmp_path, environ=places)
    check_command(tmp_path / "bin" / APP_ID)


def test_uv_installs_the_wheel(wheel: Path, tmp_path: Path) -> None:
    uv = shutil.which("uv") or str(BUILD_PYTHON.with_name("uv"))
    if not Path(uv).is_file():
        fail_or_skip("uv is not installed (dev.py bundle does it)")
    places = {f"UV_{name}_DIR": str(tmp_path / name.lower()) for name in ("CACHE", "TOOL", "TOOL_BIN")}
    run(uv, "tool", "install", "--python", sys.executable, str(wheel), cwd=tmp_path, environ=places)
    check_command(tmp_path / "tool_bin" / APP_ID)


def check_command(command: Path) -> None:
    assert run(str(command), "--version", cwd=command.parent) == f"{APP_ID} {__version__}\n"
    lines = run(str(command), "--self-check", cwd=command.parent).splitlines()
    assert {line.split()[0] for line in lines[1:]} == {"ok"}


def digests(folder: Path) -> dict[str, str]:
    """Of all files but SHA256SUMS, which tells of whatever else lies there, such as the files of `dev.py windows`."""
    files = [path for path in folder.iterdir() if path.name != SUMS]
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def run(*command: str, cwd: Path, environ: Mapping[str, str] | None = None) -> str:
    """What a program prints that must end well; this project's own folder and variables do not help it."""
    kept = {name: value for name, value in os.environ.items() if name not in (VARIABLE, "PYTHONPATH")}
    done = subprocess.run(
        command,
        cwd=cwd,
        env={**kept, **(environ or {})},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
    return done.stdout
