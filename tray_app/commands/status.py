"""The command `status`: tells whether the app is running, and how it is, on one screen or as JSON."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass

from tray_app import APP_NAME, __version__
from tray_app.app.health import Waiting, read_health
from tray_app.app.instance import Instance
from tray_app.commands.open_settings import open_settings
from tray_app.commands.terminal import FAILED, OK, say
from tray_app.paths import Paths
from tray_app.settings.keys import read_keys
from tray_app.shells import name_command
from tray_app.status.findings import REQUESTS_PER_DAY


@dataclass(frozen=True, slots=True)
class Overview:
    """What the command tells. The names of the fields are those of the JSON."""

    running: bool
    demo: bool
    paused: bool
    pid: int | None
    """None: no app is running, or it does not say."""
    url: str | None
    """None: no gateway listens."""
    answers: bool
    """Tells whether the gateway answers at the URL."""
    model: str
    """The id of the model that is chosen."""
    answering: str
    """The id of the model that answers for it."""
    today: int
    """Number of requests to that model on this day of UTC."""
    has_nvidia_key: bool | None
    """None: the system keyring gives no answer, so that nobody knows."""
    active_requests: int
    waits: tuple[Waiting, ...]
    settings: str
    """The path of the settings file."""
    log: str
    """The folder of the log."""


def status(paths: Paths, environ: Mapping[str, str], *, as_json: bool) -> int:
    """Prints the overview. Returns OK if the app is running, else FAILED."""
    overview = _look(paths, environ)
    if as_json:
        waits = [{name: getattr(wait, name) for name in wait.__struct_fields__} for wait in overview.waits]
        say(json.dumps({**asdict(overview), "waits": waits}, indent=2))
    else:
        for name, text in describe_overview(overview):
            say(f"{name + ':':<20}{text}")
    return OK if overview.running else FAILED


def _look(paths: Paths, environ: Mapping[str, str]) -> Overview:
    store = open_settings(paths, environ)
    running = Instance(paths.state).find_running()
    health = read_health(running.url) if running and running.url else None
    if health is None:
        keys = read_keys(store, environ)
        has_key = None if keys.is_nvidia_unknown else bool(keys.nvidia)
    else:
        has_key = health.has_nvidia_key
    return Overview(
        running=running is not None,
        demo=running is not None and running.is_demo,
        paused=health is not None and health.paused,
        pid=running.pid or None if running else None,
        url=running.url or None if running else None,
        answers=health is not None,
        model=health.model if health else store.current.selected_model.id,
        answering=(health.answering if health else "") or store.current.selected_model.id,
        today=health.today if health else 0,
        has_nvidia_key=has_key,
        active_requests=health.active_requests if health else 0,
        waits=health.waits if health else (),
        settings=str(paths.settings),
        log=str(paths.logs),
    )


def describe_overview(overview: Overview) -> Iterator[tuple[str, str]]:
    """Yields the lines of the screen, each as its name and its text."""
    yield APP_NAME, f"{__version__}, {_describe_run(overview)}"
    if overview.running:
        silent = "" if overview.answers else ", which does not answer"
        yield "gateway", f"{overview.url}{silent}" if overview.url else "does not listen; the menu and the log say why"
    stand_in = "" if overview.answering == overview.model else f", for which {overview.answering} answers"
    yield "model", f"{overview.model}{stand_in}"
    yield "key", _describe_key(overview.has_nvidia_key)
    if overview.answers:
        yield "requests", f"{overview.active_requests} active; {overview.today:,} of about {REQUESTS_PER_DAY:,} today"
    for wait in overview.waits:
        used = f", {wait.used} of {wait.limit} sent in the last minute" if wait.limit else ""
        yield "waiting", f"{wait.waiting} for NVIDIA's rate limit of {wait.model}, since {wait.longest_s} s{used}"
    yield "settings", overview.settings
    yield "log", overview.log


def _describe_run(overview: Overview) -> str:
    if not overview.running:
        return f"not running (`{name_command('start')}` starts it)"
    state = "running as a demo: canned answers, no model" if overview.demo else "running"
    return f"{state}; paused, so that requests are refused" if overview.paused else state


def _describe_key(has_key: bool | None) -> str:
    if has_key is None:
        return "unknown, because the system keyring gives no answer"
    return "there is one" if has_key else f"missing (`{name_command('set-key')}` saves one)"
