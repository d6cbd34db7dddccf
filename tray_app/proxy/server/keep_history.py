"""Keeps a record of each request for an answer, whether it is answered, fails or is refused here."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import unquote

from aiohttp import web

from tray_app.catalog import PROJECT_HEADER
from tray_app.errors import OWN_FAULT, ProxyError
from tray_app.proxy.exchange.gateway import GATEWAY
from tray_app.proxy.exchange.notes import NOTES, Notes, make_printable

MESSAGES_PATH = "/v1/messages"

_SESSION_HEADER = "X-Claude-Code-Session-Id"
"""Claude Code 2.1.332 sends it, and gives the same id to its status line (observed November 2026)."""
_SESSION_ID = re.compile(r"[\w-]{1,64}")
_PROJECT_CHARS = 500
"""So much of the path of a folder is kept. Longer ones do not occur outside of tests."""


@contextmanager
def keep_history(request: web.Request) -> Iterator[None]:
    """Takes notes of the request, and hands them to the history at the end of the `with`. It stands behind the guards.

    So no web page that the guards refuse can fill the history.
    """
    if request.method != "POST" or request.path != MESSAGES_PATH:
        yield
        return
    gateway = request.app[GATEWAY]
    request[NOTES] = notes = Notes(_find_session(request), _find_project(request), gateway.recent.take_number())
    try:
        yield
    except ProxyError as error:
        notes.fail(error)
        raise
    except (asyncio.CancelledError, ConnectionError):
        if notes.outcome is None:
            notes.leave()
        raise
    except Exception:
        notes.fail(ProxyError(OWN_FAULT))
        raise
    finally:
        config = gateway.config
        record = notes.to_record(config.secrets)
        gateway.recent.add(notes.number, record)
        if gateway.history is not None and config.settings.keep_history:
            gateway.history.add(record)


def _find_session(request: web.Request) -> str:
    """Returns the id of the session of Claude Code that sent the request; empty if it names none."""
    session_id = request.headers.get(_SESSION_HEADER, "")
    return session_id if _SESSION_ID.fullmatch(session_id) else ""


def _find_project(request: web.Request) -> str:
    """Returns the folder in which the client works; empty if it names none. Only the launcher's sessions name it."""
    return make_printable(unquote(request.headers.get(PROJECT_HEADER, ""))[:_PROJECT_CHARS])
