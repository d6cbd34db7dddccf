"""The Windows programs that `dev.py windows` made, each on a Windows and a screen of its own."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from tests.bundle.wine_desktop import PARTS, WineDesktop
from tests.support.fake_upstream import FakeUpstream
from tests.support.gateway import Client
from tests.support.parts import need
from tests.support.running_app import ROOT
from tray_app import APP_ID, APP_NAME, __version__
from wine.wine import Prefix

VARIABLE = "WINDOWS_BUILD"
WORK = Path(os.environ.get(VARIABLE, ROOT / ".build" / "windows"))
BUNDLE = WORK / "bundle"
INSTALLER = ROOT / "dist" / f"{APP_ID}-{__version__}-windows-x64-setup.exe"
PYTHON = WORK / "python" / "python.exe"
"""Not on the C: of the tests: what was built must do without."""
SCREENSHOTS = WORK / "tests"
WINDOWED, CONSOLE = f"{APP_NAME}.exe", f"{APP_ID}.exe"
LARGE_PROMPT = "many words " * 30_000
"""A request with it is a worker process's work, and so starts the console program."""

_READ_CREDENTIALS = """
import ctypes
from ctypes import wintypes
class Credential(ctypes.Structure):
    _fields_ = [("flags", wintypes.DWORD), ("type", wintypes.DWORD), ("target", wintypes.LPWSTR),
                ("comment", wintypes.LPWSTR), ("written", wintypes.FILETIME), ("size", wintypes.DWORD),
                ("blob", ctypes.POINTER(ctypes.c_char))]
found, count = ctypes.POINTER(ctypes.POINTER(Credential))(), wintypes.DWORD()
ctypes.WinDLL("advapi32").CredEnumerateW(None, 0, ctypes.byref(count), ctypes.byref(found))  # fails if there are none
for index in range(count.value):
    one = found[index].contents
    print(one.target, one.blob[: one.size].decode("utf-16-le"))
"""


@dataclass(frozen=True, slots=True)
class Windows:
    """A Windows without Python, with its desktop; ends what runs in it. `prefix` runs programs, `desktop` looks."""

    prefix: Prefix
    desktop: WineDesktop

    def start_app(self, program: Path, port: int, upstream: FakeUpstream, **more: str) -> subprocess.Popen[bytes]:
        """Starts a windowed program as a double click does; ends with its exit code. `more`: environment variables."""
        own = {"ADDR": f"127.0.0.1:{port}", "UPSTREAM_URL": upstream.url}
        environment = {**self.prefix.environment, **own, **more}
        return replace(self.prefix, environment=environment).start("start", "/wait", program)

    def save_screenshot(self, name: str) -> None:
        SCREENSHOTS.mkdir(exist_ok=True)
        self.desktop.take_screenshot().save(SCREENSHOTS / f"{name}.png")

    def list_processes(self) -> list[str]:
        """The names of the app's processes, one for each."""
        said = self.prefix.check("wmic", "process", "get", "name").replace("\0", "")  # UTF-16
        return sorted(name for line in said.splitlines() if (name := line.strip()) in (WINDOWED, CONSOLE))

    def read_credentials(self) -> str:
        """All that is kept in Windows' own store, a name and a secret on each line."""
        return self.prefix.check(PYTHON, "-c", _READ_CREDENTIALS)

    def read_settings(self) -> str:
        path = self.prefix.local_app_data / APP_ID / "settings.json"
        return path.read_text(encoding="utf-8") if path.is_file() else ""

    def change_settings(self, **changes: object) -> None:
        """Edits the settings file, which a running app notices."""
        path = self.prefix.local_app_data / APP_ID / "settings.json"
        path.write_text(json.dumps({**json.loads(self.read_settings()), **changes}), encoding="utf-8")

    def read_log(self) -> str:
        folder = self.prefix.local_app_data / APP_ID
        return "".join(path.read_text(encoding="utf-8") for path in sorted(folder.rglob("*.log")))


@contextmanager
def open_windows(name: str) -> Iterator[Windows]:
    """A new Windows; `name` is for its folder."""
    need(*PARTS)
    folder = WORK / "tests" / name
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(WORK / "pristine", folder, symlinks=True)
    try:
        with WineDesktop(folder) as desktop:
            yield Windows(Prefix(folder, desktop.env["DISPLAY"], {"BROWSER": desktop.env["BROWSER"]}), desktop)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def answers(port: int) -> bool:
    """Whether a gateway is there."""
    try:
        return Client(f"http://127.0.0.1:{port}").request("GET", "/v1/models").status == 200
    except OSError:
        return False
