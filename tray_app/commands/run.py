"""The command without a name: runs the app until the user quits it."""

from __future__ import annotations

from collections.abc import Mapping

from tray_app import APP_NAME
from tray_app.app.instance import Instance
from tray_app.commands.terminal import OK, has_terminal, say
from tray_app.desktop import Desktop
from tray_app.paths import Paths


def run(paths: Paths, environ: Mapping[str, str], desktop: Desktop, *, is_demo: bool, wants_tray: bool) -> int:
    """Runs the app. If it is already running, says where instead."""
    from tray_app.app.app import App

    instance = Instance(paths.state)
    if not instance.acquire():
        _tell_where(instance, desktop)
        return OK
    try:
        return App(paths, environ, desktop, instance, say, is_demo=is_demo, wants_tray=wants_tray).run()
    finally:
        instance.release()


def _tell_where(instance: Instance, desktop: Desktop) -> None:
    running = instance.find_running()
    where = f"It listens on {running.url}." if running and running.url else "Its icon is in the tray."
    sentence = f"{APP_NAME} is already running. {where}"
    if has_terminal() or not desktop.notify(APP_NAME, sentence):
        say(sentence)
