"""The user's own settings of Claude Code are changed for all sessions, and changed back, whatever happens between."""

from __future__ import annotations

import json
import random
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.support.crashes import Crash, crash_at
from tray_app.catalog import GLM_4_7, MINIMAX_M2_1
from tray_app.claude_code.all_sessions import renew, switch_off, switch_on
from tray_app.claude_code.claude_settings import Setup
from tray_app.claude_code.journal_file import find_journal, is_on
from tray_app.errors import ClaudeSettingsError

SETUP = Setup("http://127.0.0.1:3001", GLM_4_7, (GLM_4_7, MINIMAX_M2_1), status_line="our-status-line")
OTHER_SETUP = replace(SETUP, url="http://127.0.0.1:4001", selected=MINIMAX_M2_1)
MOST_OPERATIONS = 60
FEWEST_OPERATIONS = 4

MINE = {
    "model": "opus",
    "env": {"NO_PROXY": "intranet", "ANTHROPIC_MODEL": "claude-mine", "FOO": "é"},
    "permissions": {"allow": ["Bash(ls)"], "deny": ["Read(.env)"]},
    "hooks": {"Stop": []},
}


class Place:
    """A home of Claude Code and a state folder of this program, below a scratch folder."""

    def __init__(self, folder: Path) -> None:
        self.file = folder / "claude" / "settings.json"
        self.state = folder / "state"
        self.environ = {"CLAUDE_CONFIG_DIR": str(self.file.parent)}
        self.file.parent.mkdir(parents=True)

    def write(self, value: Any) -> bytes:
        self.file.write_text(json.dumps(value, indent=2, ensure_ascii=False), encoding="utf-8")
        return self.file.read_bytes()

    def read(self) -> Any:
        return json.loads(self.file.read_bytes())

    def step(self, name: str) -> Callable[[], object]:
        """Returns one of the three changes."""
        steps: dict[str, Callable[[], object]] = {
            "switch on": self.on,
            "renew": lambda: renew(self.state, self.environ, OTHER_SETUP),
            "switch off": lambda: switch_off(self.state),
        }
        return steps[name]

    def on(self, setup: Setup = SETUP) -> None:
        switch_on(self.state, self.environ, setup)


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


def test_the_settings_are_merged_and_every_byte_comes_back(place: Place) -> None:
    text = b'{"model" : "opus",\r\n "permissions": {"deny": ["Read(.env)"]}}'
    place.file.write_bytes(text)
    assert not is_on(place.state)
    place.on()
    merged = place.read()
    assert is_on(place.state)
    assert (merged["model"], merged["env"]["ANTHROPIC_BASE_URL"]) == ("nvidia", SETUP.url)
    assert merged["permissions"] == {"deny": ["Read(.env)", "WebSearch"]}
    assert merged["statusLine"]["command"] == "our-status-line"
    assert switch_off(place.state)
    assert place.file.read_bytes() == text
    assert not is_on(place.state)
    assert not switch_off(place.state)


def test_without_a_file_there_is_none_afterwards(place: Place) -> None:
    place.on()
    renew(place.state, place.environ, OTHER_SETUP)
    assert place.read()["env"]["ANTHROPIC_BASE_URL"] == OTHER_SETUP.url
    switch_off(place.state)
    assert not place.file.exists()


@pytest.mark.skipif(sys.platform == "win32", reason="file modes of POSIX")
def test_only_the_user_can_read_the_journal(place: Place) -> None:
    place.write(MINE)
    place.on()
    assert find_journal(place.state).stat().st_mode & 0o777 == 0o600
    assert place.state.stat().st_mode & 0o777 == 0o700


def test_the_permission_mode_is_left_to_the_user(place: Place) -> None:
    place.write({})
    place.on(replace(SETUP, is_manual=True))
    assert place.read()["permissions"] == {"deny": ["WebSearch"]}


def test_a_status_line_of_the_user_stays(place: Place) -> None:
    place.write({"statusLine": {"type": "command", "command": "mine"}})
    place.on()
    renew(place.state, place.environ, OTHER_SETUP)
    assert place.read()["statusLine"]["command"] == "mine"


def test_the_hosts_of_the_users_settings_are_repeated(place: Place) -> None:
    place.write(MINE)
    place.on()
    renew(place.state, place.environ, OTHER_SETUP)
    assert place.read()["env"]["no_proxy"] == "127.0.0.1,localhost,intranet"


def test_variables_that_conflict_are_empty_while_it_is_on(place: Place) -> None:
    before = place.write(MINE)
    place.environ["CLAUDE_CODE_USE_BEDROCK"] = "1"
    place.on(replace(SETUP, needs_server_key=True))
    environment = place.read()["env"]
    assert environment["ANTHROPIC_MODEL"] == environment["CLAUDE_CODE_USE_BEDROCK"] == ""
    assert "ANTHROPIC_AUTH_TOKEN" not in environment, "the user's shell has the server key"
    switch_off(place.state)
    assert place.file.read_bytes() == before


def test_later_edits_of_the_user_stay_at_renewing_and_at_undoing(place: Place) -> None:
    place.write(MINE)
    place.on()
    edited = place.read()
    edited["env"]["API_TIMEOUT_MS"] = "1"
    edited["permissions"]["deny"] = ["Read(.env)", "Bash(rm)"]
    edited["statusLine"]["padding"] = 2
    edited["theme"] = "dark"
    del edited["skipWebFetchPreflight"]
    place.write(edited)
    renew(place.state, place.environ, OTHER_SETUP)
    renewed = place.read()
    assert renewed["env"]["ANTHROPIC_BASE_URL"] == OTHER_SETUP.url
    assert renewed["env"]["API_TIMEOUT_MS"] == "1"
    assert renewed["permissions"] == edited["permissions"]
    assert renewed["statusLine"] == edited["statusLine"]
    assert "skipWebFetchPreflight" not in renewed
    switch_off(place.state)
    assert place.read() == {
        **MINE,
        "env": {**MINE["env"], "API_TIMEOUT_MS": "1"},  # type: ignore[dict-item]
        "permissions": edited["permissions"],
        "statusLine": edited["statusLine"],
        "theme": "dark",
    }


def test_a_model_that_claude_code_saved_is_kept_while_it_is_on_and_taken_out_afterwards(place: Place) -> None:
    before = place.write({"theme": "dark"})
    place.on()
    place.write({**place.read(), "model": MINIMAX_M2_1.id})
    renew(place.state, place.environ, OTHER_SETUP)
    assert place.read()["model"] == MINIMAX_M2_1.id
    switch_off(place.state)
    assert place.file.read_bytes() == before


def test_renewing_without_a_change_does_not_touch_the_file(place: Place) -> None:
    renew(place.state, place.environ, SETUP)
    assert not place.file.exists(), "it is off"
    place.write(MINE)
    place.on()
    before = place.file.stat()
    renew(place.state, place.environ, SETUP)
    assert place.file.stat().st_ino == before.st_ino
    assert place.file.stat().st_mtime_ns == before.st_mtime_ns


def test_another_folder_of_claude_code_is_changed_after_the_first_is_as_it_was(place: Place, tmp_path: Path) -> None:
    before = place.write(MINE)
    place.on()
    other = tmp_path / "other"
    switch_on(place.state, {"CLAUDE_CONFIG_DIR": str(other)}, SETUP)
    assert place.file.read_bytes() == before
    assert (other / "settings.json").exists()


def test_renewing_stays_with_the_file_that_was_changed(place: Place, tmp_path: Path) -> None:
    before = place.write(MINE)
    place.on()
    renew(place.state, {"CLAUDE_CONFIG_DIR": str(tmp_path / "other")}, OTHER_SETUP)
    assert place.read()["env"]["ANTHROPIC_BASE_URL"] == OTHER_SETUP.url
    assert not (tmp_path / "other").exists()
    switch_off(place.state)
    assert place.file.read_bytes() == before


@pytest.mark.parametrize("content", [b"{damage", b"[]", b'{"env": []}', b'{"permissions": {"deny": 1}}'])
def test_a_file_that_is_not_usable_is_left_as_it_is(place: Place, content: bytes) -> None:
    place.file.write_bytes(content)
    with pytest.raises(ClaudeSettingsError, match="cannot be used, because"):
        place.on()
    assert place.file.read_bytes() == content
    assert not is_on(place.state)


def test_a_file_that_was_damaged_since_is_left_as_it_is_and_can_be_undone_later(place: Place) -> None:
    before = place.write(MINE)
    place.on()
    merged = place.file.read_bytes()
    place.file.write_bytes(b"{damage")
    with pytest.raises(ClaudeSettingsError, match="cannot be used, because"):
        switch_off(place.state)
    assert (place.file.read_bytes(), is_on(place.state)) == (b"{damage", True)
    place.file.write_bytes(merged)
    switch_off(place.state)
    assert place.file.read_bytes() == before


def test_a_damaged_journal_is_named(place: Place) -> None:
    place.write(MINE)
    place.on()
    find_journal(place.state).write_text("damage")
    for change in (lambda: switch_off(place.state), place.on):
        with pytest.raises(ClaudeSettingsError, match=r"all-sessions\.json"):
            change()


# ---- a crash at every step


def is_done(place: Place) -> bool:
    return (place.file.parent / "done").exists()


def run_with_a_crash(place: Place, number: int, action: Callable[[], object]) -> None:
    """Runs the action with a crash at that operation. Leaves a file `done` if it came to its end."""
    try:
        with crash_at(number, place.file.parent.parent):
            action()
    except Crash:
        return
    (place.file.parent / "done").touch()


@pytest.mark.parametrize("content", [None, {}, MINE], ids=["no file", "empty", "settings"])
@pytest.mark.parametrize("step", ["switch on", "renew", "switch off"])
def test_after_a_crash_at_any_file_operation_everything_can_be_undone(tmp_path: Path, content: Any, step: str) -> None:
    for number in range(1, MOST_OPERATIONS):
        place = Place(tmp_path / str(number))
        before = None if content is None else place.write(content)
        if step != "switch on":
            place.on()
        run_with_a_crash(place, number, place.step(step))
        switch_off(place.state)
        assert (place.file.read_bytes() if place.file.exists() else None) == before, f"crash at operation {number}"
        assert not is_on(place.state)
        if is_done(place):
            assert number > FEWEST_OPERATIONS
            return
    pytest.fail("there are more file operations than that")


@pytest.mark.parametrize("step", ["switch on", "renew"])
def test_after_a_crash_at_any_file_operation_it_can_be_switched_on_again(tmp_path: Path, step: str) -> None:
    for number in range(1, MOST_OPERATIONS):
        place = Place(tmp_path / str(number))
        before = place.write(MINE)
        if step == "renew":
            place.on()
        run_with_a_crash(place, number, place.step(step))
        place.on(OTHER_SETUP)
        whole = place.read()
        assert (whole["env"]["ANTHROPIC_BASE_URL"], whole["model"]) == (OTHER_SETUP.url, "nvidia")
        assert "WebSearch" in whole["permissions"]["deny"]
        switch_off(place.state)
        assert place.file.read_bytes() == before, f"crash at operation {number}"
        if is_done(place):
            return
    pytest.fail("there are more file operations than that")


@pytest.mark.parametrize("seed", range(40))
def test_no_foreign_key_is_lost_by_random_edits_and_crashes(tmp_path: Path, seed: int) -> None:
    """The user's keys have other names than ours, so that what must be left is exactly what the user has written."""
    dice = random.Random(seed)
    place = Place(tmp_path)
    users: dict[str, Any] = dice.choice([{}, {"theme": 1}, MINE])
    users = json.loads(json.dumps(users))
    place.write(users)
    for _ in range(12):
        action = place.step(dice.choice(["switch on", "renew", "switch off"]))
        if dice.random() < 0.6:
            run_with_a_crash(place, dice.randrange(1, 25), action)
        else:
            action()
        edit_both(dice, users, place)
    switch_off(place.state)
    assert without_empty(place.read()) == without_empty(users)
    leftovers = [path.name for path in tmp_path.rglob("*") if path.name.startswith(".settings")]
    assert not [name for name in leftovers if not name.startswith(".settings.json.")]


def edit_both(dice: random.Random, users: dict[str, Any], place: Place) -> None:
    """Makes the same edit in what the user has written, and in the file as it is now."""
    key, value = dice.choice("abc"), dice.randrange(100)
    where = dice.choice(["", "env", "modelPicker", "permissions"])
    held = place.read()
    for settings in (users, held):
        target = settings.setdefault(where, {}) if where else settings
        if value < 30:
            target.pop(key, None)
        elif value < 50 and where == "permissions":
            target.setdefault("deny", []).insert(0, f"Bash({value})")
        else:
            target[key] = value
    place.write(held)


def without_empty(settings: dict[str, Any]) -> dict[str, Any]:
    """Leaves out empty objects and lists, since nobody can say whether an edit or the merge has created them."""
    kept = {name: without_empty(value) if isinstance(value, dict) else value for name, value in settings.items()}
    return {name: value for name, value in kept.items() if value not in ({}, [])}
