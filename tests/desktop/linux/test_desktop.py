"""The desktop of Linux: the programs that it starts, and its icon."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

import pytest

if sys.platform == "win32":
    pytest.skip("the modes of POSIX", allow_module_level=True)

from tests.support.desktop_harness import Desktop
from tests.support.parts import need
from tests.support.waiting import wait_for
from tray_app.desktop import DesktopError
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


@pytest.fixture
def terminals(tmp_path: Path) -> dict[str, str]:
    """An environment in which terminals are found in one folder, `bin`. They need no display."""
    (tmp_path / "bin").mkdir()
    return {"PATH": f"{tmp_path}/bin", "DISPLAY": ":0", "SHELL": "/bin/sh"}


def test_a_terminal_that_cannot_start_is_passed_over(tmp_path: Path, terminals: dict[str, str]) -> None:
    for name, script in {"konsole": "exit 1", "kitty": "", "xterm": 'shift; exec /bin/"$@"'}.items():
        (tmp_path / "bin" / name).write_text(f"#!/bin/sh\n{script}\n" if script else "not a program")
        (tmp_path / "bin" / name).chmod(0o755)
    done = tmp_path / "done"
    LinuxDesktop(terminals).open_terminal(["/bin/sh", "-c", f"pwd > {done}"], tmp_path)
    assert done.read_text().strip() == str(tmp_path)


def test_without_a_terminal_an_error_says_what_to_do(
    tmp_path: Path, terminals: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with pytest.raises(DesktopError, match="Set TERMINAL"):
        LinuxDesktop(terminals).open_terminal(["true"], tmp_path)
    assert list(tmp_path.glob("*.command")) == []


@pytest.mark.desktop
@pytest.mark.parametrize("shell", ["/bin/sh", "bash", "fish"])
def test_a_real_terminal_runs_the_command_in_the_folder_with_the_users_umask(shell: str) -> None:
    need("Xvfb", "dbus-daemon", "xterm", "bash", "fish")
    opener = (
        "import os, sys; from pathlib import Path; from tray_app.desktop.linux.desktop import LinuxDesktop; "
        "LinuxDesktop(os.environ, 0o027).open_terminal(sys.argv[2:], Path(sys.argv[1]))"
    )
    with Desktop("640x480x24") as desktop:
        desktop.env |= {"SHELL": shutil.which(shell) or shell, "TERMINAL": "xterm", "MARK": "kept"}
        folder = desktop.folder / 'a "folder" & $more'
        folder.mkdir()
        told = desktop.folder / "told"
        command = f'{{ pwd; umask; echo "$MARK"; }} > {told}.new; mv {told}.new {told}'
        desktop.spawn(sys.executable, "-c", opener, folder, "sh", "-c", command, log="opener")
        wait_for(told.is_file, "the command in the terminal")
        assert told.read_text().splitlines() == [str(folder), "0027", "kept"]


@pytest.mark.skipif(sys.platform != "linux", reason="D-Bus is for Linux")
def test_the_icon_has_the_name_of_this_program_in_its_notifications() -> None:
    assert LinuxDesktop({}).tray_class().app_name == "Claude NVIDIA Tray"
