"""Histories of tests, written by the real writer."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from tray_app.history.record import RequestRecord
from tray_app.history.writer import HistoryWriter

FOR_EVER = 100_000
"""A number of days after which no test deletes its requests."""


def write_history(path: Path, records: Iterable[RequestRecord], keep_days: int = FOR_EVER) -> None:
    """Writes the records, and ends the writer."""
    writer = HistoryWriter(path, keep_days)
    writer.start()
    for record in records:
        writer.add(record)
    writer.close()
