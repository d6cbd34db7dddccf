"""Takes the picture of the tray menu: the real app in a real panel, on an X server of its own.

usage: python packaging/screenshot.py OUT.png

Needs (apt): dbus xvfb xfce4-panel xdotool imagemagick x11-xserver-utils fonts-dejavu-core
"""

from __future__ import annotations

import shutil
import socket
import sys
import time
from collections.abc import Callable
from pathlib import Path

from PIL import Image, ImageChops

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # a script's own folder is on the path, not the checkout
from tests.support.desktop_harness import Desktop, xfce4_panel

PROGRAMS = ("dbus-daemon", "Xvfb", "xfce4-panel", "xdotool", "import", "xsetroot")
SCREEN = "1024x640x24"
BACKGROUND = "#8a9199"
GTK_SETTINGS = "[Settings]\ngtk-font-name = DejaVu Sans 10\ngtk-theme-name = Adwaita\n"
APP = (sys.executable, "-m", "tray_app", "--demo")
USUAL_PORT = 3001
MARGIN_PX = 24
MENU_HEIGHT_PX = 100  # at least; a tooltip is lower
TIMEOUT_S = 20

Box = tuple[int, int, int, int]


def take_picture() -> Image.Image:
    """The corner of the screen with the icon and its open menu."""
    with Desktop(SCREEN) as desktop:
        desktop.env |= {"ADDR": f"127.0.0.1:{find_free_port()}", "SHELL": "/bin/bash"}  # the menu names the shell
        gtk = Path(desktop.env["XDG_CONFIG_HOME"], "gtk-3.0")
        gtk.mkdir()
        (gtk / "settings.ini").write_text(GTK_SETTINGS)
        xfce4_panel(desktop, BACKGROUND)
        empty = wait_until_still(desktop, lambda now: bool(now.getbbox()), "the panel")
        desktop.spawn(*APP, log="app")
        desktop.wait_log("app", "listening on http://")
        closed = wait_until_still(desktop, lambda now: find_change(empty, now) is not None, "the icon")
        left, top, right, bottom = find_change(empty, closed) or (0, 0, 0, 0)
        desktop.click((left + right) // 2, (top + bottom) // 2, button=3)

        def has_menu(now: Image.Image) -> bool:
            change = find_change(closed, now)
            return change is not None and change[3] - change[1] > MENU_HEIGHT_PX

        opened = wait_until_still(desktop, has_menu, "the open menu")
        left, _, _, bottom = find_change(empty, opened) or (0, 0, 0, 0)
        return opened.crop((left - MARGIN_PX, 0, opened.width, bottom + MARGIN_PX))


def wait_until_still(desktop: Desktop, condition: Callable[[Image.Image], bool], what: str) -> Image.Image:
    """A picture of which `condition` is true, as soon as nothing moves any more."""
    deadline = time.monotonic() + TIMEOUT_S
    before = desktop.take_screenshot()
    while time.monotonic() < deadline:
        now = desktop.take_screenshot()
        if condition(now) and now == before:
            return now
        before = now
    raise TimeoutError(f"{what}: not on the screen within {TIMEOUT_S} s")


def find_change(before: Image.Image, after: Image.Image) -> Box | None:
    """The smallest box around everything that differs."""
    return ImageChops.difference(before, after).getbbox()


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
            f"screenshot.py: not installed: {', '.join(missing)}. {(__doc__ or '').splitlines()[-1]}", file=sys.stderr
        )
        return 1
    take_picture().save(words[0], optimize=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
