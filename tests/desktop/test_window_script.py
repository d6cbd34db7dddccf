"""The script that a terminal window runs: where it runs the command, and when it keeps the window open."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

if sys.platform == "win32":
    pytest.skip("a script of POSIX shells", allow_module_level=True)

from tray_app.desktop.window_script import write_window_script

PROMPT = "Press Enter to close this window."


@pytest.fixture(autouse=True)
def scripts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of the scripts."""
    folder = tmp_path / "scripts"
    folder.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(folder))
    return folder


def run(script: Path) -> str:
    """Runs the script, with an Enter as its input. Returns its output."""
    return subprocess.run(["sh", script], input="\n", capture_output=True, text=True, check=True).stdout


def test_the_command_runs_in_the_folder_with_its_words_as_they_are(tmp_path: Path, scripts: Path) -> None:
    folder = tmp_path / 'it\'s a "folder" & $more'
    folder.mkdir()
    words = ["one two", "it's", '"', "$HOME", "`date`", "\\n", "a;b&c", "", "ä"]
    show = "import os, sys; print([os.getcwd(), *sys.argv[1:]])"
    script = write_window_script([sys.executable, "-c", show, *words], folder, stays_open=False)
    assert script.stat().st_mode & 0o777 == 0o700
    assert run(script) == f"{[str(folder), *words]}\n"
    assert list(scripts.iterdir()) == [], "the script has removed itself"


@pytest.mark.parametrize(
    ("command", "stays_open", "asks"),
    [
        ("exit 0", False, False),
        ("exit 0", True, True),
        ("exit 3", False, True),
        ("exit 3", True, True),
        ("exit 130", False, False),
        ("exit 130", True, False),
    ],
)
def test_the_window_stays_if_the_command_fails_or_always_but_not_after_ctrl_c(
    tmp_path: Path, command: str, stays_open: bool, asks: bool
) -> None:
    script = write_window_script(["sh", "-c", command], tmp_path, stays_open=stays_open)
    assert (PROMPT in run(script)) is asks


def test_a_program_or_a_folder_that_is_gone_keeps_the_window_open(tmp_path: Path) -> None:
    assert PROMPT in run(write_window_script([str(tmp_path / "gone")], tmp_path, stays_open=False))
    assert run(write_window_script(["echo", "ran"], tmp_path / "gone", stays_open=False)).strip() == PROMPT
