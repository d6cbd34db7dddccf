"""The commands that start this program, quoted for each shell."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tray_app import APP_ID, __version__
from tray_app.shells import (
    StatusLineShell,
    find_background_program,
    find_command,
    find_program,
    find_status_line_command,
    find_status_line_shell,
    join_status_line,
)


def test_the_command_is_the_name_once_it_is_installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    script = Path(__file__).resolve().parents[1] / "packaging" / "dev.py"
    assert shlex.split(find_command("bash")) == ["python3", str(script), "run"]
    assert find_command("powershell") == f"py '{script}' run"
    installed = tmp_path / ("claude-nvidia-tray.exe" if os.name == "nt" else "claude-nvidia-tray")
    installed.touch(mode=0o755)
    assert find_command("bash") == find_command("powershell") == "claude-nvidia-tray"


@pytest.mark.parametrize(
    ("started", "runs"),
    [("claude-nvidia-tray", "claude-nvidia-tray"), ("Claude NVIDIA Tray.exe", "claude-nvidia-tray.exe")],
)
def test_a_bundle_that_is_not_on_the_path_names_its_program_for_terminals(
    started: str, runs: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "")
    monkeypatch.setattr(sys, "frozen", True, raising=False)
    monkeypatch.setattr(sys, "executable", str(tmp_path / "it's here" / started))
    program = str(tmp_path / "it's here" / runs)
    assert find_program() == [program]
    assert shlex.split(find_command("bash")) == [program]
    assert find_command("powershell") == "& '{}'".format(program.replace("'", "''"))


@pytest.mark.parametrize(
    "find",
    [
        find_program,
        pytest.param(
            find_background_program, marks=pytest.mark.skipif(os.name == "nt", reason="it prints nothing there")
        ),
    ],
)
def test_the_program_starts_in_a_folder_whose_modules_have_the_names_of_ours(
    find: Callable[[], list[str]], tmp_path: Path
) -> None:
    for name in ("tray_app", "argparse", "aiohttp"):
        (tmp_path / f"{name}.py").write_text("raise SystemExit('a module of the user was imported')", encoding="utf-8")
    done = subprocess.run([*find(), "--version"], cwd=tmp_path, capture_output=True, text=True, timeout=30)
    assert (done.returncode, done.stdout, done.stderr) == (0, f"{APP_ID} {__version__}\n", "")


def test_the_background_program_of_a_windows_bundle_has_no_console(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    console, windowed = tmp_path / "claude-nvidia-tray.exe", tmp_path / "Claude NVIDIA Tray.exe"
    monkeypatch.setattr(sys, "frozen", True, raising=False)
    monkeypatch.setattr(sys, "executable", str(console))
    assert find_background_program() == [str(console)], "there is one program only"
    windowed.touch()
    assert find_background_program() == [str(windowed)]


def test_a_python_for_windows_starts_without_a_console(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python.exe"))
    (tmp_path / "pythonw.exe").touch()
    assert find_background_program()[0] == str(tmp_path / "pythonw.exe")


def test_the_status_line_runs_from_any_folder(tmp_path: Path) -> None:
    done = subprocess.run(
        find_status_line_command(), shell=True, cwd=tmp_path, input="{}", capture_output=True, text=True, check=True
    )
    assert done.stdout.strip()
    assert done.stderr == ""


PROGRAM = r"C:\Users\Jo O'Neil\tray.exe"


@pytest.mark.parametrize(
    ("words", "shell", "command"),
    [
        (["/opt/Jo O'Neil/tray"], "sh", """exec '/opt/Jo O'"'"'Neil/tray'"""),
        (["/usr/bin/tray", "status-line"], "sh", "exec /usr/bin/tray status-line"),
        ([r"C:\tray.exe", "status-line"], "git-bash", "C:/tray.exe status-line"),
        ([r"C:\tray.exe", "status-line"], "powershell", "C:/tray.exe status-line"),
        ([PROGRAM], "git-bash", """'C:/Users/Jo O'"'"'Neil/tray.exe'"""),
        ([PROGRAM], "powershell", "& 'C:/Users/Jo O''Neil/tray.exe'"),
    ],
)
def test_the_status_line_is_quoted_for_the_shell_that_claude_code_uses(
    words: list[str], shell: StatusLineShell, command: str
) -> None:
    assert join_status_line(words, shell) == command


def test_the_status_line_of_a_bundle_starts_its_program_for_terminals(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "frozen", True, raising=False)
    monkeypatch.setattr(sys, "executable", str(tmp_path / "a b" / "Claude NVIDIA Tray"))
    words = shlex.split(find_status_line_command("/home/a b/state"))
    assert words[-3:] == [str(tmp_path / "a b" / "claude-nvidia-tray"), "status-line", "/home/a b/state"]


def test_the_shell_of_the_status_line_follows_the_program_and_git(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("CLAUDE_CODE_GIT_BASH_PATH", raising=False)
    assert find_status_line_shell("/usr/bin/python3") == "sh"
    assert find_status_line_shell(r"C:\Python\python.exe") == "powershell"
    (tmp_path / ("git.exe" if os.name == "nt" else "git")).touch(mode=0o755)
    assert find_status_line_shell(r"C:\Python\python.exe") == "git-bash"
    monkeypatch.setenv("PATH", "")
    monkeypatch.setenv("CLAUDE_CODE_GIT_BASH_PATH", r"D:\git\bin\bash.exe")
    assert find_status_line_shell(r"C:\Python\python.exe") == "git-bash"
