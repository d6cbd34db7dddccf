"""What the page can read. It is imported when the first page is opened."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from tray_app.errors import NotFound
from tray_app.page.history_reads import read_history_page, read_history_sums
from tray_app.page.program_reads import read_log, read_models, read_settings
from tray_app.page.reading import Reading
from tray_app.page.views.connect import show_connect
from tray_app.page.views.state import show_state
from tray_app.page.views.welcome import show_choices

_MOST_DIGITS = 15
"""No number of a request is longer."""

Read = Callable[[Reading], Awaitable[object]]


async def read_state(reading: Reading) -> object:
    """Returns what every view shows."""
    gateway = reading.gateway
    today = gateway.history.today if gateway.history else None
    return show_state(gateway.config, gateway.board.status, reading.desk.facts, today)


async def read_bodies(reading: Reading) -> object:
    """Returns the bodies of the request with the number in the query. NotFound if they are not kept."""
    number = reading.query.get("number", "")
    is_number = number.isdecimal() and len(number) <= _MOST_DIGITS
    kept = reading.gateway.kept_bodies.find(int(number)) if is_number else None
    if kept is None:
        raise NotFound("No bodies are kept of this request: the logging was off when it came, or newer ones are kept.")
    return kept


async def read_choices(reading: Reading) -> object:
    """Returns the choices of models, with what was found out about each."""
    return show_choices(reading.gateway.board.status, reading.gateway.config.settings)


async def read_connections(reading: Reading) -> object:
    """Returns the texts that connect Claude Code with the gateway."""
    return show_connect(reading.desk.setup, reading.desk.facts.shell, is_demo=reading.gateway.config.is_demo)


READS: dict[str, Read] = {
    "/page/state": read_state,
    "/page/bodies": read_bodies,
    "/page/sums": read_history_sums,
    "/page/records": read_history_page,
    "/page/models": read_models,
    "/page/settings": read_settings,
    "/page/log": read_log,
    "/page/choices": read_choices,
    "/page/connections": read_connections,
}
"""What the page can read, by its address. Each answer is JSON."""
