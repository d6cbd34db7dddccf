r"""A Windows desktop for a test: Wine on an X server of its own, with its explorer's real tray, menus and balloons.

with WineDesktop(prefix) as desktop:
    app = desktop.start(r"C:\\python\\python.exe", "-m", "tray_app", log="app")
    desktop.wait_icon()
    desktop.open_menu().click(-1)  # Quit, the last row
    assert app.wait(20) == 0
"""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from PIL import Image

from tests.support.desktop_harness import ROOT, Desktop
from tests.support.waiting import wait_for
from wine.wine import Prefix

PARTS = ("Xvfb", "dbus-daemon", "import", "wineserver", "xclip", "xdotool")
"""The programs to `need`, beside WINE."""

WINE = Path("/usr/lib/wine/wine64")
"""Debian's own; the command `wine` complains that there is no 32-bit Wine."""

PYTHON = r"C:\python\python.exe"
"""Where a prefix of this project has its Python."""

_START_S = 60
_TRAY = "Wine System Tray"
_GROUND, _LINE_DIFFERENCE = 255, 30  # a menu is white; what differs by so much of 255 is a letter or a line
_FRAME_PX = 2
_MARK_WIDTH_PX = 15


@dataclass(frozen=True, slots=True)
class Box:
    """A place on the screen, in pixels."""

    left: int
    top: int
    width: int
    height: int


class WineDesktop(Desktop):
    """Programs in a Wine prefix that nothing else uses meanwhile; ends whatever runs in it."""

    def __init__(self, prefix: Path, screen: str = "1024x768x24") -> None:
        super().__init__(screen)
        self.windows = Prefix(prefix)

    def __enter__(self) -> Self:
        super().__enter__()
        self.env |= {**self.windows.variables, "PYTHONPATH": self.windows.to_windows(ROOT)}
        for name in ("CLAUDE_NVIDIA_TRAY_HOME", "PYTHON_KEYRING_BACKEND", "TMPDIR"):  # %LOCALAPPDATA% and so on decide
            del self.env[name]
        browser = self.folder / "browser.cmd"
        browser.write_text(f"@>>{self.windows.to_windows(self.folder)}\\shown-pages echo %*\r\n")
        self.env["BROWSER"] = self.windows.to_windows(browser)
        self.windows.stop()  # an explorer on another display would keep the tray there
        return self

    def __exit__(self, *error: object) -> None:
        self.windows.stop()
        super().__exit__(*error)

    def start(self, *command: str | Path, log: str, **more: str) -> subprocess.Popen[bytes]:
        """Starts a Windows program; `more` is added to its environment."""
        # CPython does not start under Wine with a regular file as one of its standard handles
        variables = [f"{name}={value}" for name, value in more.items()]
        streams = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
        process = self.spawn("env", *variables, WINE, *command, log=log, **streams)
        assert process.stdout
        self.spawn("cat", log=log, stdin=process.stdout.fileno())
        process.stdout.close()
        return process

    def run_python(self, code: str, *arguments: str) -> str:
        """What a piece of Windows Python prints; fails if it does."""
        return self.run(WINE, PYTHON, "-c", code, *arguments)

    def wait_icon(self) -> Box:
        """The tray with the app's icon, once it shows; brought to the lower right, where a taskbar has it."""
        tray = wait_for(lambda: self.find_window("--name", _TRAY), "the icon", _START_S)
        screen = self.take_screenshot()
        corner = screen.width - tray.width, screen.height - tray.height
        if (tray.left, tray.top) != corner:
            self._ask_xdotool("search", "--name", _TRAY, "windowmove", "--sync", *map(str, corner))
        return Box(*corner, tray.width, tray.height)

    def has_icon(self) -> bool:
        return self.find_window("--name", _TRAY) is not None

    def click_icon(self, button: int) -> None:
        """1: the left button, 3: the right one."""
        tray = self.wait_icon()
        self.click(tray.left + tray.height // 2, tray.top + tray.height // 2, button)

    def open_menu(self, button: int = 3, program: str = "python.exe") -> Menu:
        """The icon's menu, opened by this mouse button, in full. `program`: whose icon it is."""
        self.click_icon(button)
        return wait_for(lambda: self.find_menu(program), "the menu")

    def find_menu(self, program: str = "python.exe", rows: int = 0) -> Menu | None:
        """The open menu of a program, or its open submenu, if its lines are drawn: so many, or any number (0)."""
        box = self.find_window("--class", program)
        menu = Menu(self, box) if box else None
        return menu if menu and menu.rows and len(menu.rows) == (rows or len(menu.rows)) else None

    def wait_menu_closed(self, program: str = "python.exe") -> None:
        wait_for(lambda: not self.find_window("--class", program), "the end of the menu")

    def read_clipboard(self) -> str:
        """The text that other programs get. Windows line ends arrive as plain ones."""
        return self._ask("xclip", "-selection", "clipboard", "-out")

    def close_window(self, class_name: str) -> None:
        """WM_CLOSE to a window that nobody sees, as an installer sends it. Needs the prefix's Python."""
        self.run_python(
            "import ctypes, sys; user = ctypes.WinDLL('user32'); "
            "window = user.FindWindowW(sys.argv[1], None) or sys.exit('no such window'); "
            "user.PostMessageW(window, 0x10, 0, 0)",
            class_name,
        )

    def find_window(self, *search: str) -> Box | None:
        """The newest visible window that xdotool finds by these options."""
        found = self._ask_xdotool("search", "--onlyvisible", *search).split()
        shape = dict(
            line.split("=") for line in self._ask_xdotool("getwindowgeometry", "--shell", *found[-1:]).splitlines()
        )
        if not found or not shape:
            return None
        return Box(int(shape["X"]), int(shape["Y"]), int(shape["WIDTH"]), int(shape["HEIGHT"]))

    def _ask_xdotool(self, *arguments: str) -> str:
        return self._ask("xdotool", *arguments)

    def _ask(self, *command: str) -> str:
        """What it prints; nothing if it fails, as where there is no such window, or no longer."""
        done = subprocess.run(command, env=self.env, stdin=subprocess.DEVNULL, capture_output=True, timeout=20)
        return done.stdout.decode() if done.returncode == 0 else ""


class Menu:
    """An open menu as it stands on the screen: its lines, separators not counted."""

    def __init__(self, desktop: WineDesktop, box: Box) -> None:
        self.box = box
        self._desktop = desktop
        screen = desktop.take_screenshot().convert("L")
        picture = screen.crop((box.left, box.top, box.left + box.width, box.top + box.height))
        self._inked = [_inked_columns(picture, y) for y in range(box.height)]
        self.rows = self._find_rows()
        """Top and bottom of each line's text, in pixels below the menu's top."""

    def click(self, index: int) -> None:
        """Clicks a line; negative ones count from the last."""
        top, bottom = self.rows[index]
        self._desktop.click(self.box.left + self.box.width // 2, self.box.top + (top + bottom) // 2)

    def is_marked(self, index: int) -> bool:
        """Whether a dot or tick stands before the line."""
        top, bottom = self.rows[index]
        return any(column < _MARK_WIDTH_PX for inked in self._inked[top:bottom] for column in inked)

    def _find_rows(self) -> list[tuple[int, int]]:
        rows: list[tuple[int, int]] = []
        for y, inked in enumerate(self._inked):
            if not inked or len(inked) > self.box.width * 0.9:  # ground, a separator, the frame
                continue
            if rows and rows[-1][1] == y:
                rows[-1] = rows[-1][0], y + 1
            else:
                rows.append((y, y + 1))
        return rows


def _inked_columns(picture: Image.Image, y: int) -> list[int]:
    """Where a line of pixels is not ground, the frame left out."""
    row = picture.crop((_FRAME_PX, y, picture.width - _FRAME_PX, y + 1)).tobytes()
    return [x for x, grey in enumerate(row) if abs(grey - _GROUND) > _LINE_DIFFERENCE]
