"""The settings files of Claude Code: where they are, and what is read of them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tray_app.claude_code.settings_files import (
    find_settings_files,
    find_user_settings,
    parse_settings,
    read_environment,
    read_settings_file,
)


def test_the_users_file_comes_before_those_of_the_repository_and_of_the_folder(tmp_path: Path) -> None:
    (tmp_path / "project" / ".git").mkdir(parents=True)
    folder = tmp_path / "project" / "part"
    folder.mkdir()
    found = find_settings_files({"CLAUDE_CONFIG_DIR": str(tmp_path / "mine")}, folder)
    assert [path.relative_to(tmp_path).as_posix() for path in found] == [
        "mine/settings.json",
        "project/.claude/settings.json",
        "project/.claude/settings.local.json",
        "project/part/.claude/settings.json",
        "project/part/.claude/settings.local.json",
    ]


def test_without_a_repository_and_a_folder_of_their_own_these_are_the_usual_ones(tmp_path: Path) -> None:
    assert find_user_settings({}) == Path.home() / ".claude" / "settings.json"
    assert len(find_settings_files({}, tmp_path)) == 3


@pytest.mark.parametrize("text", ["", "[]", "{", "[" * 100_000, "\udcff"])
def test_a_file_that_cannot_be_used_says_nothing(tmp_path: Path, text: str) -> None:
    file = tmp_path / "settings.json"
    assert read_settings_file(file) == {}
    file.write_bytes(text.encode(errors="surrogateescape"))
    assert read_settings_file(file) == {}
    with pytest.raises(ValueError, match=r".+"):
        parse_settings(text)


def test_a_file_may_begin_with_a_byte_order_mark(tmp_path: Path) -> None:
    file = tmp_path / "settings.json"
    file.write_text(json.dumps({"env": {"A": "1"}}), encoding="utf-8-sig")
    assert read_environment(read_settings_file(file)) == {"A": "1"}
    assert read_environment({"env": "no object"}) == {}
