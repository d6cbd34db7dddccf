"""The way from pinned inputs to a Windows bundle, a zip and an installer that were tried. `dev.py windows` calls it.

It works in .build/windows/, and leaves there for a look: `python` (verified), `prefix` (the Windows of the build),
`pristine` (a Windows without anything, for the tests), `bundle` (the program), `tests` (screenshots).
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from bundle import write_sums, write_zip
from dev import VENV, venv_program
from freeze import ROOT, BuildError

from tray_app import APP_ID, APP_NAME, __version__
from windows.installer import make_installer
from windows.pe_check import check_bundle
from wine.build import build, check_itself, copy_source, find_differences
from wine.prefix import install_python, make_prefix
from wine.python import fetch_python
from wine.suite import run_suite
from wine.wine import Prefix, WineError, find_wine

WORK = ROOT / ".build" / "windows"
DIST = ROOT / "dist"
LOCK = ROOT / "packaging" / "requirements-bundle.txt"
PROGRAMS = {f"{APP_NAME}.exe": False, f"{APP_ID}.exe": True}
"""Each program, and whether it has a console."""

TESTS = tuple(
    f"tests/bundle/test_{name}.py"
    for name in ("windows_python", "windows_files", "windows", "windows_installer", "wine_app")
)
TESTS_VARIABLE = "WINDOWS_BUILD"
"""Names WORK to the tests, which are not collected without it."""
APP_VARIABLE = "WINE_TEST_PREFIX"
"""Names a Windows with Python and the libraries."""

_SOME_FAILED = 1  # pytest's exit code

_PACKAGES = {  # program -> Debian package
    "Xvfb": "xvfb",
    "dbus-daemon": "dbus",
    "git": "git",
    "import": "imagemagick",
    "makensis": "nsis",
    "osslsigncode": "osslsigncode",
    "wineserver": "wine",
    "xclip": "xclip",
    "xdotool": "xdotool",
}


def main(arguments: Sequence[str]) -> int:
    """Exit code 0 if all was built and stood the tests."""
    parser = argparse.ArgumentParser(prog="dev.py windows", description="Windows program and installer, under Wine.")
    parser.add_argument("--twice", action="store_true", help="build in two places, and compare each byte")
    parser.add_argument("--no-tests", action="store_true", help="only build")
    options = parser.parse_args(arguments)
    started_s = time.monotonic()
    try:
        check_parts()
        make(is_built_twice=options.twice)
        if not options.no_tests:
            run_tests()
    except (BuildError, WineError) as error:
        _say(str(error))
        return 1
    _say(f"all of it: {time.monotonic() - started_s:.0f} s")
    return 0


def check_parts() -> None:
    """BuildError with one sentence about all that is missing on this system."""
    missing = {program: package for program, package in _PACKAGES.items() if shutil.which(program) is None}
    try:
        find_wine()
    except WineError:
        missing["wine64"] = "wine64"
    if missing:
        packages = " ".join(sorted(set(missing.values())))
        raise BuildError(f"not installed: {', '.join(missing)} (on Debian: apt install {packages}).")


def make(*, is_built_twice: bool) -> None:
    WORK.mkdir(parents=True, exist_ok=True)
    DIST.mkdir(exist_ok=True)
    bundle, name = WORK / "bundle", f"{APP_ID}-{__version__}-windows-x64"
    with _step("Windows Python") as told:
        told.append(fetch_python(_empty(WORK / "python")))
    with _step("Windows, without and with Python and wheels"):
        make_prefix(WORK / "pristine")
        prefix = make_prefix(WORK / "prefix")
        install_python(prefix, WORK / "python", LOCK)
    try:
        with _step("freezing the program"):
            source = copy_source(prefix.drive_c / "source")
            frozen = build(prefix, source)
            shutil.copytree(frozen, _empty(bundle), dirs_exist_ok=True)
        if is_built_twice:
            with _step("freezing it again") as told:
                told.append(compare(bundle, build(prefix, source, "elsewhere\\again")))
    finally:
        prefix.stop()
    with _step("looking at its files") as told:
        told.append(check_bundle(bundle, PROGRAMS, __version__))
    with _step("zip and installer") as told:
        for target in (write_zip(bundle, DIST / f"{name}.zip", APP_NAME), DIST / f"{name}-setup.exe"):
            if target.suffix == ".exe":
                make_installer(bundle, WORK / "installer", target)
            told.append(f"{target.relative_to(ROOT)} {target.stat().st_size / 1e6:.1f} MB")
        write_sums()
    with _step("self-check, on a Windows without Python"):
        pristine = Prefix(WORK / "pristine")
        try:
            sys.stderr.write(check_itself(pristine, bundle / f"{APP_ID}.exe"))
        finally:
            pristine.stop()


def compare(one: Path, other: Path) -> str:
    """BuildError if two bundles differ in anything."""
    if differences := find_differences(one, other):
        raise BuildError(f"two builds of the same source differ: {', '.join(differences)}.")
    return "the same bytes"


def run_tests() -> None:
    """Drives what was built, from outside; beside that, the program's own tests run under the Windows Python."""
    # the suite and the source under test, each in a Windows of its own
    shutil.copytree(WORK / "prefix", _empty(WORK / "app"), symlinks=True, dirs_exist_ok=True)
    with (
        _step("driving the program, its source and its installer; its own tests") as told,
        ThreadPoolExecutor() as pool,
    ):
        suite = pool.submit(run_own_tests)
        command: list[str | Path] = [venv_program(VENV, "python"), "-m", "pytest", *TESTS]
        environment = {**os.environ, TESTS_VARIABLE: str(WORK), APP_VARIABLE: str(WORK / "app")}
        code = subprocess.call(command, cwd=ROOT, env=environment, stdin=subprocess.DEVNULL)
        told.append(suite.result())
        if code == _SOME_FAILED:
            # Windows is played by Wine here, which now and then drops a click or an output when the machine is busy
            _say("some of it failed (see above), and gets a second try without its own tests beside it")
            code = subprocess.call([*command, "--last-failed"], cwd=ROOT, env=environment, stdin=subprocess.DEVNULL)
            told.append("some of it at the second try")
    if code:
        raise BuildError("what was built does not stand the tests (see above).")


def run_own_tests() -> str:
    """Pytest's last line."""
    with open_screen() as display:
        prefix = Prefix(WORK / "prefix", display)
        try:
            return run_suite(prefix)
        finally:
            prefix.stop()


@contextmanager
def open_screen() -> Iterator[str]:
    """An X server that nobody sees; yields its display."""
    command = ["Xvfb", "-displayfd", "1", "-screen", "0", "1024x768x24", "-nolisten", "tcp", "-noreset"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as server:
        assert server.stdout is not None
        try:
            yield f":{server.stdout.readline().strip()}"
        finally:
            server.terminate()


def _empty(folder: Path) -> Path:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder


@contextmanager
def _step(name: str) -> Iterator[list[str]]:
    """Says when the step is done, how long it took, and what it put into the list."""
    told: list[str] = []
    started_s = time.monotonic()
    yield told
    _say(f"{time.monotonic() - started_s:5.1f} s  {name}{': ' if told else ''}{', '.join(told)}")


def _say(line: str) -> None:
    print(f"windows: {line}", file=sys.stderr, flush=True)
