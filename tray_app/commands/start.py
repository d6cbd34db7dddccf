"""The commands `start` and `stop`: the app in the background, where it outlives the terminal."""

from __future__ import annotations

from tray_app import APP_NAME
from tray_app.app.background import end_app, start_in_background
from tray_app.app.health import read_health
from tray_app.app.instance import Instance
from tray_app.commands.running_app import describe, end_demo, is_demo_in_the_way, name_next_step
from tray_app.commands.terminal import FAILED, OK, complain, say
from tray_app.paths import Paths
from tray_app.shells import name_command


def start(paths: Paths, *, is_demo: bool, wants_tray: bool, users_umask: int) -> int:
    """Starts the app in the background, or says that it is running already.

    FAILED if the running app is not what was asked for. StartFailed if the app does not listen.
    """
    instance = Instance(paths.state)
    running = instance.find_running()
    if is_demo_in_the_way(running, is_demo=is_demo):
        if not end_demo(instance):
            return FAILED
    elif running is not None:
        say(f"{describe(running)} {name_next_step(running, wants_demo=is_demo)}")
        return OK if running.is_demo is is_demo else FAILED
    started = start_in_background(
        paths.state, is_demo=is_demo, wants_tray=wants_tray, shows_welcome=True, umask=users_umask
    )
    demo = " (DEMO: canned answers, no model)" if is_demo else ""
    say(f"{APP_NAME} runs in the background{demo} and listens on {started.url}.")
    say(f"It goes on when this terminal is closed. {name_next_step(started, wants_demo=is_demo)}")
    health = read_health(started.url)
    if health is not None and not health.has_nvidia_key and not is_demo:
        say(f"It has no NVIDIA API key yet. `{name_command('set-key')}` asks for it.")
    return OK


def stop(paths: Paths) -> int:
    """Ends the running app. FAILED if it does not end."""
    instance = Instance(paths.state)
    if instance.find_running() is None:
        say(f"{APP_NAME} is not running.")
        return OK
    if not end_app(instance):
        complain(f"{APP_NAME} does not end. Choose Quit in its menu, or end its process.")
        return FAILED
    say(f"{APP_NAME} has ended.")
    return OK
