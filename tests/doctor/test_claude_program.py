"""What the doctor says about the program Claude Code."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from tray_app.doctor.claude_program import TRIED_VERSIONS, check_claude
from tray_app.doctor.findings import Level

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="a script of POSIX shells")


def environ_with(tmp_path: Path, script: str) -> dict[str, str]:
    """Returns an environment in which `claude` is this script."""
    program = tmp_path / "bin" / "claude"
    program.parent.mkdir()
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    return {"PATH": f"{program.parent}{os.pathsep}/bin", "HOME": str(tmp_path)}


def test_a_version_that_was_tried_is_well(tmp_path: Path) -> None:
    finding = check_claude(environ_with(tmp_path, f"echo '{TRIED_VERSIONS[-1]} (Claude Code)'"))
    assert finding.level is Level.OK
    assert TRIED_VERSIONS[-1] in finding.sentence


def test_another_version_is_a_note(tmp_path: Path) -> None:
    finding = check_claude(environ_with(tmp_path, "echo '9.9.9 (Claude Code)'"))
    assert finding.level is Level.NOTE
    assert "version 9.9.9" in finding.sentence


@pytest.mark.parametrize("script", ["exit 3", "echo no version"])
def test_a_program_that_does_not_work_is_a_failure(tmp_path: Path, script: str) -> None:
    assert check_claude(environ_with(tmp_path, script)).level is Level.FAIL


def test_a_file_that_is_no_program_is_a_failure(tmp_path: Path) -> None:
    environ = environ_with(tmp_path, "")
    (tmp_path / "bin" / "claude").write_bytes(b"\x7fELF")
    finding = check_claude(environ)
    assert finding.level is Level.FAIL
    assert "does not start" in finding.sentence


def test_none_is_a_failure_with_the_command_that_installs_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    finding = check_claude({"PATH": str(tmp_path)})
    assert finding.level is Level.FAIL
    assert "npm install -g @anthropic-ai/claude-code" in finding.sentence
