"""The command `page`: shows the page of the running app in the browser."""

from __future__ import annotations

from pathlib import Path

from tray_app import APP_NAME
from tray_app.app.health import read_health
from tray_app.app.instance import Instance, Whereabouts
from tray_app.commands.terminal import FAILED, OK, complain, say
from tray_app.desktop import Desktop, DesktopError
from tray_app.page.entrance import explain_switched_off, make_entrance
from tray_app.paths import Paths
from tray_app.shells import name_command


def page(paths: Paths, desktop: Desktop, *, only_prints: bool) -> int:
    """Shows the page, and prints an address for another browser; `only_prints`: just prints the address.

    FAILED if there is no page.
    """
    running = Instance(paths.state).find_running()
    if running is None:
        complain(f"{APP_NAME} is not running, and only it has the page. `{name_command('start')}` starts it.")
        return FAILED
    if obstacle := _find_obstacle(running, paths.settings):
        complain(obstacle)
        return FAILED
    if only_prints:
        say(make_entrance(running.url, paths.state))
        return OK
    try:
        desktop.open_url(make_entrance(running.url, paths.state))
        told = "The page opens in your browser. In another one, open this within two minutes:"
    except DesktopError:
        told = "No browser could be opened. In a browser on this machine, open this within two minutes:"
    say(f"{told}  {make_entrance(running.url, paths.state)}")  # an address lets one browser in, and only once
    return OK


def open_page_of(running: Whereabouts, paths: Paths, desktop: Desktop) -> bool:
    """Opens the page of the running app. Returns False if it has none, or if there is no browser."""
    if _find_obstacle(running, paths.settings):
        return False
    try:
        desktop.open_url(make_entrance(running.url, paths.state))
    except (DesktopError, OSError):  # OSError: the token cannot be noted
        return False
    return True


def _find_obstacle(running: Whereabouts, settings_file: Path) -> str:
    """Returns why the running app shows no page, as sentences; empty if it does."""
    if not running.url:
        return f"The gateway of {APP_NAME} does not listen, so there is no page. `{name_command('status')}` says more."
    health = read_health(running.url)
    if health is None:
        return f"The gateway does not answer at {running.url}, so there is no page."
    if not health.has_page:
        return explain_switched_off(settings_file)
    return ""
