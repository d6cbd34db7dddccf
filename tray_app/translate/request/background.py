"""Which requests nobody waits for at the screen, so that they can give way to those that somebody does."""

from __future__ import annotations

from collections.abc import Mapping

from tray_app.translate.request.body import MessagesRequest

_SUB_AGENT = "x-claude-code-agent-id"
_SMALL_TIER = "haiku"
_CLASSIFIER_STOP = "</block>"


def is_background(request: MessagesRequest, headers: Mapping[str, str]) -> bool:
    """Whether a request is a sub-agent's, for the small tier, or the naming of a session.

    Auto mode's classifier is none, whoever it is asked for: a turn waits for its verdict.

    `headers` do not mind the case of names. Clients do not say it of themselves;
    the signs are those of Claude Code 2.1.332 (observed November 2026). Where the tiers are mapped to one model, as our
    exports do, only the header tells a sub-agent from a turn.
    """
    if not request.tools and _CLASSIFIER_STOP in request.stops:
        return False
    if _SUB_AGENT in headers or _SMALL_TIER in request.model.lower():
        return True
    return _is_naming(request)


def _is_naming(request: MessagesRequest) -> bool:
    """A title or name for the list of sessions: no tools, and an answer with nothing else in it."""
    properties = (request.answer_schema or {}).get("properties")
    return not request.tools and isinstance(properties, dict) and set(properties) in ({"title"}, {"name"})
