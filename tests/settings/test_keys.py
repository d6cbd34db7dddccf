"""The two keys are read from and saved in the environment, a keyring and the settings file."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import TypeVar

import keyring
import keyring.backend
import keyring.errors
import pytest

from tests.support.keyrings import BrokenKeyring, FailingKeyring, ForgetfulKeyring, LockedKeyring, MemoryKeyring
from tests.support.parts import need
from tray_app import APP_ID
from tray_app.errors import SettingsError
from tray_app.settings.keys import (
    KEYRING_TIMEOUT_S,
    NVIDIA_KEY,
    SERVER_KEY,
    KeyReader,
    Keys,
    read_keys,
    remove_key,
    save_key,
)
from tray_app.settings.store import SettingsStore

pytestmark = pytest.mark.usefixtures("_own_keyring")

ROOT = Path(__file__).resolve().parents[2]

BackendT = TypeVar("BackendT", bound=MemoryKeyring)


@pytest.fixture
def store(tmp_path: Path) -> SettingsStore:
    return SettingsStore(tmp_path / "settings.json", {})


def use(backend: BackendT) -> BackendT:
    keyring.set_keyring(backend)
    return backend


def test_there_is_no_key_at_first(store: SettingsStore) -> None:
    assert read_keys(store, {}) == Keys()


def test_a_key_goes_into_the_keyring_and_not_into_the_file(store: SettingsStore) -> None:
    backend = use(MemoryKeyring())
    assert save_key(NVIDIA_KEY, "nvapi-one", store) == "the system keyring"
    assert save_key(SERVER_KEY, "two", store) == "the system keyring"
    assert backend.passwords == {(APP_ID, "nvidia-api-key"): "nvapi-one", (APP_ID, "server-api-key"): "two"}
    assert read_keys(store, {}) == Keys(nvidia="nvapi-one", server="two")
    assert "nvapi-one" not in store.path.read_text()


def test_a_running_app_notices_a_new_key_in_the_keyring(store: SettingsStore) -> None:
    use(MemoryKeyring())
    running = SettingsStore(store.path, {})
    save_key(NVIDIA_KEY, "nvapi-one", store)
    assert running.refresh() is True


@pytest.mark.parametrize("backend", [None, ForgetfulKeyring, BrokenKeyring])
def test_without_a_usable_keyring_a_key_goes_into_the_file(
    store: SettingsStore, backend: type[MemoryKeyring] | None
) -> None:
    if backend:
        use(backend())
    assert save_key(NVIDIA_KEY, "nvapi-one", store) == f"{store.path} (this system has no usable keyring)"
    assert read_keys(store, {}) == Keys(nvidia="nvapi-one")
    if sys.platform != "win32":
        assert store.path.stat().st_mode & 0o777 == 0o600


def test_if_a_keyring_appears_later_a_new_key_goes_there_and_leaves_the_file(store: SettingsStore) -> None:
    save_key(NVIDIA_KEY, "nvapi-one", store)
    use(MemoryKeyring())
    save_key(NVIDIA_KEY, "nvapi-two", store)
    assert "nvapi" not in store.path.read_text()
    assert read_keys(store, {}).nvidia == "nvapi-two"


def test_the_environment_wins_over_the_keyring_and_the_keyring_over_the_file(store: SettingsStore) -> None:
    store.update(nvidia_key="of the file", server_api_key="of the file")
    assert read_keys(store, {}) == Keys("of the file", "of the file")
    backend = use(MemoryKeyring())
    backend.set_password(APP_ID, NVIDIA_KEY.name, "of the keyring")
    assert read_keys(store, {}) == Keys("of the keyring", "of the file")
    environ = {"NVIDIA_API_KEY": "second", "SERVER_API_KEY": " of the environment "}
    assert read_keys(store, environ) == Keys("second", "of the environment")
    assert read_keys(store, {**environ, "PROVIDER_API_KEY": "first"}).nvidia == "first"
    assert read_keys(store, {"PROVIDER_API_KEY": " "}).nvidia == "of the keyring"


@pytest.mark.parametrize("has_keyring", [True, False], ids=["keyring", "file"])
def test_a_key_is_removed(store: SettingsStore, has_keyring: bool) -> None:
    if has_keyring:
        use(MemoryKeyring())
    save_key(NVIDIA_KEY, "nvapi-one", store)
    save_key(SERVER_KEY, "two", store)
    remove_key(NVIDIA_KEY, store)
    assert read_keys(store, {}) == Keys(server="two")
    assert "nvapi-one" not in store.path.read_text()
    remove_key(NVIDIA_KEY, store)


def test_a_locked_keyring_is_waited_for_no_longer_than_its_limit(
    store: SettingsStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert KEYRING_TIMEOUT_S == 3
    monkeypatch.setattr("tray_app.settings.keys.KEYRING_TIMEOUT_S", 0.2)
    backend = use(LockedKeyring())
    store.update(nvidia_key="of the file", server_api_key="of the file")
    assert read_keys(store, {"SERVER_API_KEY": "of the environment"}) == Keys("of the file", "of the environment")
    backend.unlocked.set()


def test_a_key_that_could_not_be_saved_is_reported(tmp_path: Path) -> None:
    path = tmp_path / "settings.json"
    path.mkdir()
    store = SettingsStore(path, {})
    with pytest.raises(SettingsError) as caught:
        save_key(NVIDIA_KEY, "nvapi-one", store)
    assert str(caught.value).startswith(
        f"The key is not saved: this system has no usable keyring. The settings file {path} could not be written: "
    )


def test_a_key_that_could_not_be_removed_from_the_file_is_reported(tmp_path: Path) -> None:
    path = tmp_path / "settings.json"
    path.write_text('{"version": 2, "nvidia_key": "nvapi-one"}')
    with pytest.raises(SettingsError, match=r"^The key is not removed\. The settings file .* could not be written: "):
        remove_key(NVIDIA_KEY, SettingsStore(path, {}))
    assert "nvapi-one" in path.read_text()


def test_keys_do_not_show_in_a_repr() -> None:
    assert repr(Keys("nvapi-one", "two")) == "Keys()"


# ---- a silent keyring


class Clock:
    """A clock that stands still until a test moves it."""

    def __init__(self) -> None:
        self.now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def reader(store: SettingsStore, clock: Clock) -> KeyReader:
    return KeyReader(store, {}, clock)


@pytest.fixture
def locked(monkeypatch: pytest.MonkeyPatch) -> Iterator[LockedKeyring]:
    """A keyring that hangs, with a short limit for the wait."""
    monkeypatch.setattr("tray_app.settings.keys.KEYRING_TIMEOUT_S", 0.01)
    backend = LockedKeyring()
    yield backend
    backend.unlocked.set()


SILENT = [
    pytest.param(keyring.errors.KeyringLocked("the prompt was dismissed"), "is locked", id="locked"),
    pytest.param(keyring.errors.InitError("no collection"), "could not be opened", id="not opened"),
    pytest.param(keyring.errors.KeyringError("-25308"), "failed (KeyringError)", id="macOS"),
    pytest.param(OSError(1312, "no such logon session"), "failed (OSError)", id="Windows"),
    pytest.param(RuntimeError("D-Bus"), "failed (RuntimeError)", id="D-Bus"),
]


@pytest.mark.parametrize(("error", "reason"), SILENT)
def test_while_the_keyring_is_silent_a_server_key_in_it_refuses_every_request(
    store: SettingsStore, reader: KeyReader, error: Exception, reason: str
) -> None:
    use(MemoryKeyring())
    save_key(SERVER_KEY, "two", store)
    use(FailingKeyring(error))
    assert reader.read() == Keys(is_nvidia_unknown=True, is_server_unknown=True)
    assert reader.keys.is_guarded
    assert reader.silence is not None
    assert reader.silence.reason == reason


def test_a_keyring_that_hangs_is_silent(store: SettingsStore, reader: KeyReader, locked: LockedKeyring) -> None:
    use(MemoryKeyring())
    save_key(SERVER_KEY, "two", store)
    use(locked)
    assert reader.read() == Keys(is_nvidia_unknown=True, is_server_unknown=True)
    assert reader.silence is not None
    assert reader.silence.reason == "does not answer"


def test_no_request_is_refused_if_no_server_key_was_ever_set(store: SettingsStore, reader: KeyReader) -> None:
    use(BrokenKeyring())
    assert reader.read() == Keys(is_nvidia_unknown=True)
    assert not reader.keys.is_guarded


def test_no_request_is_refused_if_only_an_nvidia_key_was_set(store: SettingsStore, reader: KeyReader) -> None:
    use(MemoryKeyring())
    save_key(NVIDIA_KEY, "nvapi-one", store)
    use(BrokenKeyring())
    assert reader.read() == Keys(is_nvidia_unknown=True)


def test_no_request_is_refused_after_the_server_key_was_removed(store: SettingsStore, reader: KeyReader) -> None:
    use(MemoryKeyring())
    save_key(SERVER_KEY, "two", store)
    remove_key(SERVER_KEY, store)
    use(BrokenKeyring())
    assert not reader.read().is_guarded


def test_after_an_earlier_version_set_keys_a_silent_keyring_may_hold_a_server_key(
    store: SettingsStore, reader: KeyReader
) -> None:
    store.update(keys_changed="2026-11-01T10:00:00+00:00")
    use(BrokenKeyring())
    assert reader.read().is_server_unknown
    use(MemoryKeyring())
    assert reader.read() == Keys()


def test_a_system_without_a_keyring_has_no_key_in_it(store: SettingsStore, reader: KeyReader) -> None:
    store.update(keys_changed="2026-11-01T10:00:00+00:00")
    assert reader.read() == Keys()


def test_a_server_key_that_was_set_but_is_not_found_refuses_every_request(
    store: SettingsStore, reader: KeyReader
) -> None:
    """The session may have no keyring, or another one than that in which the key was saved."""
    use(MemoryKeyring())
    save_key(SERVER_KEY, "two", store)
    use(MemoryKeyring())
    assert reader.read() == Keys(is_server_unknown=True)
    assert reader.silence is None
    assert KeyReader(store, {"SERVER_API_KEY": "three"}).read() == Keys(server="three")


def test_known_keys_stay_in_force_while_the_keyring_is_silent(
    store: SettingsStore, reader: KeyReader, clock: Clock
) -> None:
    working = use(MemoryKeyring())
    save_key(NVIDIA_KEY, "nvapi-one", store)
    save_key(SERVER_KEY, "two", store)
    known = reader.read()
    assert known == Keys("nvapi-one", "two")
    assert not reader.is_due()
    use(BrokenKeyring())
    assert reader.read() == known
    clock.now_s += 60
    assert reader.is_due(), "they may have been replaced meanwhile"
    use(working)
    working.set_password(APP_ID, SERVER_KEY.name, "three")
    assert reader.read() == Keys("nvapi-one", "three")


def test_a_key_in_the_file_or_the_environment_needs_no_keyring(
    store: SettingsStore, clock: Clock, locked: LockedKeyring
) -> None:
    store.update(nvidia_key="of the file")
    use(locked)
    reader = KeyReader(store, {"SERVER_API_KEY": "of the environment"}, clock)
    assert reader.read() == Keys("of the file", "of the environment")
    clock.now_s += 10_000
    assert not reader.is_due()
    asked = locked.asked
    assert KeyReader(store, {"SERVER_API_KEY": "two", "NVIDIA_API_KEY": "one"}).read() == Keys("one", "two")
    assert locked.asked == asked


def test_a_keyring_that_fails_is_asked_again_after_pauses_that_grow(reader: KeyReader, clock: Clock) -> None:
    backend = use(FailingKeyring(keyring.errors.KeyringLocked()))
    pauses = []
    for _ in range(7):
        begin_s = clock.now_s
        reader.read()
        while not reader.is_due():
            clock.now_s += 1
        pauses.append(clock.now_s - begin_s)
    assert pauses == [60, 120, 240, 480, 960, 960, 960]
    backend.error = None
    backend.set_password(APP_ID, NVIDIA_KEY.name, "nvapi-one")
    assert reader.read() == Keys("nvapi-one")
    clock.now_s += 10_000
    assert not reader.is_due()


def test_a_keyring_that_hangs_is_not_asked_twice_and_its_late_answer_is_noticed(
    reader: KeyReader, clock: Clock, locked: LockedKeyring
) -> None:
    use(locked)
    locked.set_password(APP_ID, NVIDIA_KEY.name, "nvapi-one")
    assert reader.read().is_nvidia_unknown
    clock.now_s += 10_000
    assert not reader.is_due()
    assert reader.read().is_nvidia_unknown, "as when a setting changes meanwhile"
    assert locked.asked == 1, "one prompt for the user, not many"
    locked.unlocked.set()
    while not reader.is_due():
        pass
    assert reader.read() == Keys("nvapi-one")


def test_after_the_user_dismissed_a_prompt_it_comes_back_only_after_a_pause(
    reader: KeyReader, clock: Clock, locked: LockedKeyring
) -> None:
    use(locked)
    reader.read()
    locked.is_dismissed = True
    locked.unlocked.set()
    for thread in threading.enumerate():
        if thread.name == "keyring":
            thread.join()
    assert not reader.is_due()
    clock.now_s += 60
    assert reader.is_due()


def test_a_click_asks_a_hanging_keyring_again(reader: KeyReader, locked: LockedKeyring) -> None:
    use(locked)
    reader.read()
    reader.read_again()
    reader.read()
    assert locked.asked == 2


def test_a_keyring_that_comes_after_the_start_is_found(
    store: SettingsStore, reader: KeyReader, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The keyring library never forgets that it found no keyring."""
    assert reader.read() == Keys()
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "tests.support.keyrings.MemoryKeyring")
    reader.read()
    assert isinstance(keyring.get_keyring(), MemoryKeyring)


def test_a_key_that_could_not_be_removed_from_a_silent_keyring_is_reported(store: SettingsStore) -> None:
    use(MemoryKeyring())
    save_key(SERVER_KEY, "two", store)
    use(FailingKeyring(keyring.errors.KeyringLocked()))
    with pytest.raises(SettingsError) as caught:
        remove_key(SERVER_KEY, store)
    assert str(caught.value) == "The key is not removed: the system keyring is locked. Unlock it and try again."
    assert store.needs_server_key is True


def test_reading_writes_nothing(store: SettingsStore) -> None:
    backend = use(MemoryKeyring())
    backend.set_password(APP_ID, SERVER_KEY.name, "set by an earlier version")
    before = store.path.read_bytes()
    assert read_keys(store, {}) == Keys(server="set by an earlier version")
    assert store.path.read_bytes() == before


# ---- a real keyring


@pytest.mark.desktop
def test_a_key_is_kept_in_gnomes_keyring(tmp_path: Path) -> None:
    """The real daemon runs on a bus of its own. One process writes the key, and another one reads it."""
    need("dbus-run-session", "gnome-keyring-daemon")
    for name in ("runtime", "home"):
        (tmp_path / name).mkdir(mode=0o700)
    script = """
        printf 'a password' | gnome-keyring-daemon --unlock --components=secrets >/dev/null
        printf 'nvapi-of-the-test\\n' | "$0" -m tray_app set-key
        "$0" -c 'import keyring; print(keyring.get_password("claude-nvidia-tray", "nvidia-api-key"))'
        "$0" -m tray_app set-key --remove
        "$0" -c 'import keyring; print(keyring.get_password("claude-nvidia-tray", "nvidia-api-key"))'
    """
    environment = {
        "PATH": os.environ["PATH"],
        "UPSTREAM_URL": os.environ["UPSTREAM_URL"],
        "HOME": str(tmp_path / "home"),
        "XDG_RUNTIME_DIR": str(tmp_path / "runtime"),
        "CLAUDE_NVIDIA_TRAY_HOME": str(tmp_path / "app"),
        "PYTHON_KEYRING_BACKEND": "keyring.backends.SecretService.Keyring",
    }
    done = subprocess.run(
        ["dbus-run-session", "--", "sh", "-c", script, sys.executable],
        env=environment,
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.stdout.splitlines() == [
        "Checking the key with NVIDIA …",
        "The NVIDIA API key is kept in the system keyring. A running app uses it from now on.",
        "nvapi-of-the-test",
        "The NVIDIA API key is removed.",
        "None",
    ], done.stderr
    assert "nvapi-of-the-test" not in (tmp_path / "app" / "settings.json").read_text()
