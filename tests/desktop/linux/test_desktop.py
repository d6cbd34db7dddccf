"""The desktop of Linux: the programs that it starts, and its icon."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

if sys.platform == "win32":
    pytest.skip("the modes of POSIX", allow_module_level=True)

from tray_app.desktop.linux.desktop import LinuxDesktop


@pytest.mark.filterwarnings("ignore:subprocess:ResourceWarning")  # nobody waits for the file manager
@pytest.mark.parametrize(("users_umask", "shown"), [(0o022, "0022"), (-1, "0077")], ids=["the user's", "our own"])
def test_the_file_manager_gets_the_users_umask(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, users_umask: int, shown: str
) -> None:
    """New files of the file manager have the permissions that the user chose, and not those of this program's files."""
    answer = tmp_path / "answer"
    os.mkfifo(answer)
    opener = tmp_path / "xdg-open"
    opener.write_text(f"#!/bin/sh\numask > {answer}\n")
    opener.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    before = os.umask(0o077)
    try:
        LinuxDesktop({}, users_umask).open_folder(tmp_path)
        assert answer.read_text().strip() == shown
    finally:
        os.umask(before)


@pytest.mark.skipif(sys.platform != "linux", reason="D-Bus is for Linux")
def test_the_icon_has_the_name_of_this_program_in_its_notifications() -> None:
    assert LinuxDesktop({}).tray_class().app_name == "Claude NVIDIA Tray"
