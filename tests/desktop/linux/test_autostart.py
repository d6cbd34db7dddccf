"""The file with which desktops start this program at login."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

if sys.platform == "win32":
    pytest.skip("file modes and links of POSIX", allow_module_level=True)

from tests.support.parts import need
from tray_app.desktop import DesktopError
from tray_app.desktop.linux import autostart
from tray_app.desktop.linux.desktop import LinuxDesktop
from tray_app.shells import find_background_program

AWKWARD = """/opt/a b's/100%/$HOME/`c`/"d"/\\e;f&g/program"""


@pytest.fixture
def desktop(tmp_path: Path) -> LinuxDesktop:
    return LinuxDesktop({"XDG_CONFIG_HOME": str(tmp_path / "config")})


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "config" / "autostart" / "claude-nvidia-tray.desktop"


def test_it_is_off_until_it_is_switched_on_and_off_again(desktop: LinuxDesktop, file: Path) -> None:
    assert not desktop.starts_at_login()
    desktop.set_start_at_login(True)
    assert desktop.starts_at_login()
    assert file.is_file()
    desktop.set_start_at_login(False)
    desktop.set_start_at_login(False)
    assert not desktop.starts_at_login()
    assert list(file.parent.iterdir()) == []


def test_the_file_starts_this_program_and_is_valid(desktop: LinuxDesktop, file: Path) -> None:
    need("desktop-file-validate")
    desktop.set_start_at_login(True)
    subprocess.run(["desktop-file-validate", file], check=True)
    assert desktop.find_login_program() == Path(find_background_program()[0])


def test_awkward_characters_are_written_as_the_specification_demands(tmp_path: Path) -> None:
    need("desktop-file-validate")
    text = autostart.render([AWKWARD, "an option", "--plain", ""])
    exec_line = next(line for line in text.splitlines() if line.startswith("Exec="))
    quoted = r"""/opt/a b's/100%%/\\$HOME/\\`c\\`/\\"d\\"/\\\\e;f&g/program"""
    assert exec_line == f'Exec="{quoted}" "an option" --plain ""'
    file = tmp_path / "x.desktop"
    file.write_text(text)
    subprocess.run(["desktop-file-validate", file], check=True)
    assert autostart.find_program(file) == Path(AWKWARD)


@pytest.mark.parametrize("line", ["Hidden=true", "X-GNOME-Autostart-enabled=false"])
def test_an_entry_that_another_program_has_switched_off_is_off(desktop: LinuxDesktop, file: Path, line: str) -> None:
    desktop.set_start_at_login(True)
    file.write_text(f"{file.read_text()}{line}\n")
    assert not desktop.starts_at_login()
    desktop.set_start_at_login(True)
    assert desktop.starts_at_login()


@pytest.mark.parametrize("content", [b"", b"no group", b"[Desktop Entry", b"\xff\xfe"])
def test_a_damaged_file_is_off_and_can_be_switched_on(desktop: LinuxDesktop, file: Path, content: bytes) -> None:
    file.parent.mkdir(parents=True)
    file.write_bytes(content)
    assert not desktop.starts_at_login()
    desktop.set_start_at_login(True)
    assert desktop.starts_at_login()


def test_a_program_that_has_moved_is_renewed_and_another_one_stays(desktop: LinuxDesktop, file: Path) -> None:
    desktop.renew_start_at_login()
    assert not file.exists(), "it stays off"
    file.parent.mkdir(parents=True)
    file.write_text(autostart.render(["/gone/claude-nvidia-tray"]))
    desktop.renew_start_at_login()
    assert desktop.find_login_program() == Path(find_background_program()[0])
    installed = autostart.render(["/bin/sh", "another copy of this program"])
    file.write_text(installed)
    desktop.renew_start_at_login()
    assert file.read_text() == installed


def test_a_relative_folder_for_settings_is_ignored(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    usual = tmp_path / ".config" / "autostart" / "claude-nvidia-tray.desktop"
    assert autostart.find_file({"XDG_CONFIG_HOME": "config"}) == autostart.find_file({}) == usual


def test_a_folder_that_cannot_be_written_gives_a_sentence(desktop: LinuxDesktop, file: Path) -> None:
    file.parent.parent.mkdir()
    file.parent.touch()  # a file where the folder should be
    with pytest.raises(DesktopError, match="could not be changed"):
        desktop.set_start_at_login(True)
