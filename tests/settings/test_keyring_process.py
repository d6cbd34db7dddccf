"""The keyring is read in another process, which gives the same answers."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.keyrings import FileKeyring
from tray_app import APP_ID
from tray_app.settings import keyring_process
from tray_app.settings.keyring_process import read_secrets_apart
from tray_app.settings.keys import NVIDIA_KEY, SERVER_KEY, KeyReader, Keys
from tray_app.settings.store import SettingsStore
from tray_app.settings.system_keyring import KeyringFailed
from tray_app.shells import KEYRING_OPTION, find_program

pytestmark = pytest.mark.usefixtures("_own_keyring")

NAMES = [NVIDIA_KEY.name, SERVER_KEY.name]
IN_A_FILE = "tests.support.keyrings.FileKeyring"


@pytest.fixture
def environ(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """The environment of a user whose keyring holds an NVIDIA key. This process has loaded no keyring."""
    monkeypatch.setenv("TEST_KEYRING", str(tmp_path / "keyring"))
    FileKeyring().set_password(APP_ID, NVIDIA_KEY.name, "nvapi-kept")
    monkeypatch.delitem(sys.modules, "keyring")
    return {**os.environ, "PYTHON_KEYRING_BACKEND": IN_A_FILE}


def test_another_process_reads_the_keyring(environ: dict[str, str]) -> None:
    assert read_secrets_apart(NAMES, environ) == {NVIDIA_KEY.name: "nvapi-kept"}
    assert "keyring" not in sys.modules


def test_what_failed_there_is_named_here(environ: dict[str, str]) -> None:
    with pytest.raises(KeyringFailed, match="ModuleNotFoundError"):
        read_secrets_apart(NAMES, {**environ, "PYTHON_KEYRING_BACKEND": "there.is.none"})


@pytest.mark.parametrize("command", [["/nonexistent/program"], [sys.executable, "-c", "print('no answer')"]])
def test_if_the_process_cannot_be_used_this_one_reads_the_keyring(
    environ: dict[str, str], command: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keyring_process, "find_program", lambda: command)
    monkeypatch.setattr(keyring_process, "read_secrets", lambda names: {names[1]: "of this process"})
    assert read_secrets_apart(NAMES, environ) == {SERVER_KEY.name: "of this process"}


def test_a_reader_gets_the_keys_from_there_and_tells_no_key(environ: dict[str, str], tmp_path: Path) -> None:
    store = SettingsStore(tmp_path / "settings.json", {})
    reader = KeyReader(store, {**environ, "SERVER_API_KEY": "key of the server"}, reads_apart=True)
    assert reader.read() == Keys("nvapi-kept", "key of the server")


@pytest.mark.skipif(sys.platform == "win32", reason="file modes, links and pipes of POSIX")
def test_the_process_ends_with_the_app_even_while_the_keyring_waits(environ: dict[str, str], tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "keyring.lock")
    with subprocess.Popen(
        [*find_program(), KEYRING_OPTION, *NAMES], env=environ, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdin is not None
        process.stdin.close()
        assert process.wait(30) == 1
