"""Writes what the app says when it has started: on the terminal, and to the user of the very first start."""

from __future__ import annotations

from collections.abc import Iterator

from tray_app import APP_NAME, __version__
from tray_app.settings.settings import Settings
from tray_app.shells import find_exports_command, name_command
from tray_app.status.board import Status
from tray_app.status.messages import find_trouble
from tray_app.tray.menu import OPEN_LABEL

LATER_IN_TRAY = "in the tray as soon as a panel shows one"
"""Ends a sentence that begins with "Its icon is" if no panel shows the icon yet."""


def list_lines(status: Status, shell: str, *, has_icon: bool, is_hosted: bool) -> Iterator[str]:
    """Yields the lines for the terminal.

    `shell` is the one in which the user probably starts Claude Code. `has_icon` tells whether there is an icon, and
    `is_hosted` whether a panel shows it.
    """
    demo = " (DEMO: canned answers, no model)" if status.is_demo else ""
    yield f"{APP_NAME} {__version__}: listening on {status.url}{demo}"
    if not has_icon:
        yield "There is no tray icon. Ctrl-C quits."
    elif not is_hosted:
        yield "No panel shows tray icons here yet; the icon appears when one does. Ctrl-C quits."
    yield f"To start Claude Code in another terminal:  {name_command('claude')}"
    yield f"To set up that terminal for it instead:  {find_exports_command(shell)}"
    for _, trouble in status.troubles:
        yield trouble.sentence


def write_hello(status: Status, settings: Settings, icon_place: str) -> tuple[str, str]:
    """Returns the title and the text that tell the user of the very first start where the icon is, and what to do."""
    if status.is_demo:
        step = f'This is the demo: its answers are canned, no model gives them. Try "{OPEN_LABEL}" in the menu.'
    elif notice := find_trouble(status, settings):
        step = f'Next, click on "{notice.title}" in the menu.'
    else:
        step = f'Next, choose "{OPEN_LABEL}" in the menu.'
    return f"{APP_NAME} is running", f"Its icon is {icon_place}. {step}"
