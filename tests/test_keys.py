"""Where the two keys come from and go to: the environment, a keyring, the settings file."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import keyring
import keyring.backend
import keyring.errors
import pytest

from tests.parts import need
from tray_app import APP_ID
from tray_app.errors import SettingsError
from tray_app.keys import KEYRING_PATIENCE_S, NVIDIA_KEY, SERVER_KEY, Keys, read_keys, remove_key, save_key
from tray_app.settings_store import SettingsStore

ROOT = Path(__file__).resolve().parents[1]


class MemoryKeyring(keyring.backend.KeyringBackend):
    """Keeps passwords for as long as a test runs."""

    priority = 1

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.passwords: dict[tuple[str, str], str] = {}

    def get_password(self, service: str, username: str) -> str | None:
        return self.passwords.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        self.passwords[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        if (service, username) not in self.passwords:
            raise keyring.errors.PasswordDeleteError
        del self.passwords[service, username]


class ForgetfulKeyring(MemoryKeyring):
    """Takes what it is given, and does not keep it: some systems' backends are like that."""

    def set_password(self, service: str, username: str, password: str) -> None:
        pass


class LockedKeyring(MemoryKeyring):
    """Waits for somebody to type a password, for as long as the test lets it."""

    def __init__(self) -> None:
        super().__init__()
        self.unlocked = threading.Event()

    def get_password(self, service: str, username: str) -> str | None:
        self.unlocked.wait()
        return super().get_password(service, username)


class BrokenKeyring(MemoryKeyring):
    def get_password(self, service: str, username: str) -> str | None:
        raise RuntimeError("D-Bus is not what it was")


@pytest.fixture
def store(tmp_path: Path) -> SettingsStore:
    return SettingsStore(tmp_path / "settings.json", {})


@pytest.fixture(autouse=True)
def _give_back() -> Iterator[None]:
    before = keyring.get_keyring()
    yield
    keyring.set_keyring(before)


def use(backend: MemoryKeyring) -> MemoryKeyring:
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


def test_a_running_app_learns_of_a_key_in_the_keyring(store: SettingsStore) -> None:
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


def test_a_keyring_that_comes_later_takes_the_key_out_of_the_file(store: SettingsStore) -> None:
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
def test_a_key_is_forgotten(store: SettingsStore, has_keyring: bool) -> None:
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
    assert KEYRING_PATIENCE_S == 3
    monkeypatch.setattr("tray_app.keys.KEYRING_PATIENCE_S", 0.2)
    backend = use(LockedKeyring())
    assert isinstance(backend, LockedKeyring)
    store.update(nvidia_key="of the file", server_api_key="of the file")
    assert read_keys(store, {"SERVER_API_KEY": "of the environment"}) == Keys("of the file", "of the environment")
    backend.unlocked.set()


def test_a_key_that_nothing_takes_is_not_said_to_be_kept(tmp_path: Path) -> None:
    path = tmp_path / "settings.json"
    path.mkdir()
    store = SettingsStore(path, {})
    with pytest.raises(SettingsError) as caught:
        save_key(NVIDIA_KEY, "nvapi-one", store)
    assert str(caught.value).startswith(
        f"The key is not kept: this system has no usable keyring. The settings file {path} could not be written: "
    )


def test_a_key_that_stays_in_the_file_is_not_said_to_be_forgotten(tmp_path: Path) -> None:
    path = tmp_path / "settings.json"
    path.write_text('{"version": 2, "nvidia_key": "nvapi-one"}')
    with pytest.raises(SettingsError, match=r"^The key is not forgotten\. The settings file .* could not be written: "):
        remove_key(NVIDIA_KEY, SettingsStore(path, {}))
    assert "nvapi-one" in path.read_text()


def test_keys_do_not_show_in_a_repr() -> None:
    assert repr(Keys("nvapi-one", "two")) == "Keys()"


# ---- a real keyring


@pytest.mark.desktop
def test_a_key_is_kept_in_gnomes_keyring(tmp_path: Path) -> None:
    """The real daemon on a bus of its own; the key is written and read by two processes."""
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
        "The NVIDIA API key is kept in the system keyring. A running app uses it from now on.",
        "nvapi-of-the-test",
        "The NVIDIA API key is forgotten.",
        "None",
    ], done.stderr
    assert "nvapi-of-the-test" not in (tmp_path / "app" / "settings.json").read_text()
