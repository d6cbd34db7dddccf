"""Writes the small file from which `claude-nvidia-tray status-line` makes its line, once a second and in no time.

The file holds points in time instead of durations, so that it is written anew only if something has changed. It holds
no key and no text of a prompt. `commands/status_line.py` reads it.
"""

from __future__ import annotations

import contextlib
import json
import logging
from dataclasses import replace
from pathlib import Path
from typing import Any

from tray_app.catalog import AS_IN_TRAY, Catalog
from tray_app.files.atomic import write_whole
from tray_app.settings.settings import Settings
from tray_app.status.board import Status, Topic
from tray_app.status.delays import describe_delay
from tray_app.status.messages import find_trouble
from tray_app.status.progress import Delay, SessionModel

log = logging.getLogger(__name__)

STATUS_FILE = "status-line.json"
"""Its name in the state folder."""


class StatusFile:
    """The file in the state folder. Only the job thread uses it."""

    def __init__(self, state_folder: Path) -> None:
        self._path = state_folder / STATUS_FILE
        self._written: dict[str, Any] | None = None  # None: not written yet, or it cannot be written

    def show(self, status: Status, settings: Settings) -> None:
        """Writes what the status line needs, if that has changed."""
        content = describe(status, settings)
        if content == self._written:
            return
        try:
            write_whole(self._path, json.dumps(content).encode(), is_lasting=False)
        except OSError as error:
            log.info("%s cannot be written: %s", self._path, error)
        self._written = content

    def remove(self) -> None:
        """Removes the file, because the app quits."""
        with contextlib.suppress(OSError):  # there is none, or another process is reading it on Windows
            self._path.unlink()


def describe(status: Status, settings: Settings) -> dict[str, Any]:
    """Returns the content of the file: what a status line says, with Unix times in whole seconds."""
    fallback = dict(status.troubles).get(Topic.FALLBACK)
    others = tuple(item for item in status.troubles if item[0] is not Topic.FALLBACK)
    trouble = find_trouble(replace(status, troubles=others), settings)
    return {
        "model": settings.selected_model.label,
        "is_demo": status.is_demo,
        "trouble": trouble.title.partition(" – ")[0].rstrip("…") if trouble else "",
        "note": fallback.title if fallback else "",
        "paces": {pace.model: {"limit": pace.limit, "starts_at": pace.starts_at} for pace in status.paces},
        "sessions": {
            session.session_id: {
                "asked": _name_asked(session, settings.catalog),
                "model": _name_model(session, status, settings),
            }
            for session in status.sessions
        },
        "delays": [
            {
                "session": request.session_id,
                "text": "no word for" if request.delay is Delay.SILENCE else describe_delay(request),
                "since": request.delayed_since,
                "concerns_all": request.delay is not Delay.SILENCE,
            }
            for request in status.requests
            if request.delay is not None
        ],
    }


def _name_asked(session: SessionModel, catalog: Catalog) -> str:
    """Returns what a session asked for if another model answers it; empty if it gets what it asked for."""
    model = catalog.find(session.asked)
    name = model.label if model else session.asked
    return "" if name in (AS_IN_TRAY, session.model) else name


def _name_model(session: SessionModel, status: Status, settings: Settings) -> str:
    """Returns the label of the model that answers a session, or would answer its next request if it is idle."""
    is_busy = any(request.session_id == session.session_id for request in status.requests)
    follows_tray = session.asked == AS_IN_TRAY
    return settings.selected_model.label if follows_tray and not is_busy else session.model
