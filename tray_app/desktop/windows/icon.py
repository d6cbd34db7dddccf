"""A pystray backend for Windows: an icon in the notification area, with a hidden window that gets its messages.

Only the thread of the window talks to the shell. Other threads note what they want and post a message, so that an open
menu never changes. The menu is built each time it opens. https://learn.microsoft.com/windows/win32/shell/notification-area
"""

from __future__ import annotations

import ctypes
import io
import logging
from collections.abc import Callable
from ctypes import byref, sizeof, wintypes
from queue import Empty, SimpleQueue
from typing import Any

from PIL import Image
from pystray import _base

from tray_app import APP_ID, APP_NAME
from tray_app.desktop.windows import win32
from tray_app.desktop.windows.texts import NOTIFICATION_UNITS, TITLE_UNITS, TOOLTIP_UNITS, cut, escape_label

log = logging.getLogger(__name__)

WINDOW_CLASS = APP_ID
"""The class name of the window. The installer finds the running app by it, and ends the app with WM_CLOSE."""

_ICON_ID = 1
_WM_ICON = win32.WM_APP + 1  # the shell reports a click on the icon
_WM_REFRESH = win32.WM_APP + 2
_WM_STOP = win32.WM_APP + 3

_RETRY_TIMER, _SIGNAL_TIMER = 1, 2
_RETRY_MS = 1000
"""The time between attempts to show the icon. At log-in the shell may start after this program."""
_SIGNAL_MS = 500
"""The time between two messages that let Python run its signal handlers."""

_ICO_HEADER_BYTES = 6 + 16  # of a file with one picture; the rest of the file is an icon resource


def _ignore() -> None:
    pass


class Win32Icon(_base.Icon):  # type: ignore[misc]  # pystray has no types
    """A tray icon. It is made and run in one thread. Any thread may use the properties and methods of pystray.Icon.

    Menu texts are read, and actions and the two hooks are run, in the thread that is in `run()`.
    """

    on_close: Callable[[], None] = staticmethod(_ignore)
    """Is called when another program, such as an installer, asks this one to end."""

    on_session_end: Callable[[], None] = staticmethod(_ignore)
    """Is called at log-off and shutdown. Windows may kill the process as soon as it returns, or after five seconds."""

    def __init__(self, name: str, icon: Image.Image | None = None, title: str | None = None, menu: Any = None) -> None:
        """Creates the window. OSError if Windows refuses that."""
        super().__init__(name, icon, title, menu)
        self._is_wanted = False
        self._is_hosted = False
        self._menu_is_open = False
        self._notifications: SimpleQueue[tuple[str, str]] = SimpleQueue()
        self._drawn: tuple[Image.Image | None, int] = (None, 0)  # the picture of the handle, and its size in pixels
        self._handle: int | None = None
        self._handlers: dict[int, Callable[[int, int], None]] = {
            _WM_ICON: self._on_icon,
            _WM_REFRESH: self._on_refresh,
            _WM_STOP: self._on_stop,
            win32.RegisterWindowMessage("TaskbarCreated"): self._on_taskbar_created,
            win32.WM_TIMER: self._on_timer,
            win32.WM_CLOSE: self._on_close,
            win32.WM_ENDSESSION: self._on_end_session,
            # After these, icons may need another size.
            win32.WM_DISPLAYCHANGE: self._on_refresh,
            win32.WM_DPICHANGED: self._on_refresh,
            win32.WM_SETTINGCHANGE: self._on_refresh,
        }
        self._procedure = win32.WindowProcedure(self._receive)  # kept here, because the window class keeps no reference
        self.window = self._make_window()

    @property
    def hosted(self) -> bool:
        """Tells whether the taskbar has accepted the icon."""
        return self._is_hosted

    # ---- Methods that pystray calls

    def _run(self) -> None:
        if win32.GetConsoleWindow():  # Python runs signal handlers, that of Ctrl-C too, only between two messages
            win32.SetTimer(self.window, _SIGNAL_TIMER, _SIGNAL_MS, None)
        self._mark_ready()
        message = wintypes.MSG()
        try:
            while win32.GetMessage(byref(message), None, 0, 0) > 0:
                win32.DispatchMessage(byref(message))
        finally:
            self._visible = self._is_wanted = False
            self._refresh()
            win32.DestroyWindow(self.window)
            win32.UnregisterClass(WINDOW_CLASS, win32.GetModuleHandle(None))
            self._drop_handle()

    def _stop(self) -> None:
        win32.PostMessage(self.window, _WM_STOP, 0, 0)

    def _show(self) -> None:
        self._is_wanted = True
        win32.SendMessage(self.window, _WM_REFRESH, 0, 0)  # waits, so that `hosted` is known afterwards

    def _hide(self) -> None:
        self._is_wanted = False
        self._ask_for_refresh()

    def _update_icon(self) -> None:
        self._icon_valid = True
        self._ask_for_refresh()

    def _update_title(self) -> None:
        self._ask_for_refresh()

    def _update_menu(self) -> None:
        """Does nothing, because the menu is built when it opens."""

    def _notify(self, message: str, title: str | None = None) -> None:
        self._notifications.put((title or self.title, message))
        self._ask_for_refresh()

    def _remove_notification(self) -> None:
        self._notifications.put(("", ""))
        self._ask_for_refresh()

    def _ask_for_refresh(self) -> None:
        win32.PostMessage(self.window, _WM_REFRESH, 0, 0)

    # ---- Messages

    def _receive(self, window: int, message: int, wparam: int, lparam: int) -> int:
        handler = self._handlers.get(message)
        try:
            if handler is not None:
                handler(wparam, lparam)
                return 0
        except Exception:  # ctypes would only print it, and there may be no terminal
            log.exception("message %#x of Windows failed", message)
            return 0
        return int(win32.DefWindowProc(window, message, wparam, lparam))

    def _on_icon(self, wparam: int, lparam: int) -> None:
        """Runs the default item at a left click and at Enter, if there is one. Opens the menu at any other click."""
        event = lparam & 0xFFFF
        is_selected = event in (win32.NIN_SELECT, win32.NIN_KEYSELECT)
        if is_selected and any(item.default for item in self._menu or ()):
            self()  # calling an icon runs its default item
        elif is_selected or event == win32.WM_CONTEXTMENU:
            x, y = (ctypes.c_short(part).value for part in (wparam & 0xFFFF, wparam >> 16 & 0xFFFF))
            self._open_menu(x, y)

    def _on_refresh(self, _wparam: int, _lparam: int) -> None:
        self._refresh()

    def _on_timer(self, timer: int, _lparam: int) -> None:
        if timer == _RETRY_TIMER:
            self._refresh()

    def _on_taskbar_created(self, _wparam: int, _lparam: int) -> None:
        self._is_hosted = False  # a new taskbar does not have the icon
        self._refresh()

    def _on_close(self, _wparam: int, _lparam: int) -> None:
        self.on_close()

    def _on_end_session(self, does_end: int, _lparam: int) -> None:
        if does_end:
            self.on_session_end()

    def _on_stop(self, _wparam: int, _lparam: int) -> None:
        if self._menu_is_open:
            win32.EndMenu()
        win32.PostQuitMessage(0)

    # ---- The icon

    def _refresh(self) -> None:
        """Shows, changes or removes the icon as it is wanted. Tries again later if there is no shell yet."""
        if not self._is_wanted:
            if self._is_hosted:
                self._tell(win32.NIM_DELETE)
            self._is_hosted = False
            return
        stale = self._draw()
        was_hosted, self._is_hosted = self._is_hosted, self._place()
        if stale:
            win32.DestroyIcon(stale)
        if self._is_hosted:
            win32.KillTimer(self.window, _RETRY_TIMER)
            self._show_notifications()
        else:
            win32.SetTimer(self.window, _RETRY_TIMER, _RETRY_MS, None)
        if was_hosted != self._is_hosted:
            log.info("the taskbar %s the icon", "has" if self._is_hosted else "does not take")

    def _place(self) -> bool:
        content = {
            "uFlags": win32.NIF_MESSAGE | win32.NIF_ICON | win32.NIF_TIP | win32.NIF_SHOWTIP,
            "uCallbackMessage": _WM_ICON,
            "hIcon": self._handle,
            "szTip": cut(self.title, TOOLTIP_UNITS),
        }
        if self._is_hosted and self._tell(win32.NIM_MODIFY, **content):
            return True
        # A busy shell may add an icon although the call has failed, and then refuses to add it again.
        if not (self._tell(win32.NIM_ADD, **content) or self._tell(win32.NIM_MODIFY, **content)):
            return False
        self._tell(win32.NIM_SETVERSION, uVersion=win32.NOTIFYICON_VERSION_4)
        return True

    def _show_notifications(self) -> None:
        while True:
            try:
                title, text = self._notifications.get_nowait()
            except Empty:
                return
            picture = make_icon(self._icon, win32.get_metric(win32.SM_CXICON, self.window))
            self._tell(
                win32.NIM_MODIFY,
                uFlags=win32.NIF_INFO,
                szInfoTitle=cut(title, TITLE_UNITS),
                szInfo=cut(text, NOTIFICATION_UNITS),
                dwInfoFlags=win32.NIIF_USER | win32.NIIF_LARGE_ICON,
                hBalloonIcon=picture,
            )
            win32.DestroyIcon(picture)

    def _tell(self, message: int, **content: Any) -> bool:
        data = win32.NOTIFYICONDATAW(cbSize=sizeof(win32.NOTIFYICONDATAW), hWnd=self.window, uID=_ICON_ID, **content)
        return bool(win32.ShellNotifyIcon(message, byref(data)))

    def _draw(self) -> int | None:
        """Makes a handle of the picture in the taskbar's size. Returns the old one to destroy; None: it still fits."""
        taskbar = win32.FindWindow("Shell_TrayWnd", None) or self.window
        wanted = self._icon, win32.get_metric(win32.SM_CXSMICON, taskbar)
        if wanted == self._drawn:
            return None
        old, self._handle, self._drawn = self._handle, make_icon(*wanted), wanted
        return old

    def _drop_handle(self) -> None:
        if self._handle:
            win32.DestroyIcon(self._handle)
            self._handle, self._drawn = None, (None, 0)

    # ---- The menu

    def _open_menu(self, x: int, y: int) -> None:
        if self._menu_is_open or not self._menu:
            return
        items: list[Any] = []  # in the order of their ids, which begin at 1
        menu = self._make_menu(self._menu, items)
        flags = win32.TPM_BOTTOMALIGN | win32.TPM_VERTICAL | win32.TPM_RETURNCMD | win32.TPM_RIGHTBUTTON
        if win32.GetSystemMetrics(win32.SM_MENUDROPALIGNMENT):  # the user may prefer menus on the left of the pointer
            flags |= win32.TPM_RIGHTALIGN
        self._menu_is_open = True
        try:
            # Without these two calls, the menu would not close when the user clicks elsewhere:
            # https://learn.microsoft.com/windows/win32/api/winuser/nf-winuser-trackpopupmenu#remarks
            win32.SetForegroundWindow(self.window)
            chosen = win32.TrackPopupMenu(menu, flags, x, y, self.window, self._find_place())
            win32.PostMessage(self.window, win32.WM_NULL, 0, 0)
        finally:
            self._menu_is_open = False
            win32.DestroyMenu(menu)
        if chosen:
            items[chosen - 1](self)

    def _find_place(self) -> Any:
        """Returns the place of the icon, which the menu must not cover; None if the shell does not know it."""
        icon = win32.NOTIFYICONIDENTIFIER(cbSize=sizeof(win32.NOTIFYICONIDENTIFIER), hWnd=self.window, uID=_ICON_ID)
        place = win32.TPMPARAMS(cbSize=sizeof(win32.TPMPARAMS))
        is_known = win32.ShellNotifyIconGetRect(byref(icon), byref(place.rcExclude)) == 0
        return byref(place) if is_known else None

    def _make_menu(self, entries: Any, items: list[Any]) -> int:
        menu: int | None = win32.CreatePopupMenu()
        if not menu:
            raise win32.error()
        for place, entry in enumerate(entries):
            line = self._make_line(entry, items)
            if not win32.InsertMenuItem(menu, place, True, byref(line)):
                raise win32.error()
        return menu

    def _make_line(self, entry: Any, items: list[Any]) -> Any:
        size = sizeof(win32.MENUITEMINFOW)
        if entry is _base.Menu.SEPARATOR:
            return win32.MENUITEMINFOW(cbSize=size, fMask=win32.MIIM_FTYPE, fType=win32.MFT_SEPARATOR)
        items.append(entry)
        return win32.MENUITEMINFOW(
            cbSize=size,
            fMask=win32.MIIM_ID | win32.MIIM_STRING | win32.MIIM_STATE | win32.MIIM_FTYPE | win32.MIIM_SUBMENU,
            wID=len(items),
            dwTypeData=escape_label(entry.text),
            fType=win32.MFT_RADIOCHECK if entry.radio else 0,
            fState=(0 if entry.enabled else win32.MFS_DISABLED)
            | (win32.MFS_CHECKED if entry.checked else 0)
            | (win32.MFS_DEFAULT if entry.default else 0),
            hSubMenu=self._make_menu(entry.submenu, items) if entry.submenu else None,
        )

    # ---- The window

    def _make_window(self) -> int:
        module = win32.GetModuleHandle(None)
        window_class = win32.WNDCLASSEXW(
            cbSize=sizeof(win32.WNDCLASSEXW),
            lpfnWndProc=self._procedure,
            hInstance=module,
            lpszClassName=WINDOW_CLASS,
        )
        if not win32.RegisterClass(byref(window_class)):
            raise win32.error()
        # It is a top-level window, because others get no message about a new taskbar or the end of the session.
        window: int | None = win32.CreateWindow(
            win32.WS_EX_TOOLWINDOW, WINDOW_CLASS, APP_NAME, win32.WS_POPUP, 0, 0, 0, 0, None, None, module, None
        )
        if not window:
            raise win32.error()
        # Lets the shell send this message to a program that was started as administrator.
        win32.ChangeWindowMessageFilter(window, win32.RegisterWindowMessage("TaskbarCreated"), win32.MSGFLT_ALLOW, None)
        return window


def make_icon(image: Image.Image, size_px: int) -> int:
    """Returns a handle of the picture as an icon of this size, for DestroyIcon. OSError if Windows refuses it."""
    file = io.BytesIO()
    picture = image.convert("RGBA").resize((size_px, size_px), Image.Resampling.LANCZOS)
    picture.save(file, "ICO", sizes=[(size_px, size_px)], bitmap_format="bmp")
    resource = file.getvalue()[_ICO_HEADER_BYTES:]
    handle: int | None = win32.CreateIcon(resource, len(resource), True, win32.ICON_FORMAT_VERSION, size_px, size_px, 0)
    if not handle:
        raise win32.error()
    return handle
