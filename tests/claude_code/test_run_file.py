"""The settings file of one run: private, and gone when the run has ended, in whatever way."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tray_app.claude_code.run_file import run_file

ROOT = Path(__file__).resolve().parents[2]

RUN = """
import sys
from pathlib import Path
from tray_app.claude_code.run_file import run_file
with run_file(Path(sys.argv[1]), "of the other run") as file:
    print(file, flush=True)
    sys.stdin.read()
"""


def test_the_file_exists_for_as_long_as_its_run_and_only_the_owner_can_read_it(tmp_path: Path) -> None:
    folder = tmp_path / "runs"
    with run_file(folder, "one") as first, run_file(folder, "two") as second:
        assert (first.read_text(), second.read_text()) == ("one", "two")
        if sys.platform != "win32":
            assert (folder.stat().st_mode & 0o777, first.stat().st_mode & 0o777) == (0o700, 0o600)
    assert [file.name for file in folder.iterdir() if file.name != "turn.lock"] == []


def test_the_file_is_removed_if_the_run_fails(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt), run_file(tmp_path, "x") as file:
        raise KeyboardInterrupt
    assert not file.exists()


def test_the_file_of_a_run_that_was_killed_is_removed_by_the_next_one_and_that_of_a_live_one_is_not(
    tmp_path: Path,
) -> None:
    command = [sys.executable, "-c", RUN, str(tmp_path)]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None
        file = Path(other.stdout.readline().strip())
        with run_file(tmp_path, "x"):
            assert file.read_text() == "of the other run"
        other.kill()
        other.wait()
        assert file.exists()
        with run_file(tmp_path, "x"):
            assert not file.exists()
    assert [left.name for left in tmp_path.iterdir() if left.name != "turn.lock"] == []
