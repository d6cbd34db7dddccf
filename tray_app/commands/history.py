"""The command `history`: what happened to requests, as a table or as CSV, and how all of it is deleted."""

from __future__ import annotations

import io
import sys
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from tray_app.commands.terminal import FAILED, OK, USAGE, ask_yes, complain, has_terminal, say
from tray_app.history.csv_text import format_time, write_requests, write_sums
from tray_app.history.database import FILE_NAME, HistoryUnusable, delete_history
from tray_app.history.reader import Wanted, read_page, read_sums
from tray_app.history.record import RequestRecord
from tray_app.history.sums import DaySum, merge, shorten_count
from tray_app.history.writer import local_day
from tray_app.paths import Paths
from tray_app.settings.settings import Settings
from tray_app.shells import name_command

DEFAULT_DAYS = 30
"""The days that are shown unless the user names another number."""
_DAY_S = 24 * 3600
_MOST_DAYS = 20_000
_TABLE_REQUESTS = 50
"""So many requests are shown in the terminal. CSV has all of them."""
_NO_NUMBER = "-"
"""Stands for a number that nobody knows."""
_NO_MODEL = "(no model asked)"


@dataclass(frozen=True, slots=True)
class Wishes:
    """What the user asks of the command."""

    days: int = DEFAULT_DAYS
    """So many days are shown, today among them."""
    as_csv: bool = False
    wants_details: bool = False
    """Tells whether each request is shown, instead of the sums per day."""
    deletes: bool = False
    is_sure: bool = False
    """Tells whether the history is deleted without a question."""


def history(paths: Paths, settings: Settings, wishes: Wishes) -> int:
    """Carries out the command. Returns FAILED if the history cannot be read or deleted, else OK, or USAGE."""
    try:
        if wishes.deletes:
            return _delete(paths, is_sure=wishes.is_sure)
        _show(paths, settings, wishes)
    except HistoryUnusable as error:
        complain(str(error))
        return FAILED
    return OK


def _delete(paths: Paths, *, is_sure: bool) -> int:
    path = paths.data / FILE_NAME
    if not is_sure:
        agreed = ask_yes(f"Delete the whole history, in {path}? This cannot be undone.")
        if agreed is None:
            complain(
                "There is no terminal to ask for your consent. Add --yes to delete the history without a question."
            )
            return USAGE
        if not agreed:
            say("Nothing was deleted.")
            return OK
    delete_history(path)
    say(f"The history in {path} is deleted.")
    return OK


def _show(paths: Paths, settings: Settings, wishes: Wishes) -> None:
    path = paths.data / FILE_NAME
    first_s = time.time() - (min(wishes.days, _MOST_DAYS) - 1) * _DAY_S
    first_day = local_day(first_s)
    since = time.mktime(time.strptime(first_day, "%Y-%m-%d"))
    if wishes.as_csv and wishes.wants_details:
        _print_csv(write_requests(path, Wanted(since)))
    elif wishes.as_csv:
        _print_csv(write_sums(path, first_day))
    else:
        if wishes.wants_details:
            page = read_page(path, _TABLE_REQUESTS, wanted=Wanted(since))
            _print_table(_DETAILS_HEAD, [_describe_request(found.record) for found in page])
        else:
            merged = merge(read_sums(path, first_day), lambda found: (found.day, found.model_id))
            _print_table(_SUMS_HEAD, [_describe_sum(found) for found in merged.values()])
        _explain(paths, settings)


def _explain(paths: Paths, settings: Settings) -> None:
    kept = f"each request for {settings.history_days} days, and sums per day for ever"
    say("")
    say(f"What is kept: {kept}, in {paths.data / FILE_NAME}.")
    say("No text of a prompt or an answer is in it, and no key. Tokens are those that NVIDIA counted.")
    if not settings.keep_history:
        say('Nothing is added now, because "keep_history" is false in the settings.')
    say(f"`{name_command('history --csv')}` prints it as CSV, `{name_command('history --delete')}` deletes it.")


# ---- tables

_SUMS_HEAD = ("day", "model", "requests", "answered", "tokens in", "cached", "out", "first token")
_DETAILS_HEAD = ("began", "model", "outcome", "waited", "first token", "total", "tokens in", "cached", "out", "tries")


def _describe_sum(found: DaySum) -> Sequence[str]:
    rate = found.success_rate
    return (
        found.day,
        found.model_id or _NO_MODEL,
        f"{found.requests:,}",
        _NO_NUMBER if rate is None else f"{100 * rate:.0f} %",
        *(_describe_count(count) for count in (found.tokens_in, found.tokens_cached, found.tokens_out)),
        _describe_time(found.first_token_s(50)),
    )


def _describe_request(found: RequestRecord) -> Sequence[str]:
    return (
        format_time(found.began_at),
        found.model_id or _NO_MODEL,
        f"{found.outcome.value}: {found.cause}" if found.cause else found.outcome.value,
        *(_describe_time(seconds) for seconds in (found.queue_wait_s, found.first_token_s, found.total_s)),
        *(_describe_count(count) for count in (found.tokens_in, found.tokens_cached, found.tokens_out)),
        str(found.tries),
    )


def _describe_count(count: int | None) -> str:
    return _NO_NUMBER if count is None else shorten_count(count)


def _describe_time(seconds: float | None) -> str:
    return _NO_NUMBER if seconds is None else f"{seconds:.1f} s"


def _print_table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Prints the rows below their head: texts to the left, numbers to the right."""
    if not rows:
        say("No requests were recorded in this time.")
        return
    widths = [max(map(len, column)) for column in zip(head, *rows, strict=True)]
    texts = {index for index, name in enumerate(head) if name in ("day", "began", "model", "outcome")}
    for row in (head, *rows):
        cells = [
            cell.ljust(width) if index in texts else cell.rjust(width)
            for index, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        say("  ".join(cells).rstrip())


def _print_csv(pieces: Iterable[str]) -> None:
    if isinstance(sys.stdout, io.TextIOWrapper) and not has_terminal():
        sys.stdout.reconfigure(encoding="utf-8")  # a file is UTF-8, whatever the system's encoding is
    for piece in pieces:
        sys.stdout.write(piece)
    sys.stdout.flush()
