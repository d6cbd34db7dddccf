"""Takes the pictures of the README: the real app in a real panel, Claude Code in a terminal, and the page in a browser.

usage: python packaging/screenshot.py FOLDER

Makes menu.png, the open menu, and claude-code.png, a terminal beside it. The second one needs `claude` on the PATH.
The views of the page are page-now.png, page-now-dark.png, page-welcome.png, page-history.png and page-models.png.
Needs (apt): dbus xvfb xfce4-panel xterm xdotool imagemagick x11-xserver-utils fonts-dejavu-core
fonts-noto-core chromium chromium-driver
"""

from __future__ import annotations

import json
import shlex
import shutil
import socket
import sys
import time
from collections.abc import Callable
from pathlib import Path

from PIL import Image, ImageChops

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # a script's own folder is on the path, not the checkout
from page_pictures import take_pictures

from tests.support.desktop_harness import Desktop, xfce4_panel
from tray_app import APP_ID
from tray_app.shells import find_program

PROGRAMS = ("dbus-daemon", "Xvfb", "xfce4-panel", "xterm", "xdotool", "import", "xsetroot", "chromium", "chromedriver")
SCREEN = "1180x640x24"
BACKGROUND = "#8a9199"
GTK_SETTINGS = "[Settings]\ngtk-font-name = DejaVu Sans 10\ngtk-theme-name = Adwaita\n"
APP = (sys.executable, "-m", "tray_app", "--demo")
USUAL_PORT = 3001
MARGIN_PX = 24
MENU_HEIGHT_PX = 100  # at least; a tooltip is lower
TIMEOUT_S = 20

Box = tuple[int, int, int, int]


XTERM = (
    *("xterm", "-geometry", "98x33+20+56", "-fa", "DejaVu Sans Mono", "-fs", "10"),
    *("-bg", "#1c1f24", "-fg", "#e6e6e6", "-T", "Claude Code"),
)


def take_menu() -> Image.Image:
    """The corner of the screen with the icon and its open menu."""
    with Desktop(SCREEN) as desktop:
        empty, opened = open_menu(desktop)
        left, _, _, bottom = find_change(empty, opened) or (0, 0, 0, 0)
        return opened.crop((left - MARGIN_PX, 0, opened.width, bottom + MARGIN_PX))


def take_session() -> Image.Image:
    """The whole screen with Claude Code in a terminal, after an answer, and the open menu."""
    with Desktop(SCREEN) as desktop:
        open_menu(desktop, lambda: run_claude_code(desktop))
        return desktop.take_screenshot()


def run_claude_code(desktop: Desktop) -> None:
    """Starts Claude Code in a terminal, types a prompt, and waits for the answer."""
    home, work = desktop.folder / "me", desktop.folder / "me" / "project"
    work.mkdir(parents=True)
    (work / "README.md").write_text("# Project\n")
    seen = {"hasCompletedOnboarding": True, "projects": {str(work): {"hasTrustDialogAccepted": True}}}
    (home / ".claude.json").write_text(json.dumps(seen))
    before = desktop.take_screenshot()
    command = f"cd {shlex.quote(str(work))}; HOME={shlex.quote(str(home))} exec {APP_ID} claude"
    desktop.spawn(*XTERM, "-e", "bash", "-c", command, log="terminal")
    started = wait_until_still(desktop, lambda now: count_changed_rows(before, now) > 400, "Claude Code")
    desktop.run("xdotool", "mousemove", "300", "300", "type", "Which files are here?")
    typed = wait_until_still(desktop, lambda now: now != started, "the prompt", pause_s=1)
    desktop.run("xdotool", "key", "Return")
    wait_until_still(desktop, lambda now: count_changed_rows(typed, now) > 100, "the answer", pause_s=3)


def open_menu(desktop: Desktop, first: Callable[[], None] = lambda: None) -> tuple[Image.Image, Image.Image]:
    """Opens the menu of the demo in a panel. Returns the screen without an icon, and with the menu.

    `first` is called when the app runs, before the menu is opened.
    """
    desktop.env |= {"ADDR": f"127.0.0.1:{find_free_port()}", "SHELL": "/bin/bash"}  # the menu names the shell
    installed = desktop.folder / "bin" / APP_ID  # the app then calls itself by this name, instead of this checkout's
    installed.parent.mkdir()
    installed.write_text(f'#!/bin/sh\nexec {shlex.join(find_program())} "$@"\n')
    installed.chmod(0o755)
    desktop.env["PATH"] = f"{installed.parent}:{desktop.env['PATH']}"
    gtk = Path(desktop.env["XDG_CONFIG_HOME"], "gtk-3.0")
    gtk.mkdir()
    (gtk / "settings.ini").write_text(GTK_SETTINGS)
    xfce4_panel(desktop, BACKGROUND)
    empty = wait_until_still(desktop, lambda now: bool(now.getbbox()), "the panel")
    desktop.spawn(*APP, log="app")
    desktop.wait_log("app", "listening on http://")
    closed = wait_until_still(desktop, lambda now: find_change(empty, now) is not None, "the icon")
    left, top, right, bottom = find_change(empty, closed) or (0, 0, 0, 0)
    first()
    closed = desktop.take_screenshot()
    desktop.click((left + right) // 2, (top + bottom) // 2, button=3)

    def has_menu(now: Image.Image) -> bool:
        change = find_change(closed, now)
        return change is not None and change[3] - change[1] > MENU_HEIGHT_PX

    return empty, wait_until_still(desktop, has_menu, "the open menu")


def wait_until_still(
    desktop: Desktop, condition: Callable[[Image.Image], bool], what: str, pause_s: float = 0
) -> Image.Image:
    """A picture of which `condition` is true, as soon as nothing moves any more for `pause_s` seconds."""
    deadline = time.monotonic() + TIMEOUT_S
    before = desktop.take_screenshot()
    while time.monotonic() < deadline:
        time.sleep(pause_s)
        now = desktop.take_screenshot()
        if condition(now) and now == before:
            return now
        before = now
    raise TimeoutError(f"{what}: not on the screen within {TIMEOUT_S} s")


def find_change(before: Image.Image, after: Image.Image) -> Box | None:
    """The smallest box around everything that differs."""
    return ImageChops.difference(before, after).getbbox()


def count_changed_rows(before: Image.Image, after: Image.Image) -> int:
    """The height of the smallest box around everything that differs."""
    _, top, _, bottom = find_change(before, after) or (0, 0, 0, 0)
    return bottom - top


def find_free_port() -> int:
    """The usual port, if possible: it can be read in the picture."""
    for port in (USUAL_PORT, 0):
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise OSError("no free port on 127.0.0.1")


def main(words: list[str]) -> int:
    if len(words) != 1 or words[0].startswith("-"):
        print(__doc__, file=sys.stderr)
        return 2
    missing = [program for program in PROGRAMS if shutil.which(program) is None]
    if missing:
        print(
            f"screenshot.py: not installed: {', '.join(missing)}. {' '.join((__doc__ or '').splitlines()[-2:])}",
            file=sys.stderr,
        )
        return 1
    folder = Path(words[0])
    take_pictures(folder)
    take_menu().save(folder / "menu.png", optimize=True)
    if shutil.which("claude"):
        take_session().save(folder / "claude-code.png", optimize=True)
    else:
        print("screenshot.py: claude is not on the PATH, so claude-code.png stays as it is.", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
