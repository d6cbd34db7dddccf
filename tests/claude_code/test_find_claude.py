"""Where Claude Code is found, and how it is started."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tray_app.claude_code.find_claude import find_claude, make_command


def put(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch(mode=0o755)
    return path


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("HOME", "USERPROFILE"):
        monkeypatch.setenv(name, str(tmp_path / "home"))
    return tmp_path / "home"


@pytest.mark.skipif(sys.platform == "win32", reason="the names of programs have suffixes there")
def test_the_one_on_the_path_comes_before_the_one_of_the_installer(home: Path, tmp_path: Path) -> None:
    assert find_claude({"PATH": str(tmp_path)}) is None
    installed = put(home / ".local" / "bin" / "claude")
    assert find_claude({"PATH": str(tmp_path)}) == installed
    on_path = put(tmp_path / "claude")
    assert find_claude({"PATH": str(tmp_path)}) == on_path


def test_the_program_beside_npms_batch_file_is_started_itself(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shim = put(tmp_path / "claude.cmd")
    monkeypatch.setattr("shutil.which", lambda *_, **__: str(shim))  # only Windows looks for this name
    assert find_claude({}) == shim
    program = put(tmp_path / "node_modules" / "@anthropic-ai" / "claude-code" / "bin" / "claude.exe")
    assert find_claude({}) == program


def test_only_a_batch_file_is_started_by_a_shell() -> None:
    program = Path("folder") / "claude.exe"
    assert make_command(program, ["-p", 'a "b"'], "cmd.exe") == [str(program), "-p", 'a "b"']
    line = make_command(Path("claude.cmd"), ["-p"], "cmd.exe")
    assert line == '"cmd.exe" /e:on /v:off /d /c ""claude.cmd" -p"'
