"""Files that several programs read and replace at the same time."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from tray_app.files.atomic import MAX_BYTES, read_whole, write_whole
from tray_app.files.private import NotAFile

posix_only = pytest.mark.skipif(sys.platform == "win32", reason="links and devices of POSIX")


def test_a_file_is_replaced_in_one_step_and_no_temporary_file_stays(tmp_path: Path) -> None:
    path = tmp_path / "new folder" / "a.json"
    write_whole(path, b"a longer text")
    write_whole(path, b"short")
    assert read_whole(path) == b"short"
    assert list(path.parent.iterdir()) == [path]


def test_a_file_that_stays_open_is_left_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Windows refuses to replace a file that is open. On other systems the test makes the replacing fail."""
    path = tmp_path / "a.json"
    write_whole(path, b"before")
    with path.open(), monkeypatch.context() as patch:
        if sys.platform != "win32":
            patch.setattr(Path, "replace", refuse)
        with pytest.raises(PermissionError):
            write_whole(path, b"after")
    assert read_whole(path) == b"before"
    assert list(tmp_path.iterdir()) == [path]


def refuse(*_: object) -> None:
    raise PermissionError(13, "Access is denied")


def test_replacing_a_file_waits_for_a_short_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.json"
    write_whole(path, b"before")
    replace = Path.replace
    refusals: list[PermissionError] = []

    def replace_and_let_go(self: Path, target: Path) -> Path:
        try:
            if sys.platform != "win32" and not reader.closed:
                refuse()
            return replace(self, target)
        except PermissionError as refusal:
            refusals.append(refusal)
            reader.close()
            raise

    monkeypatch.setattr(Path, "replace", replace_and_let_go)
    with path.open() as reader:
        write_whole(path, b"after")
    assert (path.read_bytes(), len(refusals)) == (b"after", 1)


@posix_only
def test_a_file_that_is_too_large_is_not_read_to_its_end(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_bytes(b"x" * MAX_BYTES)
    assert len(read_whole(path)) == MAX_BYTES
    os.truncate(path, 2**33)  # gigabytes that take no space on the disk
    with pytest.raises(NotAFile, match="it has more than 1,000,000 bytes"):
        read_whole(path)


def test_a_folder_in_place_of_the_file_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(NotAFile, match="it is a folder, not a file"):
        read_whole(tmp_path)


@posix_only
def test_a_link_in_place_of_the_file_is_replaced_and_not_followed(tmp_path: Path) -> None:
    target, link = tmp_path / "target", tmp_path / "a.json"
    target.write_bytes(b"precious")
    link.symlink_to(target)
    with pytest.raises(OSError, match="symbolic links"):
        read_whole(link)
    assert read_whole(link, follows_links=True) == b"precious"
    write_whole(link, b"ours")
    assert (target.read_bytes(), link.read_bytes(), link.is_symlink()) == (b"precious", b"ours", False)


@posix_only
def test_a_file_gets_the_mode_that_is_asked_for(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    write_whole(path, b"", 0o640)
    assert path.stat().st_mode & 0o7777 == 0o640
    write_whole(path, b"")
    assert path.stat().st_mode & 0o7777 == 0o600
