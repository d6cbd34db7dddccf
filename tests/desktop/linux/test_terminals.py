"""Which terminal is taken, and the words that it wants before a command."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

if sys.platform == "win32":
    pytest.skip("links and devices of POSIX", allow_module_level=True)

from tray_app.desktop.linux.terminals import list_terminals

Find = Callable[..., list[list[str]]]


@pytest.fixture
def find(tmp_path: Path) -> Find:
    """Returns the terminals that are found, without their folder. The arguments are environment variables."""

    def find_terminals(**environ: str) -> list[list[str]]:
        found = list_terminals({"PATH": str(tmp_path), "DISPLAY": ":0", **environ})
        return [[Path(program).name, *words] for program, *words in found]

    return find_terminals


def install(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).touch(0o755)


def test_each_terminal_that_is_installed_is_found_once(find: Find, tmp_path: Path) -> None:
    assert find() == []
    install(tmp_path, "xterm", "konsole", "kitty", "wezterm")
    assert find() == [["konsole", "-e"], ["kitty"], ["wezterm", "start", "--"], ["xterm", "-e"]]
    assert find(TERMINAL="kitty", XDG_CURRENT_DESKTOP="KDE")[:3] == [
        ["kitty"],
        ["konsole", "-e"],
        ["wezterm", "start", "--"],
    ]


def test_there_is_no_terminal_without_a_display(find: Find, tmp_path: Path) -> None:
    install(tmp_path, "xterm")
    assert find(DISPLAY="") == []
    assert find(DISPLAY="", WAYLAND_DISPLAY="wayland-0") == [["xterm", "-e"]]


def test_the_users_choice_comes_first_and_may_have_options(find: Find, tmp_path: Path) -> None:
    install(tmp_path, "xterm", "alacritty", "mine", "xdg-terminal-exec")
    assert find(TERMINAL="alacritty --class 'a b'")[:2] == [
        ["xdg-terminal-exec"],
        ["alacritty", "--class", "a b", "-e"],
    ]
    assert find(TERMINAL="mine")[1] == ["mine", "-e"]
    assert find(TERMINAL=str(tmp_path / "mine"))[1] == ["mine", "-e"]
    assert find(TERMINAL="gone")[1] == find(TERMINAL="'")[1] == ["alacritty", "-e"]


@pytest.mark.parametrize(
    ("desktop", "first"),
    [
        ("ubuntu:GNOME", ["gnome-terminal", "--"]),
        ("KDE", ["konsole", "-e"]),
        ("XFCE", ["xfce4-terminal", "--disable-server", "-x"]),
        ("LXQt", ["qterminal", "-e"]),
        ("sway", ["gnome-terminal", "--"]),
    ],
)
def test_the_terminal_of_the_desktop_comes_before_others(
    find: Find, tmp_path: Path, desktop: str, first: list[str]
) -> None:
    install(tmp_path, "xterm", "gnome-terminal", "konsole", "xfce4-terminal", "qterminal")
    assert find(XDG_CURRENT_DESKTOP=desktop)[0] == first


@pytest.mark.parametrize(
    ("target", "first"),
    [
        ("xfce4-terminal.wrapper", ["xfce4-terminal", "--disable-server", "-x"]),
        ("konsole", ["konsole", "-e"]),
        ("unknown", ["x-terminal-emulator", "-e"]),
    ],
)
def test_debians_alternative_stands_for_the_terminal_that_it_leads_to(
    find: Find, tmp_path: Path, target: str, first: list[str]
) -> None:
    install(tmp_path, "xterm", "xfce4-terminal", target)
    (tmp_path / "x-terminal-emulator").symlink_to(target)
    assert find(XDG_CURRENT_DESKTOP="GNOME")[0] == first
