"""The app from its source under the Python of a Wine prefix: tray, menu, balloon, console, log-off, as a user has them.

`dev.py windows` makes such a prefix; WINE_TEST_PREFIX names it. Nothing else may use it meanwhile.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image

from tests.bundle.wine_desktop import PARTS, PYTHON, WINE, Menu, WineDesktop
from tests.support.app_folder import AppFolder
from tests.support.parts import need
from tests.support.waiting import wait_for

PREFIX = os.environ.get("WINE_TEST_PREFIX", "")
GREEN = (118, 185, 0)
GLM, MINIMAX, PAGE, _OPEN, EXPORTS, _EXPORTS_FOR, _BODIES, MORE, QUIT = range(1, 10)  # the lines of the menu
EXIT_S = 20
START_S = 60  # the first start also compiles the source


class App:
    """The running app, with a folder of its own for all that it keeps."""

    def __init__(self, desktop: WineDesktop, home: Path) -> None:
        self.folder = AppFolder(home)
        self.folder.edit_settings(version=1)  # the first start would say hello in a balloon
        self._desktop = desktop
        self.start = (PYTHON, "-m", "tray_app", "--demo")
        self.environment = {"CLAUDE_NVIDIA_TRAY_HOME": desktop.windows.to_windows(home), "ADDR": "127.0.0.1:0"}
        self.process = desktop.start(*self.start, log="app", **self.environment)
        desktop.wait_icon()
        wait_for(lambda: "listening on http://" in desktop.read_log("app"), "the gateway", START_S)

    @property
    def url(self) -> str:
        return self._desktop.read_log("app").split("listening on ")[1].split()[0]

    def wait_quit(self) -> None:
        """Waits for its end, which must be the orderly one."""
        assert self.process.wait(EXIT_S) == 0, self._desktop.read_log("app")
        assert "quit" in self.folder.log
        assert not (self.folder.path / "state" / "instance.json").exists()


@pytest.fixture
def desktop() -> Iterator[WineDesktop]:
    if not PREFIX:
        pytest.skip("WINE_TEST_PREFIX names no Wine prefix")
    need(*PARTS, str(WINE))
    with WineDesktop(Path(PREFIX)) as started:
        yield started


@pytest.fixture
def app(desktop: WineDesktop, tmp_path: Path) -> App:
    return App(desktop, tmp_path)


def tray_picture(desktop: WineDesktop) -> Image.Image:
    box = desktop.wait_icon()
    return desktop.take_screenshot().crop((box.left, box.top, box.left + box.width, box.top + box.height))


def marked(menu: Menu) -> list[int]:
    return [line for line in range(len(menu.rows)) if menu.is_marked(line)]


def balloon_is_there(desktop: WineDesktop) -> bool:
    box = desktop.find_window("--class", "explorer.exe")  # the newest one, which is a balloon while one shows
    return box is not None and box.height > desktop.wait_icon().height


def count_green(desktop: WineDesktop) -> int:
    shades = tray_picture(desktop).tobytes()
    pixels = zip(shades[::3], shades[1::3], shades[2::3], strict=True)
    return sum(all(abs(a - b) < 12 for a, b in zip(pixel, GREEN, strict=True)) for pixel in pixels)


def test_the_running_icon_is_green(desktop: WineDesktop, app: App) -> None:
    wait_for(lambda: count_green(desktop) > 80, "the running icon; it has 256 pixels in all")


def test_the_left_button_opens_the_page_and_so_does_its_item(desktop: WineDesktop, app: App) -> None:
    desktop.click_icon(1)
    assert desktop.wait_page().startswith(f"{app.url}/#token=")

    def is_open() -> bool:
        desktop.open_menu().click(PAGE)
        desktop.wait_menu_closed()
        return len(desktop.shown_pages) > 1

    wait_for(is_open, "the page")  # the first click may follow the one on the icon too soon
    assert desktop.shown_pages[1].startswith(f"{app.url}/#token=")


def test_the_right_button_opens_the_menu_and_a_click_elsewhere_closes_it(desktop: WineDesktop, app: App) -> None:
    menu = desktop.open_menu()
    assert len(menu.rows) == QUIT + 1
    screen = desktop.take_screenshot()
    assert menu.box.left + menu.box.width <= screen.width
    assert menu.box.top + menu.box.height <= screen.height
    desktop.click(10, 10)
    desktop.wait_menu_closed()
    desktop.open_menu().click(QUIT)
    app.wait_quit()


def test_a_click_chooses_the_model(desktop: WineDesktop, app: App) -> None:
    before = tray_picture(desktop)
    menu = desktop.open_menu()
    assert marked(menu) == [GLM]
    menu.click(MINIMAX)
    desktop.wait_menu_closed()
    wait_for(lambda: app.folder.settings["model"] == "minimaxai/minimax-m2.1", "the choice in the settings file")
    wait_for(lambda: tray_picture(desktop) != before, "the other letter")
    assert marked(desktop.open_menu()) == [MINIMAX]


def test_exports_are_copied_and_a_balloon_says_so(desktop: WineDesktop, app: App) -> None:
    desktop.open_menu().click(EXPORTS)
    text = wait_for(desktop.read_clipboard, "the exports in the clipboard")
    assert f"$env:ANTHROPIC_BASE_URL = '{app.url}'" in text
    wait_for(lambda: balloon_is_there(desktop), "the balloon")


def test_the_submenu_opens_and_its_item_has_windows_start_the_app_at_login(desktop: WineDesktop, app: App) -> None:
    desktop.open_menu().click(MORE)
    lines = (
        "Use for All Claude Code Sessions",
        "Pause",
        "Start at Login",
        "Other Programs Choose Their Own Model",
        "Open Log Folder",
    )
    submenu = wait_for(lambda: desktop.find_menu(rows=len(lines)), "the submenu")
    submenu.click(lines.index("Start at Login"))
    read = "from tray_app.desktop.windows.desktop import WindowsDesktop; print(WindowsDesktop().starts_at_login())"
    wait_for(lambda: desktop.run_python(read).strip() == "True", "the entry in the registry")
    desktop.open_menu().click(MORE)
    submenu = wait_for(lambda: desktop.find_menu(rows=len(lines)), "the submenu")
    assert marked(submenu) == [lines.index("Start at Login")]
    submenu.click(lines.index("Start at Login"))
    wait_for(lambda: desktop.run_python(read).strip() == "False", "no entry in the registry")


def test_an_installer_can_end_the_app_even_while_its_menu_is_open(desktop: WineDesktop, app: App) -> None:
    desktop.open_menu()
    desktop.close_window("claude-nvidia-tray")
    app.wait_quit()
    assert not desktop.has_icon()


def test_the_app_ends_in_order_at_log_off(desktop: WineDesktop, app: App) -> None:
    desktop.run(WINE, "wineboot", "--end-session")
    app.wait_quit()


def test_a_key_is_asked_for_in_a_console_of_its_own(desktop: WineDesktop, tmp_path: Path) -> None:
    program = (  # with more patience than for a person, as a busy Wine may take longer to keep a key
        "import runpy, sys; from tray_app.settings import keys; keys.KEYRING_TIMEOUT_S = 60.0; "
        "sys.argv.append('set-key'); runpy.run_module('tray_app', run_name='__main__')"
    )
    home = desktop.windows.to_windows(tmp_path)
    desktop.env |= {"CLAUDE_NVIDIA_TRAY_HOME": home, "APP": PYTHON, "PROGRAM": program}
    code = (
        "import os; from pathlib import Path; from tray_app.desktop.windows.desktop import WindowsDesktop; "
        "command = [os.environ['APP'], '-c', os.environ['PROGRAM']]; "
        "WindowsDesktop().open_terminal(command, Path.home(), stays_open=True); print('opened')"
    )
    desktop.start(PYTHON, "-c", code, log="opener")
    read_key = "import keyring; print(keyring.get_password('claude-nvidia-tray', 'nvidia-api-key'))"
    desktop.wait_log("opener", "opened")
    console = wait_for(lambda: desktop.find_window("--class", "conhost.exe"), "the console")
    blank = desktop.take_screenshot()
    wait_for(lambda: desktop.take_screenshot() != blank, "the question")
    desktop.click(console.left + 50, console.top + 50)
    desktop.run("xdotool", "type", "nvapi-typed\n")
    settings = tmp_path / "settings.json"
    try:
        wait_for(lambda: settings.exists() and "keys_changed" in settings.read_text(), "the note that a key was kept")
        assert desktop.run_python(read_key).strip() == "nvapi-typed"
        assert "nvapi-typed" not in settings.read_text()
        assert desktop.find_window("--class", "conhost.exe"), "it stays until it is read"
    finally:
        desktop.run(WINE, PYTHON, "-m", "tray_app", "set-key", "--remove")
    assert desktop.run_python(read_key).strip() == "None"


def test_a_clipboard_that_another_program_holds_is_an_error_and_no_copy(desktop: WineDesktop) -> None:
    code = (
        "import ctypes; from ctypes import wintypes; from tray_app.desktop import DesktopError\n"
        "from tray_app.desktop.windows.desktop import WindowsDesktop\n"
        "import threading, pyperclip\n"
        "user = ctypes.WinDLL('user32'); user.CreateWindowExW.restype = wintypes.HWND\n"
        "user.OpenClipboard.argtypes = (wintypes.HWND,)\n"
        "said = []\n"
        "def copy(text):\n"
        "    try: WindowsDesktop().copy_text(text)\n"
        "    except DesktopError as error: said.append(str(error))\n"
        "def copy_elsewhere(text):\n"
        "    thread = threading.Thread(target=copy, args=(text,)); thread.start(); thread.join()\n"
        "copy_elsewhere('ä😀'); assert pyperclip.paste() == 'ä😀' and not said\n"
        "window = user.CreateWindowExW(0, 'STATIC', None, 0, 0, 0, 0, 0, None, None, None, None)\n"
        "assert user.OpenClipboard(window)\n"
        "copy_elsewhere('b'); user.CloseClipboard(); print(said)\n"
    )
    assert desktop.run_python(code).strip() == "['The clipboard could not be written.']"
