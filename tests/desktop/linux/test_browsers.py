"""The commands that show an address in the user's browser."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

if sys.platform == "win32":
    pytest.skip("a script of POSIX shells", allow_module_level=True)
from tests.support.waiting import wait_for
from tray_app.desktop import DesktopError
from tray_app.desktop.linux.browsers import list_browsers
from tray_app.desktop.linux.desktop import LinuxDesktop

URL = "http://127.0.0.1:3001/#token=abc"


def make_program(path: Path, script: str = "") -> Path:
    path.write_text(f"#!/bin/sh\n{script}")
    path.chmod(0o755)
    return path


def test_the_users_own_browsers_come_before_that_of_the_desktop(tmp_path: Path) -> None:
    for name in ("mine", "other", "xdg-open"):
        make_program(tmp_path / name)
    environ = {"PATH": str(tmp_path), "DISPLAY": ":7", "BROWSER": "mine:gone:other --to '%s' %%:' "}
    assert list(list_browsers(environ, URL)) == [
        ["mine", URL],
        ["other", "--to", URL, "%%"],
        [str(tmp_path / "xdg-open"), URL],
    ]


@pytest.mark.parametrize("display", ["DISPLAY", "WAYLAND_DISPLAY"])
def test_without_a_display_only_the_users_own_browser_is_started(tmp_path: Path, display: str) -> None:
    opener = make_program(tmp_path / "xdg-open")
    assert not list(list_browsers({"PATH": str(tmp_path)}, URL))
    assert list(list_browsers({"PATH": str(tmp_path), "BROWSER": "xdg-open"}, URL)) == [["xdg-open", URL]]
    assert list(list_browsers({"PATH": str(tmp_path), display: ":7"}, URL)) == [[str(opener), URL]]


def test_a_browser_that_cannot_start_makes_room_for_the_next_one(tmp_path: Path) -> None:
    make_program(tmp_path / "broken", "exit 1")
    make_program(tmp_path / "works", f'echo "$1" > {tmp_path}/shown')
    environ = {"PATH": f"{tmp_path}:/usr/bin:/bin", "BROWSER": f"{tmp_path}/broken:{tmp_path}/works"}
    LinuxDesktop(environ).open_url(URL)
    wait_for(lambda: (tmp_path / "shown").exists() and (tmp_path / "shown").read_text() == f"{URL}\n", "the address")


def test_without_a_browser_the_error_does_not_repeat_the_address(tmp_path: Path) -> None:
    """It goes into the log, and the address may let a browser in."""
    with pytest.raises(DesktopError, match="No browser could be opened") as caught:
        LinuxDesktop({"PATH": str(tmp_path)}).open_url(URL)
    assert "token" not in str(caught.value)
