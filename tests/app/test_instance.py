"""One app per user: the next launch finds it, and its lock ends with its process."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tray_app.app.instance import Instance, Whereabouts

posix_only = pytest.mark.skipif(sys.platform == "win32", reason="file modes, links and pipes of POSIX")

ROOT = Path(__file__).resolve().parents[2]
URL = "http://127.0.0.1:3001"

APP = f"""
import sys
from pathlib import Path
from tray_app.app.instance import Instance
instance = Instance(Path(sys.argv[1]))
print(instance.acquire(), flush=True)
instance.publish("{URL}")
print("published", flush=True)
sys.stdin.read()
"""


def start_app(folder: Path) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", APP, folder], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert [process.stdout.readline().strip() for _ in range(2)] == ["True", "published"]
    return process


def test_a_second_process_sees_the_first_and_is_free_after_its_death(tmp_path: Path) -> None:
    folder = tmp_path / "state"
    second = Instance(folder)
    with start_app(folder) as first:
        assert second.acquire() is False
        assert second.find_running() == Whereabouts(first.pid, URL)
        first.kill()
        first.wait()
        assert second.find_running() is None
        assert second.acquire() is True
        assert Instance(folder).find_running() == Whereabouts(0, ""), "what the dead one noted is not told"
        second.publish("")
        assert Instance(folder).find_running() == Whereabouts(os.getpid(), "")
        second.release()
    assert not (folder / "instance.json").exists()


def test_nothing_runs_in_a_folder_that_does_not_exist(tmp_path: Path) -> None:
    assert Instance(tmp_path / "state").find_running() is None
    assert not (tmp_path / "state").exists()


def test_a_damaged_note_still_shows_that_an_app_is_running(tmp_path: Path) -> None:
    first = Instance(tmp_path)
    assert first.acquire()
    for note in ("", "[]", '{"pid": "x", "url": ""}', '{"pid": 1}', "[" * 100_000, " " * 1_000_001):
        (tmp_path / "instance.json").write_text(note)
        assert Instance(tmp_path).find_running() == Whereabouts(0, "")
    first.release()


def test_the_lock_is_free_after_release(tmp_path: Path) -> None:
    first, second = Instance(tmp_path), Instance(tmp_path)
    assert first.acquire()
    assert not second.acquire()
    first.release()
    assert second.acquire()
    second.release()


@posix_only
def test_a_pipe_in_place_of_the_note_does_not_block_a_reader(tmp_path: Path) -> None:
    first = Instance(tmp_path)
    assert first.acquire()
    os.mkfifo(tmp_path / "instance.json")
    assert Instance(tmp_path).find_running() == Whereabouts(0, "")
    first.publish(URL)
    assert Instance(tmp_path).find_running() == Whereabouts(os.getpid(), URL)
    first.release()


@posix_only
def test_a_lock_that_leads_elsewhere_is_not_followed(tmp_path: Path) -> None:
    target = tmp_path / "precious"
    folder = tmp_path / "state"
    folder.mkdir()
    (folder / "instance.lock").symlink_to(target)
    with pytest.raises(OSError, match="symbolic links"):
        Instance(folder).acquire()
    assert not target.exists()


@posix_only
def test_only_the_owner_can_read_the_folder_and_its_files(tmp_path: Path) -> None:
    folder = tmp_path / "state"
    folder.mkdir()
    folder.chmod(0o777)
    (folder / "known.json").touch()
    (folder / "known.json").chmod(0o666)
    before = os.umask(0)
    try:
        instance = Instance(folder)
        assert instance.acquire()
        instance.publish(URL)
    finally:
        os.umask(before)
    assert folder.stat().st_mode & 0o777 == 0o700
    modes = {file.name: file.stat().st_mode & 0o777 for file in folder.iterdir()}
    assert modes == {"known.json": 0o600, "instance.lock": 0o600, "instance.json": 0o600}
    instance.release()


def test_a_running_app_is_asked_to_quit_and_the_next_one_is_not(tmp_path: Path) -> None:
    first, second = Instance(tmp_path), Instance(tmp_path)
    assert first.acquire()
    assert not first.is_asked_to_quit()
    second.ask_to_quit()
    assert first.is_asked_to_quit()
    first.release()
    assert second.wait_end(0)
    assert second.acquire()
    assert not second.is_asked_to_quit()
    second.release()


def test_the_wait_for_the_end_is_limited(tmp_path: Path) -> None:
    first = Instance(tmp_path)
    assert first.acquire()
    assert not Instance(tmp_path).wait_end(0)
    first.release()


def test_the_note_says_whether_it_is_a_demo_and_has_an_icon(tmp_path: Path) -> None:
    first = Instance(tmp_path)
    assert first.acquire()
    first.publish(URL, is_demo=True, has_icon=True)
    assert Instance(tmp_path).find_running() == Whereabouts(os.getpid(), URL, is_demo=True, has_icon=True)
    first.release()
