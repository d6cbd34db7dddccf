"""The installer as a user meets it: silent, over a running app, and away again; under Wine."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.bundle.windows_build import (
    CONSOLE,
    INSTALLER,
    LARGE_PROMPT,
    PYTHON,
    WINDOWED,
    Windows,
    answers,
    open_windows,
)
from tests.support.fake_upstream import FakeUpstream, hello
from tests.support.gateway import NVIDIA_KEY, Client, question
from tests.support.ports import free_port
from tests.support.waiting import wait_for
from tray_app import APP_ID, APP_NAME, __version__
from tray_app.catalog import GLM_4_7
from tray_app.claude_code.all_sessions import switch_on
from tray_app.claude_code.claude_settings import Setup
from tray_app.claude_code.journal_file import find_journal

MINE = b'{"model": "opus"}'
INSTALL_S, START_S, QUIT_S = 120, 60, 30
NO_FOLDER, STILL_RUNS = 2, 3
UNINSTALL_KEY = rf"HKCU\Software\Microsoft\Windows\CurrentVersion\Uninstall\{APP_ID}"
RUN_KEY = r"HKCU\Software\Microsoft\Windows\CurrentVersion\Run"

HOLD_FILE = """
import ctypes, sys
GENERIC_READ, FILE_SHARE_READ, OPEN_EXISTING = 0x80000000, 1, 3
ctypes.WinDLL("kernel32").CreateFileW(sys.argv[1], GENERIC_READ, FILE_SHARE_READ, None, OPEN_EXISTING, 0, None)
print("held", flush=True)
sys.stdin.readline()
"""


class Installed:
    """A Windows in which the installer runs."""

    def __init__(self, windows: Windows, upstream: FakeUpstream) -> None:
        self.windows = windows
        self.prefix = windows.prefix
        self.upstream = upstream
        self.folder = windows.prefix.local_app_data / "Programs" / APP_NAME
        self.menu = windows.prefix.user_folder / "AppData/Roaming/Microsoft/Windows/Start Menu/Programs" / APP_NAME
        self.port = free_port()
        self._started: list[subprocess.Popen[bytes]] = []

    def install(self, *options: str) -> int:
        """The exit code of a silent installation. What it starts finds port and upstream in its environment."""
        own = {"ADDR": f"127.0.0.1:{self.port}", "UPSTREAM_URL": self.upstream.url}
        settings = {**self.prefix.environment, **own}
        return replace(self.prefix, environment=settings).run(INSTALLER, "/S", *options, timeout_s=INSTALL_S).code

    def uninstall(self) -> None:
        """As Windows' own list of apps does it; waits for the copy of itself in which an uninstaller goes on."""
        self._run_line(self.read_registry(UNINSTALL_KEY, "QuietUninstallString"))
        wait_for(lambda: not (self.folder / "uninstall.exe").exists(), "the end of the uninstaller", INSTALL_S)

    def uninstall_in_place(self) -> int:
        """The exit code of the uninstaller itself, which then cannot remove its own file."""
        command = self.read_registry(UNINSTALL_KEY, "QuietUninstallString")
        return self._run_line(f"{command} _?={self.prefix.to_windows(self.folder)}")

    def _run_line(self, line: str) -> int:
        """Runs a command line as it stands: from single words, Wine would make one with other quotes."""
        script = self.prefix.drive_c / "line.bat"
        script.write_text(f"@{line}\r\n@exit /b %errorlevel%\r\n")
        return self.prefix.run("cmd", "/d", "/c", script, timeout_s=INSTALL_S).code

    def read_registry(self, key: str, name: str) -> str:
        """The data of a value; nothing if there is none."""
        finished = self.prefix.run("reg", "query", key, "/v", name)
        lines = [line.split(None, 2) for line in finished.output.splitlines() if line.strip().startswith(name)]
        return lines[0][2] if finished.code == 0 and lines else ""

    def list_files(self) -> set[str]:
        return {path.relative_to(self.folder).as_posix() for path in self.folder.rglob("*") if path.is_file()}

    def start(self, program: Path, **more: str) -> subprocess.Popen[bytes]:
        """Starts the app, or what leads to it, by a double click; `more`: environment variables."""
        self._started.append(self.windows.start_app(program, self.port, self.upstream, **more))
        wait_for(lambda: answers(self.port), "an answer over HTTP", START_S)
        self.windows.desktop.wait_icon()
        return self._started[-1]

    def count_quits(self) -> int:
        """How often the app has ended by itself; Wine gives no other exit code to one that was ended by force."""
        return sum(line.endswith(" quit") for line in self.windows.read_log().splitlines())

    def close(self) -> None:
        self.prefix.run("taskkill", "/F", "/IM", WINDOWED)
        for process in self._started:
            process.wait(QUIT_S)


@pytest.fixture(scope="module")
def windows() -> Iterator[Windows]:
    with open_windows("installer") as windows:
        yield windows


@pytest.fixture
def installed(windows: Windows, upstream: FakeUpstream) -> Iterator[Installed]:
    """The program, freshly installed and not running; away again after the test."""
    installed = Installed(windows, upstream)
    assert installed.install() == 0
    yield installed
    installed.close()
    if installed.folder.exists():
        installed.uninstall()


def test_an_installation_is_in_the_list_of_apps_and_does_not_start_by_itself(installed: Installed) -> None:
    assert {WINDOWED, CONSOLE, "uninstall.exe", "_internal/python313.dll"} <= installed.list_files()
    assert installed.read_registry(UNINSTALL_KEY, "DisplayName") == APP_NAME
    assert installed.read_registry(UNINSTALL_KEY, "DisplayVersion") == __version__
    assert installed.read_registry(UNINSTALL_KEY, "DisplayIcon").endswith(WINDOWED)
    assert installed.read_registry(UNINSTALL_KEY, "Publisher") == f"The {APP_NAME} authors"
    size_kb = int(installed.read_registry(UNINSTALL_KEY, "EstimatedSize"), 16)
    assert 20_000 < size_kb < 100_000
    assert installed.windows.list_processes() == []
    assert not installed.read_registry(RUN_KEY, APP_ID)
    assert not installed.read_registry(RUN_KEY, APP_NAME)


def test_the_start_menu_starts_the_app_and_asks_for_the_key(installed: Installed) -> None:
    assert sorted(path.name for path in installed.menu.iterdir()) == [f"{APP_NAME}.lnk", "Set NVIDIA API Key.lnk"]
    installed.start(installed.menu / f"{APP_NAME}.lnk")
    assert installed.windows.list_processes() == [WINDOWED]


def test_the_start_menu_asks_for_the_key_in_a_console(installed: Installed) -> None:
    desktop, key = installed.windows.desktop, "nvapi-typed-into-a-console"
    process = installed.prefix.start("start", "/wait", installed.menu / "Set NVIDIA API Key.lnk")
    wait_for(lambda: desktop.find_window("--class", "conhost.exe"), "the console", START_S)
    search = ("xdotool", "search", "--onlyvisible", "--class", "conhost.exe")
    wait_for(lambda: installed.windows.list_processes() == [CONSOLE], "the program in the console", START_S)
    desktop.run(*search, "windowfocus", "--sync", "type", key)
    desktop.run("xdotool", "key", "Return")
    wait_for(lambda: key in installed.windows.read_credentials(), "the key in Windows' store")
    installed.windows.save_screenshot("6-key")
    desktop.run("xdotool", "key", "space")
    process.wait(QUIT_S)


def test_an_upgrade_takes_the_place_of_the_running_app_and_starts_it_again(installed: Installed) -> None:
    files = installed.list_files()
    process = installed.start(installed.folder / WINDOWED)
    quits = installed.count_quits()
    stale = installed.folder / "_internal" / "stale.pyd"
    stale.write_bytes(b"of an older version")
    (installed.folder / WINDOWED).write_bytes((installed.folder / WINDOWED).read_bytes() + b"an older version")
    assert installed.install() == 0
    assert process.wait(QUIT_S) == 0
    assert installed.count_quits() == quits + 1
    wait_for(lambda: answers(installed.port), "the app, started again", START_S)
    installed.windows.desktop.wait_icon()
    installed.windows.save_screenshot("5-upgraded")
    assert installed.list_files() == files
    assert installed.windows.list_processes() == [WINDOWED]
    assert not (installed.folder / WINDOWED).read_bytes().endswith(b"an older version")


def test_an_upgrade_of_a_busy_app_ends_its_worker_process_too(installed: Installed, upstream: FakeUpstream) -> None:
    upstream.default = lambda body: hello(is_stream=bool(body.get("stream")))
    installed.start(installed.folder / WINDOWED, PROVIDER_API_KEY=NVIDIA_KEY)
    assert Client(f"http://127.0.0.1:{installed.port}").ask(question(LARGE_PROMPT)).status == 200
    assert installed.windows.list_processes() == [WINDOWED, CONSOLE]
    assert installed.install() == 0
    wait_for(lambda: answers(installed.port), "the app, started again", START_S)
    assert installed.windows.list_processes() == [WINDOWED]


def test_an_upgrade_does_not_start_what_did_not_run(installed: Installed) -> None:
    files = installed.list_files()
    assert installed.install() == 0
    assert installed.list_files() == files
    assert installed.windows.list_processes() == []


def test_an_app_that_does_not_listen_is_ended(installed: Installed) -> None:
    """In a terminal, without an icon, it has no window that could be asked."""
    settings = {"ADDR": f"127.0.0.1:{installed.port}", "UPSTREAM_URL": installed.upstream.url}
    process = replace(installed.prefix, environment=settings).start(installed.folder / CONSOLE, "--no-tray")
    wait_for(lambda: answers(installed.port), "an answer over HTTP", START_S)
    assert installed.install() == 0
    process.wait(QUIT_S)
    assert installed.windows.list_processes() == []


def use_for_all_sessions(installed: Installed) -> Path:
    """Changes the settings of Claude Code as the app does at a click. Returns the path of the user's settings file."""
    claude, state = installed.prefix.user_folder / ".claude" / "settings.json", installed.prefix.local_app_data / APP_ID
    claude.parent.mkdir()
    claude.write_bytes(MINE)
    switch_on(state, {"CLAUDE_CONFIG_DIR": str(claude.parent)}, Setup("http://127.0.0.1:3001", GLM_4_7, (GLM_4_7,)))
    journal = find_journal(state)
    text = journal.read_text(encoding="utf-8")
    ours, windows = (json.dumps(str(path)) for path in (claude, installed.prefix.to_windows(claude)))
    assert ours in text
    journal.write_text(text.replace(ours, windows), encoding="utf-8")
    return claude


def test_an_uninstall_ends_the_app_and_leaves_only_what_is_the_users(installed: Installed) -> None:
    process = installed.start(installed.folder / WINDOWED)
    quits = installed.count_quits()
    settings = installed.prefix.local_app_data / APP_ID / "settings.json"
    settings.parent.mkdir(exist_ok=True)
    settings.write_text("{}", encoding="utf-8")
    note = installed.folder / "a note of the user.txt"
    note.write_text("keep me", encoding="utf-8")
    installed.prefix.check("reg", "add", RUN_KEY, "/v", APP_ID, "/d", "the app", "/f")
    claude = use_for_all_sessions(installed)
    installed.uninstall()
    assert claude.read_bytes() == MINE, "Claude Code's settings are as they were"
    assert process.wait(QUIT_S) == 0
    assert installed.count_quits() == quits + 1
    assert list(installed.folder.iterdir()) == [note]
    assert not installed.menu.exists()
    assert settings.is_file()
    assert installed.prefix.run("reg", "query", UNINSTALL_KEY).code != 0
    assert not installed.read_registry(RUN_KEY, APP_ID)
    note.unlink()
    installed.folder.rmdir()


def test_a_folder_with_other_files_is_refused_and_left_alone(windows: Windows, upstream: FakeUpstream) -> None:
    installed = Installed(windows, upstream)
    folder = windows.prefix.drive_c / "mine"
    (folder / "_internal").mkdir(parents=True)
    (folder / "_internal" / "photo.jpg").write_bytes(b"mine")
    assert installed.install(r"/D=C:\mine") == NO_FOLDER
    assert [path.name for path in folder.rglob("*")] == ["_internal", "photo.jpg"]
    assert installed.prefix.run("reg", "query", UNINSTALL_KEY).code != 0


def test_what_is_in_use_by_another_program_stays_as_it_is(installed: Installed) -> None:
    """Such as a virus scanner, which an installer does not end."""
    files = {name: (installed.folder / name).read_bytes() for name in installed.list_files()}
    command = (PYTHON, "-c", HOLD_FILE, installed.folder / WINDOWED)
    holder = installed.prefix.start(*command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert holder.stdout is not None
    assert holder.stdout.readline().strip() == b"held"
    try:
        assert installed.install() == STILL_RUNS
        assert installed.uninstall_in_place() == STILL_RUNS
    finally:
        holder.communicate(b"\n")
    assert {name: (installed.folder / name).read_bytes() for name in installed.list_files()} == files
    assert installed.read_registry(UNINSTALL_KEY, "DisplayName") == APP_NAME
