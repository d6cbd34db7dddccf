"""The functions and structures of Windows that the icon uses, with their types. It can be imported only on Windows.

They are described at https://learn.microsoft.com/windows/win32/api/
"""

from __future__ import annotations

import ctypes
from ctypes import wintypes
from typing import Any

_ctypes: Any = ctypes  # on other systems, type checkers do not know its Windows parts
_user = _ctypes.WinDLL("user32", use_last_error=True)
_shell = _ctypes.WinDLL("shell32")
_kernel = _ctypes.WinDLL("kernel32")

LRESULT = wintypes.LPARAM  # both are as wide as a pointer
WindowProcedure = _ctypes.WINFUNCTYPE(LRESULT, wintypes.HWND, wintypes.UINT, wintypes.WPARAM, wintypes.LPARAM)

WM_NULL = 0x0000
WM_CLOSE = 0x0010
WM_ENDSESSION = 0x0016
WM_SETTINGCHANGE = 0x001A
WM_CONTEXTMENU = 0x007B
WM_DISPLAYCHANGE = 0x007E
WM_TIMER = 0x0113
WM_DPICHANGED = 0x02E0
WM_USER = 0x0400
WM_APP = 0x8000

WS_POPUP = 0x80000000
WS_EX_TOOLWINDOW = 0x80

NIM_ADD, NIM_MODIFY, NIM_DELETE, NIM_SETVERSION = 0, 1, 2, 4
NIF_MESSAGE, NIF_ICON, NIF_TIP, NIF_INFO, NIF_SHOWTIP = 0x01, 0x02, 0x04, 0x10, 0x80
NIIF_USER, NIIF_LARGE_ICON = 0x04, 0x20
NIN_SELECT, NIN_KEYSELECT, NIN_BALLOONUSERCLICK = WM_USER, WM_USER + 1, WM_USER + 5
NOTIFYICON_VERSION_4 = 4

MIIM_STATE, MIIM_ID, MIIM_SUBMENU, MIIM_STRING, MIIM_FTYPE = 0x001, 0x002, 0x004, 0x040, 0x100
MFT_RADIOCHECK, MFT_SEPARATOR = 0x200, 0x800
MFS_DISABLED, MFS_CHECKED, MFS_DEFAULT = 0x0003, 0x0008, 0x1000
TPM_RIGHTALIGN, TPM_BOTTOMALIGN, TPM_VERTICAL, TPM_RETURNCMD, TPM_RIGHTBUTTON = 0x08, 0x20, 0x40, 0x100, 0x02

SM_CXICON, SM_MENUDROPALIGNMENT, SM_CXSMICON = 11, 40, 49
ICON_FORMAT_VERSION = 0x00030000
MSGFLT_ALLOW = 1


class WNDCLASSEXW(ctypes.Structure):
    _fields_ = (
        ("cbSize", wintypes.UINT),
        ("style", wintypes.UINT),
        ("lpfnWndProc", WindowProcedure),
        ("cbClsExtra", ctypes.c_int),
        ("cbWndExtra", ctypes.c_int),
        ("hInstance", wintypes.HINSTANCE),
        ("hIcon", wintypes.HICON),
        ("hCursor", wintypes.HANDLE),
        ("hbrBackground", wintypes.HBRUSH),
        ("lpszMenuName", wintypes.LPCWSTR),
        ("lpszClassName", wintypes.LPCWSTR),
        ("hIconSm", wintypes.HICON),
    )


class NOTIFYICONDATAW(ctypes.Structure):
    _fields_ = (
        ("cbSize", wintypes.DWORD),
        ("hWnd", wintypes.HWND),
        ("uID", wintypes.UINT),
        ("uFlags", wintypes.UINT),
        ("uCallbackMessage", wintypes.UINT),
        ("hIcon", wintypes.HICON),
        ("szTip", wintypes.WCHAR * 128),
        ("dwState", wintypes.DWORD),
        ("dwStateMask", wintypes.DWORD),
        ("szInfo", wintypes.WCHAR * 256),
        ("uVersion", wintypes.UINT),
        ("szInfoTitle", wintypes.WCHAR * 64),
        ("dwInfoFlags", wintypes.DWORD),
        ("guidItem", wintypes.BYTE * 16),
        ("hBalloonIcon", wintypes.HICON),
    )


class NOTIFYICONIDENTIFIER(ctypes.Structure):
    _fields_ = (
        ("cbSize", wintypes.DWORD),
        ("hWnd", wintypes.HWND),
        ("uID", wintypes.UINT),
        ("guidItem", wintypes.BYTE * 16),
    )


class MENUITEMINFOW(ctypes.Structure):
    _fields_ = (
        ("cbSize", wintypes.UINT),
        ("fMask", wintypes.UINT),
        ("fType", wintypes.UINT),
        ("fState", wintypes.UINT),
        ("wID", wintypes.UINT),
        ("hSubMenu", wintypes.HMENU),
        ("hbmpChecked", wintypes.HBITMAP),
        ("hbmpUnchecked", wintypes.HBITMAP),
        ("dwItemData", wintypes.LPVOID),
        ("dwTypeData", wintypes.LPCWSTR),
        ("cch", wintypes.UINT),
        ("hbmpItem", wintypes.HBITMAP),
    )


class TPMPARAMS(ctypes.Structure):
    _fields_ = (("cbSize", wintypes.UINT), ("rcExclude", wintypes.RECT))


def error() -> OSError:
    """Returns the error of the last call of user32."""
    failure: OSError = _ctypes.WinError(_ctypes.get_last_error())
    return failure


def _typed(function: Any, result: Any, *arguments: Any) -> Any:
    function.restype, function.argtypes = result, arguments
    return function


_P = ctypes.POINTER
_HWND, _HMENU, _HICON, _UINT, _BOOL = wintypes.HWND, wintypes.HMENU, wintypes.HICON, wintypes.UINT, wintypes.BOOL
_INT, _WPARAM, _LPARAM, _STRING = ctypes.c_int, wintypes.WPARAM, wintypes.LPARAM, wintypes.LPCWSTR

GetModuleHandle = _typed(_kernel.GetModuleHandleW, wintypes.HMODULE, _STRING)
GetConsoleWindow = _typed(_kernel.GetConsoleWindow, _HWND)

ShellNotifyIcon = _typed(_shell.Shell_NotifyIconW, _BOOL, wintypes.DWORD, _P(NOTIFYICONDATAW))
ShellNotifyIconGetRect = _typed(
    _shell.Shell_NotifyIconGetRect, ctypes.c_long, _P(NOTIFYICONIDENTIFIER), _P(wintypes.RECT)
)

RegisterClass = _typed(_user.RegisterClassExW, wintypes.ATOM, _P(WNDCLASSEXW))
UnregisterClass = _typed(_user.UnregisterClassW, _BOOL, _STRING, wintypes.HINSTANCE)
CreateWindow = _typed(
    _user.CreateWindowExW,
    _HWND,
    *(wintypes.DWORD, _STRING, _STRING, wintypes.DWORD),
    *(_INT, _INT, _INT, _INT),
    *(_HWND, _HMENU, wintypes.HINSTANCE, wintypes.LPVOID),
)
DestroyWindow = _typed(_user.DestroyWindow, _BOOL, _HWND)
FindWindow = _typed(_user.FindWindowW, _HWND, _STRING, _STRING)
SetForegroundWindow = _typed(_user.SetForegroundWindow, _BOOL, _HWND)
RegisterWindowMessage = _typed(_user.RegisterWindowMessageW, _UINT, _STRING)
ChangeWindowMessageFilter = _typed(
    _user.ChangeWindowMessageFilterEx, _BOOL, _HWND, _UINT, wintypes.DWORD, wintypes.LPVOID
)
SetTimer = _typed(_user.SetTimer, _WPARAM, _HWND, _WPARAM, _UINT, wintypes.LPVOID)
KillTimer = _typed(_user.KillTimer, _BOOL, _HWND, _WPARAM)

DefWindowProc = _typed(_user.DefWindowProcW, LRESULT, _HWND, _UINT, _WPARAM, _LPARAM)
GetMessage = _typed(_user.GetMessageW, _INT, _P(wintypes.MSG), _HWND, _UINT, _UINT)
DispatchMessage = _typed(_user.DispatchMessageW, LRESULT, _P(wintypes.MSG))
PostMessage = _typed(_user.PostMessageW, _BOOL, _HWND, _UINT, _WPARAM, _LPARAM)
SendMessage = _typed(_user.SendMessageW, LRESULT, _HWND, _UINT, _WPARAM, _LPARAM)
PostQuitMessage = _typed(_user.PostQuitMessage, None, _INT)

CreatePopupMenu = _typed(_user.CreatePopupMenu, _HMENU)
InsertMenuItem = _typed(_user.InsertMenuItemW, _BOOL, _HMENU, _UINT, _BOOL, _P(MENUITEMINFOW))
DestroyMenu = _typed(_user.DestroyMenu, _BOOL, _HMENU)
EndMenu = _typed(_user.EndMenu, _BOOL)
TrackPopupMenu = _typed(_user.TrackPopupMenuEx, _INT, _HMENU, _UINT, _INT, _INT, _HWND, _P(TPMPARAMS))

GetSystemMetrics = _typed(_user.GetSystemMetrics, _INT, _INT)
CreateIcon = _typed(
    _user.CreateIconFromResourceEx,
    _HICON,
    *(ctypes.c_char_p, wintypes.DWORD, _BOOL, wintypes.DWORD, _INT, _INT, _UINT),
)
DestroyIcon = _typed(_user.DestroyIcon, _BOOL, _HICON)


def get_metric(name: int, window: Any) -> int:
    """Returns a system metric in pixels, for the window's screen; before Windows 10 1607, for the first screen."""
    try:
        dpi = _typed(_user.GetDpiForWindow, _UINT, _HWND)(window)
        metric = _typed(_user.GetSystemMetricsForDpi, _INT, _INT, _UINT)(name, dpi) if dpi else 0
    except AttributeError:
        metric = 0
    return int(metric or GetSystemMetrics(name))
