"""A Wine prefix, and programs that run in it."""

from __future__ import annotations

import contextlib
import os
import select
import shutil
import subprocess
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePath, PureWindowsPath

_OVERRIDES = (
    "mscoree,mshtml=;"  # no offer to download Mono and Gecko
    "winedbg.exe=;"  # a crash ends the program, instead of waiting in a debugger for somebody
    "winemenubuilder.exe="  # Start-menu entries stay in the prefix, and out of the user's own menu
)
_SET_UP_S = 180
_STOP_S = 30
_LAST_WORDS_S = 1.0


class WineError(Exception):
    """A program under Wine failed: one sentence, and what it printed."""


@dataclass(frozen=True, slots=True)
class Finished:
    """How a program ended: its exit code and what it printed, both streams in one."""

    code: int
    output: str


@dataclass(frozen=True, slots=True)
class Prefix:
    """One Windows of its own: a drive C and a registry in `folder`. Nothing of the caller's environment gets in.

    `display` is the X display for all its programs, like ":5"; without one, no program can show a window.
    `environment` is what each program gets beside Windows' own variables.
    """

    folder: Path
    display: str = ""
    environment: Mapping[str, str] = field(default_factory=dict)

    @property
    def drive_c(self) -> Path:
        return self.folder / "drive_c"

    @property
    def user_folder(self) -> Path:
        """%USERPROFILE%."""
        own = [folder for folder in (self.drive_c / "users").iterdir() if folder.name != "Public"]
        if len(own) != 1:
            raise WineError(f"{self.folder} has {len(own)} users.")
        return own[0]

    @property
    def local_app_data(self) -> Path:
        """%LOCALAPPDATA%."""
        return self.user_folder / "AppData" / "Local"

    @property
    def variables(self) -> dict[str, str]:
        """What a program of this system needs in its environment to run in the prefix."""
        return {
            "WINEPREFIX": str(self.folder.absolute()),
            "WINEARCH": "win64",
            "WINEDEBUG": "-all",
            "WINEDLLOVERRIDES": _OVERRIDES,
            "PYTHONUTF8": "1",
        }

    def create(self) -> None:
        """Makes the folder a Windows 10. It reaches the disk as Z:, but has no link to the user's home."""
        self.folder.mkdir(parents=True)
        self.check("wineboot", "--init", timeout_s=_SET_UP_S)
        self.check("winecfg", "-v", "win10", timeout_s=_SET_UP_S)
        self.wait()
        for entry in self.user_folder.iterdir():
            if entry.is_symlink():
                entry.unlink()
                entry.mkdir()

    def to_windows(self, path: Path) -> str:
        """What programs in the prefix call a file: on C: if it lies in the prefix, else on Z:."""
        path = path.absolute()
        drive, root = (
            ("C:\\", self.drive_c.absolute()) if path.is_relative_to(self.drive_c.absolute()) else ("Z:\\", "/")
        )
        return str(PureWindowsPath(drive, *path.relative_to(root).parts))

    def start(
        self,
        program: str | Path,
        *arguments: str | Path,
        stdout: int = subprocess.DEVNULL,
        stdin: int = subprocess.DEVNULL,
        cwd: Path | None = None,
        **environment: str,
    ) -> subprocess.Popen[bytes]:
        """Starts a program, and leaves it to the caller; paths among the arguments become Windows paths.

        A standard stream may be a pipe or the null device, but no file: CPython does not start with one (Wine 8,
        "init_sys_streams: [WinError 6]").
        """
        words = [self.to_windows(Path(word)) if isinstance(word, PurePath) else word for word in (program, *arguments)]
        return subprocess.Popen(
            [find_wine(), *words],
            cwd=cwd or self.folder,
            env={**self._environment(), **environment},
            stdin=stdin,
            stdout=stdout,
            stderr=stdout if stdout == subprocess.DEVNULL else subprocess.STDOUT,
        )

    def run(
        self,
        program: str | Path,
        *arguments: str | Path,
        timeout_s: float = 60,
        cwd: Path | None = None,
        text: str = "",
        **environment: str,
    ) -> Finished:
        """Runs a program to its own end, with `text` as its input; it must be done within `timeout_s`."""
        stdin = subprocess.PIPE if text else subprocess.DEVNULL
        process = self.start(program, *arguments, stdout=subprocess.PIPE, stdin=stdin, cwd=cwd, **environment)
        try:
            if process.stdin is not None:
                with contextlib.suppress(BrokenPipeError), process.stdin as pipe:
                    pipe.write(text.encode())
            output = _read_until_exit(process, timeout_s).decode("utf-8", "replace").replace("\r\n", "\n")
        finally:
            if process.poll() is None:
                process.kill()
                process.wait()
            assert process.stdout is not None
            process.stdout.close()
        return Finished(process.returncode, output)

    def check(
        self,
        program: str | Path,
        *arguments: str | Path,
        timeout_s: float = 60,
        cwd: Path | None = None,
        text: str = "",
        **environment: str,
    ) -> str:
        """Like run, for a program that must succeed; returns what it printed."""
        finished = self.run(program, *arguments, timeout_s=timeout_s, cwd=cwd, text=text, **environment)
        if finished.code != 0:
            raise WineError(f"{program} {' '.join(map(str, arguments))}: exit code {finished.code}.\n{finished.output}")
        return finished.output

    def wait(self) -> None:
        """Waits until all programs have ended and the registry is on disk."""
        self._wineserver("--wait", _SET_UP_S)

    def stop(self) -> None:
        """Ends all programs of this prefix, and no other's."""
        self._wineserver("--kill", _STOP_S)
        self._wineserver("--wait", _STOP_S)

    def _wineserver(self, option: str, timeout_s: float) -> None:
        # not checked: there may be none
        subprocess.run(
            ["wineserver", option],
            env=self._environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=timeout_s,
            check=False,
        )

    def _environment(self) -> dict[str, str]:
        return {
            "PATH": os.environ.get("PATH", os.defpath),
            "HOME": str(self.folder.absolute()),
            "LANG": "C.UTF-8",
            "TMPDIR": tempfile.gettempdir(),
            **self.variables,
            **({"DISPLAY": self.display} if self.display else {}),
            **self.environment,
        }


def find_wine() -> str:
    """The 64-bit Wine. Debian keeps it out of $PATH, behind a script that asks for the 32-bit one."""
    for name in ("/usr/lib/wine/wine64", "wine64", "wine"):
        if path := shutil.which(name):
            return path
    raise WineError("Wine is not installed.")


def _read_until_exit(process: subprocess.Popen[bytes], timeout_s: float) -> bytes:
    """All that the process itself printed: a program it leaves behind may hold the pipe open for as long as it runs.

    So the pipe's end is waited for only for a moment; the last words may come that late, since Wine hands them on.
    """
    assert process.stdout is not None
    pipe = process.stdout.fileno()
    os.set_blocking(pipe, False)
    deadline = time.monotonic() + timeout_s
    ended = 0.0  # when it was first seen to have ended
    output = bytearray()
    is_open = True
    while True:
        if not ended and process.poll() is not None:
            ended = time.monotonic()
        while is_open:
            try:
                data = os.read(pipe, 65536)
            except BlockingIOError:
                break
            output += data
            is_open = bool(data)
        if ended and (not is_open or time.monotonic() - ended > _LAST_WORDS_S):
            return bytes(output)
        if not ended and time.monotonic() > deadline:
            said = output.decode("utf-8", "replace")
            raise WineError(f"{process.args!r}: not done within {timeout_s:.0f} s.\n{said}")
        select.select([pipe] if is_open else [], [], [], 0.05)
