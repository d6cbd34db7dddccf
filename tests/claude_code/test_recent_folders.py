"""The folders in which Claude Code was started last."""

from __future__ import annotations

from pathlib import Path

from tray_app.claude_code.recent_folders import list_recent_folders, note_folder


def test_the_last_five_folders_that_exist_are_listed_the_newest_first(tmp_path: Path) -> None:
    state = tmp_path / "state"
    assert list_recent_folders(state) == []
    folders = [tmp_path / str(number) for number in range(7)]
    for folder in folders:
        folder.mkdir()
        note_folder(state, folder)
    note_folder(state, folders[4])
    assert list_recent_folders(state) == [folders[number] for number in (4, 6, 5, 3, 2)]
    folders[6].rmdir()
    assert folders[6] not in list_recent_folders(state)


def test_a_damaged_list_is_an_empty_one_until_the_next_folder(tmp_path: Path) -> None:
    (tmp_path / "recent-folders.json").write_text('["relative", 1')
    assert list_recent_folders(tmp_path) == []
    note_folder(tmp_path, tmp_path)
    assert list_recent_folders(tmp_path) == [tmp_path]
