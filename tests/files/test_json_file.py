"""JSON files in the state folder, on a real disk."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.conftest import LogFile
from tray_app.files.json_file import read_json, write_json


@dataclass
class Thing:
    size: int


Things = dict[str, list[Thing]]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state" / "known.json"


def test_a_written_value_can_be_read(path: Path) -> None:
    write_json(path, {"a longer name": [Thing(1), Thing(2)]})
    write_json(path, {"a": [Thing(1)]})
    assert read_json(path, Things) == {"a": [Thing(1)]}
    assert list(path.parent.iterdir()) == [path]


def test_a_missing_file_is_no_trouble(path: Path, log_file: LogFile) -> None:
    assert read_json(path, Things) is None
    assert str(path) not in log_file.text


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b'{"a": [{"size": 1}]',
        b"\xff\xfe",
        b'{"\xff": []}',
        b"[]",
        b'{"a": [{"size": "1"}]}',
        b'{"a": [{"size": 1, "more": ' + b"[" * 100_000 + b"]" * 100_000 + b"}]}",
    ],
    ids=["empty", "cut", "no text", "no text in it", "another kind", "another kind in it", "too deep"],
)
def test_a_damaged_file_is_a_line_in_the_log(path: Path, log_file: LogFile, content: bytes) -> None:
    path.parent.mkdir()
    path.write_bytes(content)
    assert read_json(path, Things) is None
    assert f"{path} cannot be used" in log_file.text


def test_a_file_that_cannot_be_replaced_is_a_line_in_the_log_and_leaves_nothing_behind(
    path: Path, log_file: LogFile
) -> None:
    path.mkdir(parents=True)
    (path / "in the way").touch()
    write_json(path, {})
    assert f"{path} cannot be written" in log_file.text
    assert list(path.parent.iterdir()) == [path]
    assert read_json(path, Things) is None


def test_a_folder_that_cannot_be_made_is_a_line_in_the_log(path: Path, log_file: LogFile) -> None:
    path.parent.touch()
    write_json(path, {})
    assert f"{path} cannot be written" in log_file.text


@pytest.mark.skipif(sys.platform == "win32", reason="file modes of POSIX")
def test_only_the_owner_can_read_a_file(path: Path) -> None:
    write_json(path, {})
    assert path.stat().st_mode & 0o777 == 0o600


@pytest.mark.skipif(sys.platform == "win32", reason="pipes and links of POSIX")
def test_a_pipe_or_an_endless_device_in_place_of_the_file_does_not_block(path: Path, log_file: LogFile) -> None:
    path.parent.mkdir()
    os.mkfifo(path)
    assert read_json(path, Things) is None
    path.unlink()
    path.symlink_to("/dev/zero")
    assert read_json(path, Things) is None
    assert log_file.text.count(f"{path} cannot be used") == 2
    write_json(path, {"a": [Thing(1)]})
    assert read_json(path, Things) == {"a": [Thing(1)]}


def test_a_file_that_is_too_large_is_a_line_in_the_log(path: Path, log_file: LogFile) -> None:
    path.parent.mkdir()
    path.write_bytes(b"{}" + b" " * 1_000_000)
    assert read_json(path, Things) is None
    assert f"{path} cannot be used" in log_file.text
