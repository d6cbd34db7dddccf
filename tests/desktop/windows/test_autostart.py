"""Start at login in a real registry, under keys that Windows does not read."""

from __future__ import annotations

import winreg as _winreg
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tray_app.desktop.windows import autostart
from tray_app.desktop.windows.desktop import WindowsDesktop
from tray_app.shells import find_background_program

winreg: Any = _winreg  # on other systems, type checkers do not know what is in it
ROOT = r"Software\claude-nvidia-tray-test"
NAME = "claude-nvidia-tray"


@pytest.fixture(autouse=True)
def keys(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    names = {"RUN_KEY": rf"{ROOT}\Run", "APPROVED_KEY": rf"{ROOT}\Approved"}
    for name, path in names.items():
        monkeypatch.setattr(autostart, name, path)
        winreg.CreateKey(winreg.HKEY_CURRENT_USER, path).Close()
    yield
    for path in (*names.values(), ROOT):
        winreg.DeleteKey(winreg.HKEY_CURRENT_USER, path)


def test_it_is_off_until_it_is_switched_on_and_off_again() -> None:
    desktop = WindowsDesktop()
    assert not desktop.starts_at_login()
    desktop.set_start_at_login(True)
    assert desktop.find_login_program() == Path(find_background_program()[0])
    desktop.set_start_at_login(False)
    desktop.set_start_at_login(False)
    assert not desktop.starts_at_login()


def test_a_program_in_a_folder_with_a_space_is_read_back() -> None:
    program = r"C:\Program Files\Tray\Claude NVIDIA Tray.exe"
    autostart.switch_on([program])
    assert autostart.find_program() == Path(program)


def test_what_the_task_manager_has_switched_off_is_off_until_it_is_switched_on_here() -> None:
    autostart.switch_on(["tray.exe"])
    with winreg.CreateKey(winreg.HKEY_CURRENT_USER, autostart.APPROVED_KEY) as key:
        winreg.SetValueEx(key, NAME, 0, winreg.REG_BINARY, bytes([3, *[0] * 11]))
    assert autostart.find_program() is None
    autostart.switch_on(["tray.exe"])
    assert autostart.find_program() == Path("tray.exe")


def test_a_program_that_has_moved_is_renewed() -> None:
    autostart.switch_on([r"C:\gone\tray.exe"])
    WindowsDesktop().renew_start_at_login()
    assert autostart.find_program() == Path(find_background_program()[0])
