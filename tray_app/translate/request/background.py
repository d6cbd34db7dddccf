"""Tells which requests no user is waiting for, so that they can give way to the others."""

from __future__ import annotations

from collections.abc import Mapping

from tray_app.translate.request.body import MessagesRequest

_SUB_AGENT = "x-claude-code-agent-id"
_SMALL_TIER = "haiku"
_CLASSIFIER_STOP = "</block>"


def is_background(request: MessagesRequest, headers: Mapping[str, str]) -> bool:
    """Returns whether the request comes from a sub-agent, asks for the small tier, or names a session.

    The request of auto mode's classifier never is a background request, because a turn waits for its verdict.

    `headers` ignores the case of names. No field says that a request is a background request, so it is recognised by
    what Claude Code 2.1.332 sends (observed November 2026). If all tiers are mapped to one model, as our exports do,
    only the header distinguishes a sub-agent from a turn.
    """
    if not request.tools and _CLASSIFIER_STOP in request.stops:
        return False
    if _SUB_AGENT in headers or _SMALL_TIER in request.model.lower():
        return True
    return _is_naming(request)


def _is_naming(request: MessagesRequest) -> bool:
    """Returns whether the request asks for a session's title or name: it has no tools, and its answer one field."""
    properties = (request.answer_schema or {}).get("properties")
    return not request.tools and isinstance(properties, dict) and set(properties) in ({"title"}, {"name"})
