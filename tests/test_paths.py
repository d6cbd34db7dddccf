"""The folders of the program."""

from __future__ import annotations

from pathlib import Path

from tray_app import APP_ID
from tray_app.paths import Paths, find_paths


def test_all_folders_are_below_the_home_that_the_user_names(tmp_path: Path) -> None:
    paths = find_paths({"CLAUDE_NVIDIA_TRAY_HOME": str(tmp_path)})
    assert paths == Paths(tmp_path / "settings.json", tmp_path / "logs", tmp_path / "state", tmp_path / "data")


def test_the_settings_file_may_be_elsewhere(tmp_path: Path) -> None:
    environ = {"CLAUDE_NVIDIA_TRAY_HOME": str(tmp_path), "CONFIG_PATH": str(tmp_path / "a" / "config.json")}
    paths = find_paths(environ)
    assert paths == Paths(
        tmp_path / "a" / "config.json", tmp_path / "logs", tmp_path / "state", tmp_path / "data", False
    )
    assert find_paths({**environ, "CONFIG_PATH": str(tmp_path / "config.json")}).owns_settings_folder is True


def test_a_tilde_is_the_users_home() -> None:
    assert find_paths({"CONFIG_PATH": "~/config.json"}).settings == Path.home() / "config.json"


def test_a_relative_path_is_made_absolute() -> None:
    assert find_paths({"CONFIG_PATH": "config.json"}).settings == Path.cwd() / "config.json"


def test_without_variables_the_systems_folders_are_used_and_none_is_created() -> None:
    paths = find_paths({})
    for path in (paths.settings, paths.logs, paths.state, paths.data):
        assert path.is_absolute()
        assert APP_ID in path.parts
        assert not path.exists()
