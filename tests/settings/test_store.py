"""The settings file on a real disk: nothing in it is ever lost."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock

from tray_app.errors import SettingsError
from tray_app.settings.parsing import VERSION
from tray_app.settings.settings import NVIDIA_URL, Address, Settings
from tray_app.settings.store import Changes, SettingsStore

GLM, MINIMAX = "z-ai/glm4.7", "minimaxai/minimax-m2.1"
ROOT = Path(__file__).resolve().parents[2]

posix_only = pytest.mark.skipif(sys.platform == "win32", reason="file modes and links of POSIX")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "config" / "settings.json"


@pytest.fixture
def write(path: Path) -> Callable[[Any], None]:
    """Writes the file as an editor does: a value as JSON, text and bytes as they are."""

    def write(content: Any) -> None:
        path.parent.mkdir(exist_ok=True)
        if isinstance(content, dict | list):
            content = json.dumps(content)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())

    return write


def read(path: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return content


def kept_aside(path: Path) -> list[Path]:
    return sorted(path.parent.glob(f"{path.stem}.damaged-*"))


# ---- the first start


def test_the_file_is_made_with_the_defaults(path: Path) -> None:
    store = SettingsStore(path, {})
    assert (store.current, store.problem, store.is_new) == (Settings(), None, True)
    assert read(path) == {
        "version": VERSION,
        "nvidia_url": NVIDIA_URL,
        "addr": "127.0.0.1:3001",
        "model": GLM,
        "background_model": "",
        "models": [],
        "model_order": [],
        "hidden_models": [],
        "aliases": {},
        "fallback_models": [],
        "clients_choose_model": False,
        "manual_mode": False,
        "undo_all_sessions_at_quit": False,
        "follow_successors": True,
        "probe_models": True,
        "upstream_timeout_seconds": 300,
        "requests_per_minute": 40,
        "allowed_origins": [],
        "serve_page": "local",
        "keep_history": True,
        "history_days": 30,
        "log_bodies": False,
        "log_body_max_chars": 4096,
        "log_stream_text_preview_chars": 256,
        "is_new": True,
        "needs_welcome": True,
    }


def test_a_file_stays_new_until_an_app_has_listened(path: Path) -> None:
    SettingsStore(path, {}).update(nvidia_key="nvapi-secret")  # as `set-key` does before the first start
    store = SettingsStore(path, {})
    assert store.is_new
    store.update(is_new=None)
    assert not store.is_new
    assert "is_new" not in read(path)
    assert not SettingsStore(path, {}).is_new


def test_a_file_of_the_user_is_not_new(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("{}", encoding="utf-8")
    assert not SettingsStore(path, {}).is_new


@posix_only
def test_only_the_owner_can_read_the_file(path: Path) -> None:
    store = SettingsStore(path, {})
    assert path.stat().st_mode & 0o777 == 0o600
    path.chmod(0o644)
    store.update(nvidia_key="nvapi-secret")
    assert path.stat().st_mode & 0o777 == 0o600


def test_nothing_but_the_file_and_its_lock_is_left_in_the_folder(path: Path) -> None:
    SettingsStore(path, {}).update(model=MINIMAX)
    assert {file.name for file in path.parent.iterdir()} <= {"settings.json", ".settings.json.lock"}


def test_the_environment_wins_over_the_file_and_is_not_written_into_it(path: Path) -> None:
    store = SettingsStore(path, {"ADDR": ":4000", "LOG_BODY_MAX_CHARS": "10"})
    assert store.current.addr == Address("", 4000)
    assert store.current.log_bodies is True
    store.update(model=MINIMAX)
    assert store.current.addr == Address("", 4000)
    assert (read(path)["addr"], read(path)["log_bodies"]) == ("127.0.0.1:3001", False)


def test_a_change_wins_over_the_environment(path: Path) -> None:
    store = SettingsStore(path, {"LOG_BODY_MAX_CHARS": "10"})
    assert store.update(log_bodies=False).log_bodies is False
    assert store.current.log_body_max_chars == 10


def test_a_wrong_variable_makes_no_store(path: Path) -> None:
    with pytest.raises(SettingsError, match="ADDR"):
        SettingsStore(path, {"ADDR": "nonsense"})
    assert not path.exists()


def test_the_config_of_claude_nvidia_proxy_works_and_keeps_its_keys(path: Path, write: Callable[[Any], None]) -> None:
    original = {"nvidia_url": "http://localhost:8000/v1", "nvidia_key": "nvapi-original", "something_else": {"a": [1]}}
    write(original)
    store = SettingsStore(path, {})
    assert store.problem is None
    assert (store.current.nvidia_url, store.current.nvidia_key) == ("http://localhost:8000/v1", "nvapi-original")
    assert read(path) == original, "reading changes nothing"
    store.update(model=MINIMAX)
    assert read(path) == {"version": VERSION, **original, "model": MINIMAX}


# ---- changes


def test_a_change_is_saved_and_unknown_keys_stay(path: Path, write: Callable[[Any], None]) -> None:
    write({"version": 1, "model": GLM, "my own": "Grüße 🎉", "half": "\ud83d", "list": [None, 1.5]})
    store = SettingsStore(path, {})
    assert store.update(model=MINIMAX, addr=Address("::1", 80)).model == MINIMAX
    assert read(path) == {
        "version": 1,
        "model": MINIMAX,
        "my own": "Grüße 🎉",
        "half": "\ud83d",
        "list": [None, 1.5],
        "addr": "[::1]:80",
    }
    assert SettingsStore(path, {}).current == store.current


def test_a_setting_that_does_not_exist_changes_nothing(path: Path) -> None:
    store = SettingsStore(path, {})
    before = path.read_bytes()
    with pytest.raises(TypeError, match="log_bodys"):
        store.update(log_bodys=True)  # type: ignore[call-arg]
    assert (path.read_bytes(), store.current) == (before, Settings())


def test_every_change_that_the_program_makes_is_of_a_setting_or_a_note() -> None:
    names = {field.name for field in fields(Settings)}
    assert set(Changes.__annotations__) - names == {"needs_server_key", "keys_changed", "is_new", "needs_welcome"}


def test_none_removes_a_setting(path: Path) -> None:
    store = SettingsStore(path, {})
    store.update(nvidia_key="nvapi-secret")
    assert store.update(nvidia_key=None).nvidia_key == ""
    assert "nvidia_key" not in read(path)


def test_an_edit_of_the_file_is_used(path: Path, write: Callable[[Any], None]) -> None:
    store = SettingsStore(path, {"ADDR": ":4000"})
    assert store.refresh() is False
    write({"version": 1, "model": MINIMAX})
    assert store.refresh() is True
    assert (store.current.model, store.current.addr, store.problem) == (MINIMAX, Address("", 4000), None)
    assert store.refresh() is False


def test_a_change_by_the_program_itself_is_not_taken_for_an_edit(path: Path) -> None:
    store = SettingsStore(path, {})
    store.update(model=MINIMAX)
    assert store.refresh() is False


def test_a_change_keeps_an_edit_that_was_not_seen_yet(path: Path, write: Callable[[Any], None]) -> None:
    store = SettingsStore(path, {})
    write({"version": 1, "model": MINIMAX, "upstream_timeout_seconds": 60})
    settings = store.update(log_bodies=True)
    assert (settings.model, settings.upstream_timeout_seconds, settings.log_bodies) == (MINIMAX, 60, True)
    assert read(path)["upstream_timeout_seconds"] == 60


def test_an_edit_with_a_wrong_value_changes_nothing_and_is_named(path: Path, write: Callable[[Any], None]) -> None:
    store = SettingsStore(path, {})
    write({"version": 1, "model": MINIMAX, "log_bodies": "yes"})
    assert store.refresh() is True
    assert store.current == Settings()
    assert store.problem == (
        f"The changed settings file {path} is not used: \"log_bodies\" must be true or false, not 'yes'."
    )
    write({"version": 1, "model": MINIMAX, "log_bodies": True})
    assert store.refresh() is True
    assert store.problem is None
    assert store.current.model == MINIMAX


def test_a_wrong_value_at_the_start_is_named_and_the_rest_is_used(path: Path, write: Callable[[Any], None]) -> None:
    write({"version": 1, "model": MINIMAX, "addr": "nonsense"})
    store = SettingsStore(path, {})
    assert (store.current.model, store.current.addr) == (MINIMAX, Settings().addr)
    assert store.problem == (
        f'Settings file {path}: "addr" must be an address such as "127.0.0.1:3001", not \'nonsense\'.'
    )


def test_a_file_that_goes_away_changes_no_setting(path: Path) -> None:
    store = SettingsStore(path, {})
    store.update(model=MINIMAX)
    path.unlink()
    assert store.refresh() is True
    assert store.current.model == MINIMAX
    assert store.problem == f"The settings file {path} is gone; the settings in use stay until the next change."
    store.update(log_bodies=True)
    assert read(path)["model"] == MINIMAX
    assert store.problem is None


def test_a_folder_that_goes_away_comes_back_with_the_next_change(path: Path) -> None:
    store = SettingsStore(path, {})
    for file in path.parent.iterdir():
        file.unlink()
    path.parent.rmdir()
    assert store.refresh() is True
    store.update(model=MINIMAX)
    assert read(path)["model"] == MINIMAX


@posix_only
def test_a_link_keeps_pointing_where_it_points(path: Path, tmp_path: Path) -> None:
    target = tmp_path / "dotfiles" / "tray.json"
    target.parent.mkdir()
    target.write_text(json.dumps({"version": 1, "model": MINIMAX}), encoding="utf-8")
    path.parent.mkdir()
    path.symlink_to(target)
    store = SettingsStore(path, {})
    store.update(log_bodies=True)
    assert path.is_symlink()
    assert read(target) == {"version": 1, "model": MINIMAX, "log_bodies": True}


# ---- damage

DAMAGED = [b"", b"{", b'{"model": ', b"[]", b"null", b"\xff\xfe\x00", b"[" * 100_000]
DAMAGE_IDS = ["empty", "brace", "half", "list", "null", "no UTF-8", "too deep"]


@pytest.mark.parametrize("content", DAMAGED, ids=DAMAGE_IDS)
def test_a_damaged_file_is_kept_under_another_name_and_reported(
    path: Path, write: Callable[[Any], None], content: bytes
) -> None:
    write(content)
    store = SettingsStore(path, {})
    assert store.current == Settings()
    (kept,) = kept_aside(path)
    assert kept.read_bytes() == content
    assert kept.suffix == ".json"
    assert store.problem is not None
    assert store.problem.startswith("The settings file ")
    assert store.problem.endswith(f". It was kept as {kept.name}; the defaults are in use.")
    assert read(path)["model"] == GLM


def test_the_damaged_line_is_named(path: Path, write: Callable[[Any], None]) -> None:
    write('{\n  "model": "x",\n  oops\n}')
    problem = SettingsStore(path, {}).problem
    assert problem is not None
    where = "line 3, column 3 (a name in double quotes belongs here)"
    assert problem.startswith(f"The settings file is not valid JSON, {where}. It was kept as ")


def test_every_damaged_file_is_kept(path: Path, write: Callable[[Any], None]) -> None:
    for n in range(4):
        write(f"damage {n}")
        SettingsStore(path, {})
    assert sorted(file.read_text() for file in kept_aside(path)) == [f"damage {n}" for n in range(4)]


@pytest.mark.parametrize("content", DAMAGED, ids=DAMAGE_IDS)
def test_a_file_damaged_by_an_edit_changes_no_setting(path: Path, write: Callable[[Any], None], content: bytes) -> None:
    store = SettingsStore(path, {})
    store.update(model=MINIMAX)
    write(content)
    assert store.refresh() is True
    assert store.current.model == MINIMAX
    assert store.problem is not None
    assert store.problem.startswith(f"The changed settings file {path} is not used: it ")
    assert path.read_bytes() == content, "the user may still mend it"


def test_a_change_keeps_a_file_that_an_edit_damaged_and_reports_it(path: Path, write: Callable[[Any], None]) -> None:
    store = SettingsStore(path, {})
    store.update(model=MINIMAX)
    write("damage")
    store.update(log_bodies=True)
    (kept,) = kept_aside(path)
    assert kept.read_text() == "damage"
    assert store.problem == f"The settings file was damaged. It was kept as {kept.name}, and a new file was written."
    assert (read(path)["model"], read(path)["log_bodies"]) == (MINIMAX, True)


@pytest.mark.parametrize("version", [VERSION + 1, 99, "two", 1.5, None])
def test_a_file_of_a_newer_version_is_used_but_never_written(
    path: Path, write: Callable[[Any], None], version: object
) -> None:
    write({"version": version, "model": MINIMAX, "from the future": 1})
    before = path.read_bytes()
    store = SettingsStore(path, {})
    assert store.current.model == MINIMAX
    assert store.problem == (
        f'Settings file {path}: "version" is {version!r}: it was made by a newer version, so changes are not saved.'
    )
    assert store.update(log_bodies=True).log_bodies is True
    assert store.is_saved is False
    assert store.problem == (
        f"The settings file {path} could not be written: it was made by a newer version of this program."
    )
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    ("content", "needs_server_key"),
    [
        ('{"server_api_key": "two"', True),
        ('{"needs_server_key": true', True),
        ('{"server_api_key": "", "needs_server_key": false', None),
        ("{", None),
    ],
    ids=["a key", "a note", "neither", "no trace"],
)
def test_a_server_key_is_still_needed_after_the_file_was_damaged(
    path: Path, write: Callable[[Any], None], content: str, needs_server_key: bool | None
) -> None:
    """It is None, because the keyring may still hold a key and must be asked."""
    write(content)
    assert SettingsStore(path, {}).needs_server_key is needs_server_key
    assert SettingsStore(path, {}).needs_server_key is needs_server_key, "at the next start, too"


def test_a_new_file_needs_no_server_key(path: Path) -> None:
    assert SettingsStore(path, {}).needs_server_key is False


# ---- a file that the user named, in any folder

FOREIGN = [b"", b"alias ll='ls -l'\n", b'{"model": "x", // ours?\n', b"[1, 2]", b"\x7fELF\x00\xff", b"[" * 100_000]
FOREIGN_IDS = ["empty", "shell", "comments", "list", "binary", "too deep"]


@pytest.mark.parametrize("content", FOREIGN, ids=FOREIGN_IDS)
def test_another_programs_file_is_left_as_it_is(path: Path, write: Callable[[Any], None], content: bytes) -> None:
    write(content)
    store = SettingsStore(path, {}, owns_folder=False)
    assert store.current == Settings()
    assert store.problem is not None
    assert store.problem.startswith(f"The settings file {path} ")
    assert store.problem.endswith(
        ". It is left as it is, because it may be another program's: "
        "the defaults are in use, and changes are not saved."
    )
    assert store.update(model=MINIMAX).model == MINIMAX, "it is in force all the same"
    assert store.is_saved is False
    assert store.problem.startswith(f"The settings file {path} could not be written: it ")
    assert store.problem.endswith(", and is left as it is.")
    assert path.read_bytes() == content
    assert not kept_aside(path)


def test_a_damaged_settings_file_of_this_program_is_kept_in_any_folder(
    path: Path, write: Callable[[Any], None]
) -> None:
    write('{"nvidia_url": "https://')
    store = SettingsStore(path, {}, owns_folder=False)
    (kept,) = kept_aside(path)
    assert kept.read_text() == '{"nvidia_url": "https://'
    assert store.update(model=MINIMAX).model == MINIMAX
    assert read(path)["model"] == MINIMAX


@posix_only
def test_a_damaged_file_behind_a_link_is_not_renamed_unless_it_is_ours(path: Path, tmp_path: Path) -> None:
    target = tmp_path / "somewhere" / "notes.txt"
    target.parent.mkdir()
    target.write_text("my notes")
    path.parent.mkdir()
    path.symlink_to(target)
    SettingsStore(path, {}).update(model=MINIMAX)
    assert path.is_symlink()
    assert target.read_text() == "my notes"
    assert {file.name for file in target.parent.iterdir()} == {"notes.txt", ".notes.txt.lock"}


def make_socket(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(path))


OTHER_KINDS = [
    pytest.param(lambda path: path.mkdir(), "a folder", id="folder"),
    pytest.param(lambda path: os.mkfifo(path), "a pipe", id="pipe", marks=posix_only),  # noqa: PLW0108 (POSIX has it)
    pytest.param(lambda path: path.symlink_to("/dev/zero"), "a device", id="device", marks=posix_only),
    pytest.param(make_socket, "a socket", id="socket", marks=posix_only),
]


@pytest.mark.parametrize(("make", "kind"), OTHER_KINDS)
def test_a_pipe_or_device_is_neither_read_nor_replaced(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, make: Callable[[Path], None], kind: str
) -> None:
    path.parent.mkdir()
    monkeypatch.chdir(path.parent)  # the path of a socket must be short
    make(Path(path.name))
    before = path.lstat()
    store = SettingsStore(path, {})
    assert store.current == Settings()
    assert store.problem is not None
    assert store.problem.endswith(f" cannot be used (it is {kind}, not a file); the defaults are in use.")
    assert store.needs_server_key is None, "no key can have been in it, but one may be in the keyring"
    assert store.refresh() is False, "it is said once"
    assert store.update(model=MINIMAX).model == MINIMAX
    assert store.problem.endswith(f" could not be written: it is {kind}, not a file.")
    assert (path.lstat().st_ino, path.lstat().st_mode) == (before.st_ino, before.st_mode)


def test_a_file_that_is_too_large_for_settings_is_left_as_it_is(path: Path, write: Callable[[Any], None]) -> None:
    content = json.dumps({"version": 1, "model": MINIMAX, "my own": "x" * 1_000_000})
    write(content)
    store = SettingsStore(path, {})
    assert store.problem == (
        f"The settings file {path} cannot be used (it has more than 1,000,000 bytes); the defaults are in use."
    )
    store.update(log_bodies=True)
    assert path.read_text() == content
    assert not kept_aside(path)


@posix_only
def test_a_link_to_itself_is_replaced_by_a_new_file(path: Path) -> None:
    path.parent.mkdir()
    path.symlink_to(path)
    assert SettingsStore(path, {}).current == Settings()
    assert read(path)["model"] == GLM


# ---- who may read the file


@posix_only
def test_a_file_with_a_key_that_others_could_read_is_closed_to_them_and_reported_once(
    path: Path, write: Callable[[Any], None]
) -> None:
    write({"version": 1, "nvidia_key": "nvapi-secret"})
    path.chmod(0o644)
    for owns_folder in (True, False):
        path.chmod(0o644)
        store = SettingsStore(path, {}, owns_folder=owns_folder)
        assert store.note == (
            f"Other users could read the settings file {path}, and a key is in it. Now only you can. "
            "If other people use this computer, replace the key by a new one."
        )
        assert store.problem is None
        assert path.stat().st_mode & 0o777 == 0o600
        assert SettingsStore(path, {}).note is None


@posix_only
def test_a_file_with_a_key_that_an_edit_opened_to_others_is_closed_to_them(
    path: Path, write: Callable[[Any], None]
) -> None:
    store = SettingsStore(path, {})
    write({"version": 1, "nvidia_key": "nvapi-secret"})
    path.chmod(0o664)
    assert store.refresh() is True
    assert path.stat().st_mode & 0o777 == 0o600


@posix_only
def test_a_file_without_a_key_is_closed_only_in_our_own_folder_and_without_a_report(
    path: Path, write: Callable[[Any], None]
) -> None:
    write({"version": 1})
    path.parent.chmod(0o755)
    path.chmod(0o644)
    assert SettingsStore(path, {}, owns_folder=False).note is None
    assert (path.stat().st_mode & 0o777, path.parent.stat().st_mode & 0o777) == (0o644, 0o755)
    damaged = path.with_name("settings.damaged-20261101-100000.json")
    damaged.touch(0o644)
    assert SettingsStore(path, {}).note is None
    assert (path.stat().st_mode & 0o777, path.parent.stat().st_mode & 0o777) == (0o600, 0o700)
    assert damaged.stat().st_mode & 0o777 == 0o600


@posix_only
def test_only_the_owner_can_read_new_files_whatever_the_umask(path: Path, tmp_path: Path) -> None:
    path = tmp_path / "a" / "b" / "settings.json"
    before = os.umask(0)
    try:
        SettingsStore(path, {}).update(model=MINIMAX)
    finally:
        os.umask(before)
    assert [(tmp_path / name).stat().st_mode & 0o777 for name in ("a", "a/b")] == [0o700, 0o700]
    assert {file.stat().st_mode & 0o777 for file in path.parent.iterdir()} == {0o600}


# ---- files that cannot be read or written


def test_a_folder_in_place_of_the_file_is_reported_and_changes_stay_in_force(path: Path) -> None:
    path.mkdir(parents=True)
    store = SettingsStore(path, {})
    assert store.current == Settings()
    assert store.problem is not None
    assert store.problem.startswith(f"The settings file {path} cannot be used (")
    store.update(model=MINIMAX)
    settings = store.update(log_bodies=True)
    assert (settings.model, settings.log_bodies) == (MINIMAX, True), "one change does not undo another"
    assert store.is_saved is False
    assert store.problem.startswith(f"The settings file {path} could not be written: ")
    assert path.is_dir()


def test_a_file_in_place_of_the_folder_is_reported(path: Path) -> None:
    path.parent.write_text("in the way")
    store = SettingsStore(path, {})
    assert store.current == Settings()
    assert store.problem is not None
    assert store.problem.startswith(f"The settings file {path} cannot be used (")
    assert store.update(model=MINIMAX).model == MINIMAX
    assert path.parent.read_text() == "in the way"


def test_a_folder_that_turns_into_a_file_is_reported(path: Path) -> None:
    store = SettingsStore(path, {})
    for file in path.parent.iterdir():
        file.unlink()
    path.parent.rmdir()
    path.parent.write_text("in the way")
    assert store.refresh() is True
    assert store.problem is not None
    assert store.current == Settings()


def test_a_folder_that_takes_the_place_of_the_file_is_reported(path: Path) -> None:
    store = SettingsStore(path, {})
    path.unlink()
    path.mkdir()
    assert store.refresh() is True
    assert store.problem is not None
    assert store.problem.startswith(f"The changed settings file {path} is not used: it cannot be read (")


def test_a_write_that_fails_half_way_leaves_the_old_file_whole(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = SettingsStore(path, {})
    before = path.read_bytes()

    def fail(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", fail)
        assert store.update(model=MINIMAX).model == MINIMAX, "it is in force all the same"
    assert store.problem == f"The settings file {path} could not be written: No space left on device."
    assert path.read_bytes() == before
    assert {file.name for file in path.parent.iterdir()} <= {"settings.json", ".settings.json.lock"}
    store.update(log_bodies=True)
    assert store.problem is None
    assert read(path)["log_bodies"] is True


def test_a_lock_that_is_never_freed_is_reported(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = SettingsStore(path, {})
    monkeypatch.setattr("tray_app.settings.store._LOCK_WAIT_S", 0)
    with FileLock(path.with_name(".settings.json.lock")):
        assert store.update(model=MINIMAX).model == MINIMAX
    assert store.problem == f"The settings file {path} could not be written: another program holds it."


# ---- two processes

WRITER = """
import sys
from pathlib import Path
from tray_app.settings.store import SettingsStore
sys.stdin.read()
path, name = Path(sys.argv[1]), sys.argv[2]
for n in range(1, 21):
    store = SettingsStore(path, {})
    assert n == 1 or getattr(store.current, name) == n - 1, "the other writer has undone a change"
    store.update(**{name: n})
"""


@pytest.mark.parametrize("exists", [True, False], ids=["an old file", "a new file"])
def test_two_processes_that_write_at_once_lose_nothing(path: Path, exists: bool) -> None:
    if exists:
        SettingsStore(path, {})
    names = ("upstream_timeout_seconds", "requests_per_minute")
    writers = [
        subprocess.Popen([sys.executable, "-c", WRITER, path, name], stdin=subprocess.PIPE, cwd=ROOT) for name in names
    ]
    for writer in writers:  # both are ready, then both may begin
        assert writer.stdin is not None
        writer.stdin.close()
    assert [writer.wait(30) for writer in writers] == [0, 0]
    assert [read(path)[name] for name in names] == [20, 20]
    assert not kept_aside(path)


# ---- changes as a page asks for them: values as the file has them


def test_checked_changes_are_saved_and_everything_else_in_the_file_stays(
    path: Path, write: Callable[[Any], None]
) -> None:
    write({"requests_per_minute": 20, "something_else": [1], "aliases": {"fast": GLM}})
    store = SettingsStore(path, {})
    changes = {"requests_per_minute": 30, "addr": " 127.0.0.1:4000 ", "allowed_origins": ["HTTP://localhost:80"]}
    assert store.change(changes) == {}
    assert (store.current.requests_per_minute, store.current.addr.port) == (30, 4000)
    assert read(path) == {
        "version": VERSION,
        "requests_per_minute": 30,
        "something_else": [1],
        "aliases": {"fast": GLM},
        "addr": "127.0.0.1:4000",
        "allowed_origins": ["http://localhost"],
    }
    assert store.change({"requests_per_minute": None}) == {}
    assert store.current.requests_per_minute == Settings().requests_per_minute


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("requests_per_minute", -1),
        ("requests_per_minute", "many"),
        ("addr", "nowhere"),
        ("model", "no model"),
        ("models", [{"id": "a b"}]),
        ("aliases", {"fast": "no model"}),
        ("fallback_models", ["no model"]),
        ("nvidia_key", "nvapi-secret"),
        ("version", 7),
    ],
)
def test_one_wrong_change_has_a_sentence_and_nothing_is_changed(path: Path, name: str, value: object) -> None:
    store = SettingsStore(path, {})
    before = read(path)
    errors = store.change({"history_days": 10, name: value})
    assert errors.keys() == {name}
    assert errors[name].endswith(".")
    assert f'"{name}"' in errors[name]
    assert store.check({name: value}) == errors
    assert (read(path), store.current) == (before, Settings())


def test_a_model_that_an_alias_stands_for_cannot_be_taken_away(path: Path, write: Callable[[Any], None]) -> None:
    write({"models": [{"id": "acme/own"}], "aliases": {"fast": "acme/own"}})
    assert "acme/own" in SettingsStore(path, {}).change({"models": []})["models"]


def test_a_setting_of_the_environment_cannot_be_changed_and_its_variable_is_named(path: Path) -> None:
    store = SettingsStore(path, {"LOG_BODY_MAX_CHARS": "10"})
    assert store.variables == {"log_body_max_chars": "LOG_BODY_MAX_CHARS", "log_bodies": "LOG_BODY_MAX_CHARS"}
    assert "LOG_BODY_MAX_CHARS" in store.change({"log_bodies": False})["log_bodies"]
    store.update(log_bodies=False)  # as a click in the menu does
    assert store.change({"log_bodies": True}) == {}
