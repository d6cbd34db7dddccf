"""What the commands say about an app that is running, and how they replace a demo."""

from __future__ import annotations

from tray_app import APP_NAME
from tray_app.app.background import end_app
from tray_app.app.instance import Instance, Whereabouts
from tray_app.commands.terminal import complain, say
from tray_app.shells import name_command


def describe(running: Whereabouts) -> str:
    """Returns where and how the running app runs, as sentences."""
    mode = " as a demo, with canned answers" if running.is_demo else ""
    where = f"It listens on {running.url}." if running.url else "Its icon is in the tray."
    return f"{APP_NAME} is already running{mode}. {where}"


def name_next_step(running: Whereabouts, *, wants_demo: bool) -> str:
    """Returns the commands that are of use now, as sentences for a terminal. `wants_demo`: a demo was asked for."""
    stop = f"`{name_command('stop')}` ends it"
    if wants_demo and not running.is_demo:
        return f"It gives real answers, and a demo does not take its place. {stop}."
    if running.is_demo:
        stop = f"`{name_command('set-key')}` asks for your NVIDIA API key and replaces the demo, {stop}"
    return f"`{name_command('claude')}` starts Claude Code through it, {stop}."


def is_demo_in_the_way(running: Whereabouts | None, *, is_demo: bool) -> bool:
    """Tells whether a demo is running while real answers are wanted."""
    return running is not None and running.is_demo and not is_demo


def end_demo(instance: Instance) -> bool:
    """Ends the demo that is running. Returns False, and says so, if it does not end."""
    say("The demo is running. It ends now, to make room for real answers.")
    if end_app(instance):
        return True
    complain("The demo does not end. Choose Quit in its menu, then start this again.")
    return False
