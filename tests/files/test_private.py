"""Files and folders that only their owner may read, and links, pipes and devices in place of them."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tray_app.files.private import NotAFile, claim_folder, is_private, make_private_folder, open_private, tighten_file

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="file modes, links and pipes of POSIX")

APPEND = os.O_WRONLY | os.O_APPEND | os.O_CREAT


@pytest.fixture
def _open_umask() -> Iterator[None]:
    """Sets a umask that removes nothing from the mode that a program asks for."""
    before = os.umask(0)
    yield
    os.umask(before)


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o7777


def append(path: Path, *, follows_links: bool = False) -> None:
    descriptor = open_private(path, APPEND, follows_links=follows_links)
    os.write(descriptor, b"text")
    os.close(descriptor)


@pytest.mark.usefixtures("_open_umask")
def test_only_the_owner_can_read_new_files_and_folders(tmp_path: Path) -> None:
    folder = tmp_path / "a" / "b" / "c"
    make_private_folder(folder)
    append(folder / "file")
    made = [folder.parent.parent, folder.parent, folder]
    assert [mode(path) for path in made] == [0o700] * 3
    assert mode(folder / "file") == 0o600


def test_an_existing_folder_stays_as_it_is_unless_it_is_claimed(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    make_private_folder(tmp_path)
    assert mode(tmp_path) == 0o755
    claim_folder(tmp_path, ())
    assert mode(tmp_path) == 0o700


def test_a_claimed_folder_is_closed_with_its_files_of_the_given_names(tmp_path: Path) -> None:
    folder = tmp_path / "ours"
    folder.mkdir(0o777)
    folder.chmod(0o2777)
    for name in ("a.json", "b.json", "c.txt"):
        (folder / name).touch()
        (folder / name).chmod(0o666)
    (folder / "folder.json").mkdir()
    (folder / "folder.json").chmod(0o755)
    claim_folder(folder, ("*.json",))
    assert mode(folder) == 0o2700
    modes = {path.name: mode(path) for path in folder.iterdir()}
    assert modes == {"a.json": 0o600, "b.json": 0o600, "c.txt": 0o666, "folder.json": 0o755}


def test_the_users_home_and_shared_folders_are_never_closed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home, shared = tmp_path / "home", tmp_path / "tmp"
    home.mkdir()
    home.chmod(0o755)
    monkeypatch.setenv("HOME", str(home))
    shared.mkdir()
    shared.chmod(0o1777)
    for folder in (home, shared):
        (folder / "settings.json").touch()
        (folder / "settings.json").chmod(0o644)
        claim_folder(folder, ("settings.json",))
        assert mode(folder / "settings.json") == 0o600
    assert (mode(home), mode(shared)) == (0o755, 0o1777)


def test_the_target_of_a_link_stays_as_it_is(tmp_path: Path) -> None:
    target, link = tmp_path / "target", tmp_path / "ours" / "link.json"
    target.touch()
    target.chmod(0o644)
    link.parent.mkdir()
    link.symlink_to(target)
    folder = tmp_path / "linked"
    folder.symlink_to(link.parent)
    link.parent.chmod(0o755)
    claim_folder(folder, ("*.json",))
    assert (mode(target), mode(link.parent)) == (0o644, 0o755)
    assert tighten_file(link) is False


def test_a_file_is_closed_to_others_once(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.touch()
    path.chmod(0o640)
    assert [tighten_file(path) for _ in range(2)] == [True, False]
    assert mode(path) == 0o600
    assert tighten_file(tmp_path / "none") is False


def test_a_link_is_followed_only_on_request(tmp_path: Path) -> None:
    """Another user could have put the link there, so that this program writes into another file."""
    target, link = tmp_path / "target", tmp_path / "link"
    target.write_text("precious")
    link.symlink_to(target)
    with pytest.raises(OSError, match="symbolic links"):
        append(link)
    assert target.read_text() == "precious"
    append(link, follows_links=True)
    assert target.read_text() == "precioustext"


@pytest.mark.parametrize("flags", [os.O_RDONLY, APPEND], ids=["to read", "to write"])
def test_opening_a_pipe_does_not_block(tmp_path: Path, flags: int) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(NotAFile, match="it is a pipe, not a file"):
        open_private(tmp_path / "pipe", flags)


def test_a_device_is_not_used(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("/dev/zero")
    for path in (Path("/dev/zero"), tmp_path / "link"):
        with pytest.raises(NotAFile, match="it is a device, not a file"):
            open_private(path, os.O_RDONLY, follows_links=True)


def test_nothing_stays_open_after_a_refusal(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    lowest_free = os.dup(0)
    os.close(lowest_free)
    with pytest.raises(NotAFile):
        open_private(tmp_path / "pipe", os.O_RDONLY)
    assert os.dup(0) == lowest_free
    os.close(lowest_free)


def test_a_file_is_private_if_nobody_else_can_have_made_it(tmp_path: Path) -> None:
    file, link = tmp_path / "file", tmp_path / "link"
    append(file)
    link.symlink_to(file)
    assert is_private(file)
    assert not is_private(link)
    assert not is_private(tmp_path / "nothing")
    file.chmod(0o620)
    assert not is_private(file)
    tmp_path.chmod(0o700)
    assert is_private(tmp_path)
    tmp_path.chmod(0o755)
    assert not is_private(tmp_path)
