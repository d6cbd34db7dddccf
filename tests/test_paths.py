"""Where things lie."""

from __future__ import annotations

import os
import shlex
import sys
from pathlib import Path

import pytest

from tray_app import APP_ID
from tray_app.paths import Paths, find_command, find_paths, find_program


def test_everything_lies_below_the_home_that_the_user_names(tmp_path: Path) -> None:
    paths = find_paths({"CLAUDE_NVIDIA_TRAY_HOME": str(tmp_path)})
    assert paths == Paths(tmp_path / "settings.json", tmp_path / "logs", tmp_path / "state")


def test_the_settings_file_may_lie_elsewhere(tmp_path: Path) -> None:
    environ = {"CLAUDE_NVIDIA_TRAY_HOME": str(tmp_path), "CONFIG_PATH": str(tmp_path / "a" / "config.json")}
    paths = find_paths(environ)
    assert paths == Paths(tmp_path / "a" / "config.json", tmp_path / "logs", tmp_path / "state", False)
    assert find_paths({**environ, "CONFIG_PATH": str(tmp_path / "config.json")}).owns_settings_folder is True


def test_a_tilde_is_the_users_home() -> None:
    assert find_paths({"CONFIG_PATH": "~/config.json"}).settings == Path.home() / "config.json"


def test_a_relative_path_is_made_absolute() -> None:
    assert find_paths({"CONFIG_PATH": "config.json"}).settings == Path.cwd() / "config.json"


def test_otherwise_the_platforms_folders_are_used_and_nothing_is_made() -> None:
    paths = find_paths({})
    for path in (paths.settings, paths.logs, paths.state):
        assert path.is_absolute()
        assert APP_ID in path.parts
        assert not path.exists()


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
