"""What an open page is told: the state, what runs now, and each request that has ended."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache, partial

from tray_app.page.actions import Desk
from tray_app.page.feed import Event
from tray_app.page.views.ended import show_ended
from tray_app.page.views.labels import make_label
from tray_app.page.views.now import show_now
from tray_app.page.views.state import show_state
from tray_app.page.views.ways_out import find_other, find_way_out, list_usable
from tray_app.proxy.exchange.gateway import Gateway
from tray_app.proxy.exchange.recent import Ended
from tray_app.status.following import find_answering
from tray_app.status.live import Gauge

_MOST_DIGITS = 16
"""No number of a request is longer."""


class News:
    """Looks for one page what it has not been told yet."""

    def __init__(self, gateway: Gateway, desk: Desk) -> None:
        self._gateway = gateway
        self._desk = desk
        self._basis: tuple[object, ...] = ()

    def look(self, last_id: str) -> Iterator[Event]:
        """Yields what is new. `last_id` is the id of the last event that the page has; empty: it has none."""
        yield from self._tell_state()
        yield self._tell_now()
        yield from self._tell_ended(last_id)

    def _tell_state(self) -> Iterator[Event]:
        """Yields the state if anything that it is made from has been replaced."""
        gateway = self._gateway
        today = gateway.history.today if gateway.history else None
        basis = (gateway.config, gateway.board.status, self._desk.facts, today)
        if len(self._basis) != len(basis) or any(map(_differ, basis, self._basis)):
            self._basis = basis
            yield Event("state", show_state(*basis))

    def _tell_now(self) -> Event:
        """Returns what runs now."""
        gateway = self._gateway
        status, settings = gateway.board.status, gateway.config.settings
        answering = find_answering(settings.selected_model, status, settings)
        today = gateway.evidence.count_today(answering.id)
        limit = settings.requests_per_minute
        idle = Gauge(answering.id, answering.label, 0, limit, 0, None, is_pause=False, queue=None, today=today)
        usable = cache(partial(list_usable, status, settings))  # which is seldom needed, and takes a moment
        shown = show_now(gateway.live(), gateway.gauges(), idle, lambda model_id: find_other(model_id, usable()))
        return Event("now", shown)

    def _tell_ended(self, last_id: str) -> Iterator[Event]:
        """Yields the requests that have ended since. A page that does not know this run is told first that it began."""
        recent = self._gateway.recent
        number = _find_number(last_id, recent.run)
        if number is None:
            yield Event("begun", {"run": recent.run}, f"{recent.run}-0")
        if new := recent.since(number or 0):
            yield from self._describe(new)

    def _describe(self, new: tuple[Ended, ...]) -> Iterator[Event]:
        status, settings = self._gateway.board.status, self._gateway.config.settings
        find_label, usable = make_label(status, settings), list_usable(status, settings)
        for ended in new:
            record = ended.record
            label = find_label(record.model_id)
            way_out = find_way_out(record, label, find_other(record.model_id, usable))
            shown = show_ended(ended.number, record, label, way_out)
            yield Event("ended", shown, f"{self._gateway.recent.run}-{ended.number}")


def _find_number(last_id: str, run: str) -> int | None:
    """Returns the number in the id of an event; None if the id is not one of this run."""
    known_run, _, number = last_id.rpartition("-")
    return int(number) if known_run == run and len(number) < _MOST_DIGITS and number.isdecimal() else None


def _differ(one: object, other: object) -> bool:
    return one is not other
