"""Reads the history for the page. The file is read in a worker thread, never on the event loop."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress

from aiohttp import hdrs, web

from tray_app.errors import InvalidRequest
from tray_app.history.csv_text import write_requests, write_sums
from tray_app.history.reader import Wanted, read_page, read_sums
from tray_app.history.record import Outcome
from tray_app.history.writer import local_day
from tray_app.page.reading import Reading
from tray_app.page.views.history import Period, show_requests, show_sums
from tray_app.page.views.labels import Label, make_label

_DEFAULT_DAYS = 14
_MOST_DIGITS = 18
_USUAL_PAGE = 50
_LARGEST_PAGE = 500
_OUTCOMES = {outcome.value: outcome for outcome in Outcome}


async def read_history_sums(reading: Reading) -> object:
    """Returns the sums of the last `days` days, today among them; 0: of all days. It also says what is kept."""
    settings, period = reading.gateway.config.settings, _read_period(reading.query)
    sums = await asyncio.to_thread(read_sums, reading.history_file, period.first_day)
    shown = await asyncio.to_thread(show_sums, sums, period, _make_label(reading))
    kept = {"is_kept": settings.keep_history, "days": settings.history_days, "file": str(reading.history_file)}
    return {**shown, "kept": kept}


async def read_history_page(reading: Reading) -> object:
    """Returns `limit` requests, the newest first: the first ones, or those `before` the key that the query names.

    The query may also name `days`, a `model`, a `project` and an `outcome`. An empty text is a value, too.
    """
    query = reading.query
    limit = min(_read_number(query, "limit", _USUAL_PAGE), _LARGEST_PAGE)
    before = _read_number(query, "before", 0) or None
    found = await asyncio.to_thread(read_page, reading.history_file, limit + 1, before, _read_wanted(query))
    has_more = len(found) > limit
    return {"requests": show_requests(found[:limit], _make_label(reading)), "has_more": has_more}


async def send_csv(request: web.Request, reading: Reading) -> web.StreamResponse:
    """Sends the sums of the period as CSV, or the requests if the query says `what=requests`. HistoryUnusable."""
    period = _read_period(reading.query)
    has_requests = reading.query.get("what") == "requests"
    pieces = (
        write_requests(reading.history_file, _read_wanted(reading.query))
        if has_requests
        else write_sums(reading.history_file, period.first_day)
    )
    piece = await asyncio.to_thread(_take, pieces)  # before the answer begins, so that an error can still be told
    name = f"{'requests' if has_requests else 'sums'}-{period.last_day}.csv"
    headers = {
        hdrs.CONTENT_TYPE: "text/csv; charset=utf-8",
        hdrs.CONTENT_DISPOSITION: f'attachment; filename="{name}"',
    }
    response = web.StreamResponse(headers=headers)
    await response.prepare(request)
    while piece:
        await response.write(piece)
        piece = await asyncio.to_thread(_take, pieces)
    await response.write_eof()
    return response


def _take(pieces: Iterator[str]) -> bytes:
    return next(pieces, "").encode()


def _make_label(reading: Reading) -> Label:
    return make_label(reading.gateway.board.status, reading.gateway.config.settings)


def _read_period(query: Mapping[str, str]) -> Period:
    return Period.of(local_day(time.time()), _read_number(query, "days", _DEFAULT_DAYS) or None)


def _read_wanted(query: Mapping[str, str]) -> Wanted:
    outcome = query.get("outcome")
    if outcome is not None and outcome not in _OUTCOMES:
        raise InvalidRequest(f"outcome: it must be one of {', '.join(_OUTCOMES)}.")
    return Wanted(
        since=_begin_of(_read_period(query).first_day),
        model_id=query.get("model"),
        project=query.get("project"),
        outcome=None if outcome is None else _OUTCOMES[outcome],
    )


def _begin_of(day: str) -> float:
    """Returns the Unix time at which a day began where the user is; 0 for no day, and for one before 1970."""
    with suppress(ValueError, OverflowError):
        return max(time.mktime(time.strptime(day, "%Y-%m-%d")), 0.0)
    return 0.0


def _read_number(query: Mapping[str, str], name: str, usual: int) -> int:
    """Returns a number of the query, which is `usual` if the query lacks it. InvalidRequest if it is no number."""
    text = query.get(name)
    if text is None:
        return usual
    if not (text.isascii() and text.isdecimal() and len(text) <= _MOST_DIGITS):
        raise InvalidRequest(f"{name}: it must be a whole number, 0 or more.")
    return int(text)
