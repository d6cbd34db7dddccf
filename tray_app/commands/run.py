"""The command without a name: runs the app until the user quits it."""

from __future__ import annotations

from collections.abc import Mapping

from tray_app import APP_NAME
from tray_app.app.instance import Instance
from tray_app.commands.page import open_page_of
from tray_app.commands.running_app import describe, end_demo, is_demo_in_the_way, name_next_step
from tray_app.commands.terminal import FAILED, OK, complain, has_terminal, say
from tray_app.desktop import Desktop
from tray_app.paths import Paths
from tray_app.shells import name_command


def run(
    paths: Paths,
    environ: Mapping[str, str],
    desktop: Desktop,
    *,
    is_demo: bool,
    wants_tray: bool,
    shows_welcome: bool = True,
) -> int:
    """Runs the app. If it is already running, opens its page instead; but a demo makes room for real answers.

    FAILED if the app that is already running is not what was asked for.
    """
    from tray_app.app.garbage import hold_off

    hold_off()
    from tray_app.app.app import App

    instance = Instance(paths.state)
    if is_demo_in_the_way(instance.find_running(), is_demo=is_demo) and not end_demo(instance):
        return FAILED
    if not instance.acquire():
        return _show_running(instance, paths, desktop, wants_demo=is_demo, wants_page=wants_tray)
    try:
        if has_terminal():
            start = name_command("start", *(["--demo"] if is_demo else []))
            say(f"The app ends when this terminal is closed. `{start}` starts one that goes on.")
        return App(
            paths,
            environ,
            desktop,
            instance,
            say,
            is_demo=is_demo,
            wants_tray=wants_tray,
            shows_welcome=shows_welcome,
        ).run()
    finally:
        instance.release()


def _show_running(instance: Instance, paths: Paths, desktop: Desktop, *, wants_demo: bool, wants_page: bool) -> int:
    running = instance.find_running()
    if running is None:
        complain("The app that was running has ended at this moment. Please start this again.")
        return FAILED
    is_wanted_one = running.is_demo is wants_demo
    is_open = wants_page and is_wanted_one and open_page_of(running, paths, desktop)
    if is_open or has_terminal() or not desktop.notify(APP_NAME, describe(running)):
        opening = " Its page opens in your browser." if is_open else ""
        say(f"{describe(running)}{opening} {name_next_step(running, wants_demo=wants_demo)}")
    return OK if is_wanted_one else FAILED
