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

from tray_app.catalog import AS_IN_TRAY
from tray_app.files.atomic import write_whole
from tray_app.settings.settings import Settings
from tray_app.status import troubles
from tray_app.status.board import Status, Topic
from tray_app.status.delays import describe_delay
from tray_app.status.following import find_absence, find_answering
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

    def show(self, status: Status, settings: Settings, page: str = "") -> None:
        """Writes what the status line needs, if that has changed. `page`: the URL of the page; empty: there is none."""
        content = describe(status, settings, page)
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


def describe(status: Status, settings: Settings, page: str = "") -> dict[str, Any]:
    """Returns the content of the file: what a status line says, with Unix times in whole seconds.

    `page` is the URL of the page; empty: there is none.
    """
    selected = settings.selected_model
    answering, absence = find_answering(selected, status, settings), find_absence(selected, status)
    follows = f"for {selected.label}, {absence.kind.value} {absence.date}".rstrip() if absence else ""
    fallback = dict(status.troubles).get(Topic.FALLBACK)
    others = tuple(item for item in status.troubles if item[0] is not Topic.FALLBACK)
    trouble = troubles.PAUSED if status.is_paused else find_trouble(replace(status, troubles=others), settings)
    return {
        "model": answering.label,
        "is_demo": status.is_demo,
        "page": page,
        "trouble": trouble.title.partition(" – ")[0].rstrip("…") if trouble else "",
        "note": fallback.title if fallback else follows if answering.id != selected.id else "",
        "paces": {pace.model: {"limit": pace.limit, "starts_at": pace.starts_at} for pace in status.paces},
        "sessions": {session.session_id: _describe(session, answering.label, settings) for session in status.sessions},
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


def _describe(session: SessionModel, tray_label: str, settings: Settings) -> dict[str, str]:
    """Returns the model that answers the session's next request, and what it asks for if that is something else.

    `tray_label` is the label of the model that answers for the choice in the tray. `picked` is the name of the model
    that its newest request sent.
    """
    model = tray_label if session.follows_tray else session.model
    named = settings.catalog.find(session.asked)
    asked = named.label if named else session.asked
    return {"picked": session.asked, "asked": "" if asked in (AS_IN_TRAY, model) else asked, "model": model}
