"""The command lines that open a window on Windows."""

from __future__ import annotations

from tray_app.desktop.windows.consoles import make_console_line, make_windows_terminal_line

PROGRAM = r"C:\Tom & Jerry\claude-nvidia-tray.exe"
CMD = r"C:\Windows\system32\cmd.exe"


def test_a_console_keeps_ampersands_within_quotes_and_pauses_if_the_command_fails() -> None:
    line = make_console_line(CMD, [PROGRAM, "claude"], r"D:\a&b", stays_open=False)
    pause = "(if errorlevel 1 pause) & (if not errorlevel 0 pause)"
    assert line == rf'"{CMD}" /d /s /c "pushd "D:\a&b" && "{PROGRAM}" "claude" & {pause}"'


def test_a_console_that_stays_open_pauses_in_any_case() -> None:
    line = make_console_line(CMD, [PROGRAM, "set-key"], r"D:\\", stays_open=True)
    assert line.endswith(rf'&& "{PROGRAM}" "set-key" & pause"')


def test_windows_terminal_gets_a_semicolon_that_does_not_end_its_command() -> None:
    line = make_windows_terminal_line("wt.exe", [PROGRAM, "claude"], r"D:\a;b")
    assert line == rf'wt.exe -d D:\a\;b "{PROGRAM}" claude'
