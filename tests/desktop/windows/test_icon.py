"""The tray icon of Windows with real Windows messages. Only the shell is replaced by a fake."""

from __future__ import annotations

import ctypes
import logging
import threading
from collections.abc import Callable, Iterator
from ctypes import wintypes
from typing import Any

import pytest
from PIL import Image
from pystray import Menu, MenuItem

from tray_app import APP_NAME
from tray_app.desktop.windows import icon as win32_icon
from tray_app.desktop.windows import win32
from tray_app.desktop.windows.icon import WINDOW_CLASS, Win32Icon

TIMEOUT_S = 20
MF_BYPOSITION, MF_CHECKED = 0x400, 0x8
WM_GETTEXTLENGTH = 0x000E
WM_QUERYENDSESSION = 0x0011


class Shell:
    """A fake of Shell_NotifyIcon. It records its calls, and refuses them while `is_up` is false."""

    def __init__(self) -> None:
        self.is_up = True
        self.answers: dict[int, bool] = {}  # by message, if the answer is not `is_up`
        self.told: list[tuple[int, Any]] = []
        self._changed = threading.Condition()

    def __call__(self, message: int, pointer: Any) -> bool:
        with self._changed:
            answer = self.answers.get(message, self.is_up)
            self.told.append((message, win32.NOTIFYICONDATAW.from_buffer_copy(pointer._obj)))  # noqa: SLF001 (ctypes)
            self._changed.notify_all()
            return answer

    def count(self, message: int) -> int:
        return sum(1 for told, _ in self.told if told == message)

    def wait(self, message: int, times: int) -> None:
        """Waits until this call has been made this many times."""
        with self._changed:
            assert self._changed.wait_for(lambda: self.count(message) >= times, TIMEOUT_S), self.told


@pytest.fixture
def shell(monkeypatch: pytest.MonkeyPatch) -> Shell:
    played = Shell()
    monkeypatch.setattr(win32, "ShellNotifyIcon", played)
    return played


@pytest.fixture
def icon(shell: Shell) -> Iterator[Win32Icon]:
    made = Win32Icon("test", Image.new("RGBA", (64, 64), "green"), "tip")
    yield made
    assert not win32.FindWindow(WINDOW_CLASS, None), "the window is gone"


def run(icon: Win32Icon, action: Callable[[], None]) -> None:
    """Runs the icon here and `action` in another thread. Raises what `action` raises."""
    failures: list[BaseException] = []

    def set_up(_: Any) -> None:
        try:
            action()
        except BaseException as error:  # noqa: BLE001 (pytest reports it in its own thread)
            failures.append(error)
        icon.stop()

    icon.run(set_up)
    if failures:
        raise failures[0]


def show(icon: Win32Icon) -> None:
    icon.visible = True


def test_the_icon_appears_and_disappears(shell: Shell, icon: Win32Icon) -> None:
    hosted = []

    def action() -> None:
        show(icon)
        hosted.append(icon.hosted)

    run(icon, action)
    assert hosted == [True]
    assert not icon.hosted
    assert [shell.count(message) for message in (win32.NIM_ADD, win32.NIM_DELETE)] == [1, 1]


def test_it_waits_for_a_shell_that_is_not_up_yet(
    shell: Shell, icon: Win32Icon, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(win32_icon, "_RETRY_MS", 10)
    shell.is_up = False

    def action() -> None:
        show(icon)
        assert not icon.hosted
        icon.notify("kept until then")
        shell.wait(win32.NIM_ADD, times=3)
        shell.is_up = True
        shell.wait(win32.NIM_SETVERSION, times=1)

    run(icon, action)
    texts = [data.szInfo for _, data in shell.told if data.uFlags & win32.NIF_INFO]
    assert texts == ["kept until then"]


def test_an_icon_that_the_shell_shows_after_a_failed_call_is_hosted(shell: Shell, icon: Win32Icon) -> None:
    shell.answers[win32.NIM_ADD] = False

    def action() -> None:
        show(icon)
        assert icon.hosted

    run(icon, action)


def test_a_new_taskbar_gets_the_icon_again(shell: Shell, icon: Win32Icon) -> None:
    def action() -> None:
        show(icon)
        win32.SendMessage(icon.window, win32.RegisterWindowMessage("TaskbarCreated"), 0, 0)
        assert shell.count(win32.NIM_ADD) == 2
        assert icon.hosted

    run(icon, action)


def test_texts_are_cut_to_what_fits(shell: Shell, icon: Win32Icon) -> None:
    def action() -> None:
        icon.title = "😀" * 100
        show(icon)
        icon.notify("t" * 300, "T" * 100)
        shell.wait(win32.NIM_MODIFY, times=1)

    run(icon, action)
    assert shell.told[0][1].szTip == "😀" * 63 + "…"
    [told] = [data for _, data in shell.told if data.uFlags & win32.NIF_INFO]
    assert (told.szInfoTitle, told.szInfo) == ("T" * 62 + "…", "t" * 254 + "…")


def test_the_picture_is_made_once_for_each_state(
    shell: Shell, icon: Win32Icon, monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes_px: list[int] = []
    make = win32_icon.make_icon

    def note(image: Image.Image, size_px: int) -> int:
        sizes_px.append(size_px)
        return make(image, size_px)

    monkeypatch.setattr(win32_icon, "make_icon", note)

    def action() -> None:
        show(icon)
        win32.SendMessage(icon.window, win32.WM_SETTINGCHANGE, 0, 0)
        icon.icon = Image.new("RGBA", (64, 64), "red")
        win32.SendMessage(icon.window, win32.WM_DISPLAYCHANGE, 0, 0)

    run(icon, action)
    assert sizes_px == [win32.GetSystemMetrics(win32.SM_CXSMICON)] * 2


def test_another_size_of_the_tray_gives_another_picture(
    shell: Shell, icon: Win32Icon, monkeypatch: pytest.MonkeyPatch
) -> None:
    def action() -> None:
        show(icon)
        before = shell.told[-2][1].hIcon  # the last call sets the version
        monkeypatch.setattr(win32, "get_metric", lambda name, window: 40)
        win32.SendMessage(icon.window, win32.WM_DPICHANGED, 0, 0)
        assert shell.told[-1][1].hIcon not in (None, before)

    run(icon, action)


def test_log_off_is_not_vetoed_and_waits_for_the_program(shell: Shell, icon: Win32Icon) -> None:
    asked: list[int] = []
    icon.on_session_end = lambda: asked.append(threading.get_ident())

    def action() -> None:
        assert win32.SendMessage(icon.window, WM_QUERYENDSESSION, 0, 0) == 1
        win32.SendMessage(icon.window, win32.WM_ENDSESSION, 0, 0)  # another program has prevented the log-off
        assert not asked
        win32.SendMessage(icon.window, win32.WM_ENDSESSION, 1, 0)
        assert asked == [threading.main_thread().ident]

    run(icon, action)


def test_a_message_that_fails_is_logged_and_the_icon_stays(
    shell: Shell, icon: Win32Icon, caplog: pytest.LogCaptureFixture
) -> None:
    def fail() -> None:
        raise RuntimeError("no")

    icon.on_close = fail

    def action() -> None:
        win32.SendMessage(icon.window, win32.WM_CLOSE, 0, 0)
        show(icon)
        assert icon.hosted

    with caplog.at_level(logging.ERROR):
        run(icon, action)
    assert "RuntimeError: no" in caplog.text


def test_windows_answers_messages_that_the_icon_does_not_handle(shell: Shell, icon: Win32Icon) -> None:
    def action() -> None:
        found = win32.FindWindow(WINDOW_CLASS, APP_NAME)
        assert found == icon.window
        assert win32.SendMessage(found, WM_GETTEXTLENGTH, 0, 0) == len(APP_NAME)

    run(icon, action)


def test_a_left_click_runs_the_default_item_and_a_click_on_a_notification_is_told(
    shell: Shell, icon: Win32Icon
) -> None:
    done: list[str] = []
    icon.menu = Menu(MenuItem("Other", lambda: None), MenuItem("Open", lambda: done.append("opened"), default=True))
    icon.on_notification_click = lambda: done.append("told")

    def action() -> None:
        show(icon)
        callback = shell.told[0][1].uCallbackMessage
        for event in (win32.NIN_SELECT, win32.NIN_KEYSELECT, win32.NIN_BALLOONUSERCLICK):
            win32.SendMessage(icon.window, callback, 0, event)

    run(icon, action)
    assert done == ["opened", "opened", "told"]


def test_a_submenu_has_its_lines_with_marks_and_a_click_on_one_runs_it(shell: Shell, icon: Win32Icon) -> None:
    clicked: list[str] = []
    more = Menu(
        MenuItem("On", lambda: clicked.append("on"), checked=lambda _: True),
        MenuItem("Off", lambda: clicked.append("off"), checked=lambda _: False),
    )
    icon.menu = Menu(MenuItem("First", lambda: clicked.append("first")), MenuItem("More", more))
    items: list[Any] = []
    windows: Any = ctypes  # on other systems, type checkers do not know its Windows parts
    user = windows.WinDLL("user32")
    handle = icon._make_menu(icon.menu, items)  # noqa: SLF001 (the menu without a person who opens it)
    user.GetSubMenu.restype = wintypes.HMENU
    submenu = wintypes.HMENU(user.GetSubMenu(wintypes.HMENU(handle), 1))
    states = [user.GetMenuState(submenu, place, MF_BYPOSITION) for place in (0, 1)]
    ids = [user.GetMenuItemID(submenu, place) for place in (0, 1)]
    win32.DestroyMenu(handle)
    assert [items[id_ - 1].text for id_ in ids] == ["On", "Off"]
    assert [bool(state & MF_CHECKED) for state in states] == [True, False]
    items[ids[1] - 1](icon)
    assert clicked == ["off"]
    run(icon, lambda: None)  # the window goes
