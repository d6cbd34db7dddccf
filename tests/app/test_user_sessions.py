"""The switch "Use for all sessions" in step with the app, and the command that undoes it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.support.app_folder import AppFolder
from tests.support.running_app import App
from tests.support.waiting import wait_for
from tray_app.app.user_sessions import UserSessions
from tray_app.catalog import GLM_4_7, MINIMAX_M2_1
from tray_app.claude_code.all_sessions import switch_on
from tray_app.claude_code.claude_settings import Setup
from tray_app.commands.undo import undo
from tray_app.errors import ClaudeSettingsError
from tray_app.paths import find_paths
from tray_app.settings.store import SettingsStore

SETUP = Setup("http://127.0.0.1:3001", GLM_4_7, (GLM_4_7, MINIMAX_M2_1))
MINE = b'{"model": "opus"}'


class Place:
    """A home of this program and a folder of Claude Code, with a user who has settings."""

    def __init__(self, folder: Path) -> None:
        self.home = folder / "home"
        self.file = folder / "claude" / "settings.json"
        self.environ = {"CLAUDE_NVIDIA_TRAY_HOME": str(self.home), "CLAUDE_CONFIG_DIR": str(self.file.parent)}
        self.paths = find_paths(self.environ)
        self.file.parent.mkdir()
        self.file.write_bytes(MINE)
        self.store = SettingsStore(self.paths.settings, {})
        self.sessions = UserSessions(self.paths.state, self.environ, self.store)

    def read(self) -> Any:
        return json.loads(self.file.read_bytes())


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


def test_a_click_switches_it_on_and_another_one_off(place: Place) -> None:
    place.sessions.use(SETUP, is_on=True)
    assert place.sessions.is_on
    assert place.read()["env"]["ANTHROPIC_BASE_URL"] == SETUP.url
    place.sessions.use(SETUP, is_on=False)
    assert not place.sessions.is_on
    assert place.file.read_bytes() == MINE


def test_switching_it_on_again_sets_what_the_user_has_changed_since(place: Place) -> None:
    place.sessions.use(SETUP, is_on=True)
    edited = place.read()
    edited["env"]["ANTHROPIC_BASE_URL"] = "http://127.0.0.1:9999"
    place.file.write_text(json.dumps(edited), encoding="utf-8")
    place.sessions.use(SETUP, is_on=True)
    assert place.read()["env"]["ANTHROPIC_BASE_URL"] == SETUP.url


def test_a_preview_shows_what_would_be_written_and_writes_nothing(place: Place) -> None:
    preview = place.sessions.preview(SETUP, is_on=True)
    assert preview is not None
    assert (preview.file, preview.before) == (place.file, MINE.decode())
    assert (place.file.read_bytes(), place.sessions.is_on) == (MINE, False)
    place.sessions.use(SETUP, is_on=True)
    assert place.file.read_text() == preview.after
    undone = place.sessions.preview(SETUP, is_on=False)
    assert undone is not None
    assert (undone.before, undone.after) == (preview.after, MINE.decode())


def test_there_is_no_preview_of_an_undo_if_there_is_nothing_to_undo(place: Place) -> None:
    assert place.sessions.preview(SETUP, is_on=False) is None


def test_a_click_that_fails_says_why(place: Place) -> None:
    place.file.write_bytes(b"{damage")
    with pytest.raises(ClaudeSettingsError, match="cannot be used, because"):
        place.sessions.use(SETUP, is_on=True)


def test_it_is_undone_at_quit_only_if_the_user_wants_that(place: Place) -> None:
    place.sessions.use(SETUP, is_on=True)
    place.sessions.undo_if_wanted()
    assert place.sessions.is_on
    place.paths.settings.write_text(
        json.dumps({**json.loads(place.paths.settings.read_text()), "undo_all_sessions_at_quit": True})
    )
    place.store.refresh()
    place.sessions.undo_if_wanted()
    assert place.file.read_bytes() == MINE


def test_what_prevents_an_update_or_an_undo_does_not_stop_the_app(place: Place) -> None:
    place.sessions.use(SETUP, is_on=True)
    place.file.write_bytes(b"{damage")
    place.sessions.follow(Setup("http://127.0.0.1:4001", MINIMAX_M2_1, (GLM_4_7,)))
    place.paths.settings.write_text(json.dumps({"version": 1, "undo_all_sessions_at_quit": True}))
    place.store.refresh()
    place.sessions.undo_if_wanted()
    assert place.file.read_bytes() == b"{damage"


def test_the_command_undoes_it_and_says_what_it_did(place: Place, capsys: pytest.CaptureFixture[str]) -> None:
    assert undo(place.paths) == 0
    assert capsys.readouterr().out.startswith("There is nothing to undo")
    place.sessions.use(SETUP, is_on=True)
    assert undo(place.paths) == 0
    assert capsys.readouterr().out.startswith("Claude Code's settings are as they were")
    assert place.file.read_bytes() == MINE


def test_the_command_fails_if_the_file_cannot_be_used(place: Place, capsys: pytest.CaptureFixture[str]) -> None:
    place.sessions.use(SETUP, is_on=True)
    place.file.write_bytes(b"[]")
    assert undo(place.paths) == 1
    assert str(place.file) in capsys.readouterr().err


def test_the_running_app_follows_its_settings_and_undoes_it_when_it_ends(place: Place) -> None:
    """The first `switch_on` is that of a run that has crashed and is not to be undone yet."""
    folder = AppFolder(place.home)
    switch_on(place.paths.state, place.environ, SETUP)
    app = App(place.home, ("--no-tray", "--demo"), {"ADDR": "127.0.0.1:0", **place.environ}, [])
    try:
        url = f"http://{app.wait_listening().host}"
        wait_for(lambda: place.read()["env"]["ANTHROPIC_BASE_URL"] == url, "its address is written")
        folder.edit_settings(model=MINIMAX_M2_1.id)
        tokens = str(MINIMAX_M2_1.context_tokens)
        wait_for(lambda: place.read()["env"]["CLAUDE_CODE_MAX_CONTEXT_TOKENS"] == tokens, "the model is written")
        folder.edit_settings(undo_all_sessions_at_quit=True)
        (place.paths.state / "quit-request").write_bytes(b"")
        assert app.wait_end() == 0
    finally:
        app.close()
    assert place.file.read_bytes() == MINE
