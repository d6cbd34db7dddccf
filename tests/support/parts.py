"""Small parts that several tests share."""

from __future__ import annotations

import os
import shutil
from typing import NoReturn

import pytest

PACKAGES = {  # program -> Debian package, where the names differ
    "Xvfb": "xvfb",
    "appstreamcli": "appstream",
    "chromedriver": "chromium-driver",
    "dbus-daemon": "dbus",
    "desktop-file-validate": "desktop-file-utils",
    "import": "imagemagick",
    "node": "nodejs",
    "xsetroot": "x11-xserver-utils",
}


def need(*programs: str) -> None:
    """Skips the test if one of the programs is not installed; under CI, where nothing may be missing, it fails."""
    missing = [program for program in programs if shutil.which(program) is None]
    if not missing:
        return
    packages = sorted({PACKAGES.get(program, program) for program in missing})
    fail_or_skip(f"not installed: {', '.join(missing)} (apt install {' '.join(packages)})")


def fail_or_skip(reason: str) -> NoReturn:
    """For a test that lacks a part: under CI, where nothing may be missing, it fails; elsewhere it is skipped."""
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)
