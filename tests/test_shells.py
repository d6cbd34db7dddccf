"""The commands that start this program, quoted for each shell."""

from __future__ import annotations

import os
import shlex
import sys
from pathlib import Path

import pytest

from tray_app.shells import find_command, find_program


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
