"""The real program as a process of its own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.support.app_folder import AppFolder
from tests.support.gateway import NVIDIA_KEY, Client

ROOT = Path(__file__).resolve().parents[2]
TIMEOUT_S = 30


class App:
    """A running process; its lines can be waited for."""

    def __init__(self, home: Path, arguments: tuple[str, ...], environment: dict[str, str], prefix: list[str]) -> None:
        self.folder = AppFolder(home)
        self._process = subprocess.Popen(
            [*prefix, sys.executable, "-m", "tray_app", *arguments],
            cwd=ROOT,
            env={**os.environ, "CLAUDE_NVIDIA_TRAY_HOME": str(home), "PYTHONUTF8": "1", **environment},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            encoding="utf-8",
        )
        self.lines: list[str] = []

    @property
    def pid(self) -> int:
        return self._process.pid

    def read_until(self, word: str) -> str:
        """The next line with a word in it."""
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self.lines.append(line.rstrip("\n"))
            if word in line:
                return self.lines[-1]
        raise AssertionError(f"never said {word!r}: {self.lines}")

    def wait_listening(self) -> Client:
        """A client, once the app listens."""
        line = self.read_until("listening on ")
        return Client(line.partition("listening on ")[2].split()[0])

    def send(self, number: signal.Signals) -> None:
        self._process.send_signal(number)

    def wait_end(self) -> int:
        """The exit code; that of a killed process if the app does not end by itself."""
        assert self._process.stdout is not None
        too_late = threading.Timer(TIMEOUT_S, self._process.kill)
        too_late.start()
        try:
            self.lines += self._process.stdout.read().splitlines()
            return self._process.wait()
        finally:
            too_late.cancel()

    def close(self) -> None:
        if self._process.poll() is None:
            self._process.kill()
            self._process.wait()
        assert self._process.stdout is not None
        self._process.stdout.close()


@contextmanager
def run_app(home: Path, upstream_url: str) -> Iterator[str]:
    """The app without an icon, on a free port, with a key, and without a limit of requests; yields its URL.

    A model that refuses is not followed.
    """
    AppFolder(home).edit_settings(requests_per_minute=0, follow_successors=False)
    environment = {"ADDR": "127.0.0.1:0", "UPSTREAM_URL": upstream_url, "PROVIDER_API_KEY": NVIDIA_KEY}
    app = App(home, ("--no-tray",), environment, [])
    try:
        yield f"http://{app.wait_listening().host}"
    finally:
        app.close()
