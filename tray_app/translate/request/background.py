"""Tells which requests no user is waiting for, so that they can give way to the others."""

from __future__ import annotations

from tray_app.translate.request.body import MessagesRequest
from tray_app.translate.request.kinds import Kind

_SMALL_TIER = "haiku"


def is_background(request: MessagesRequest, kind: Kind) -> bool:
    """Returns whether the request comes from a sub-agent, asks for the small tier, or names a session.

    The request of auto mode's classifier never is a background request, because a turn waits for its verdict. If all
    tiers are mapped to one model, as our exports do, only the kind distinguishes a sub-agent from a turn.
    """
    if kind is Kind.CHECK:
        return False
    return kind in (Kind.SUB_AGENT, Kind.TITLE) or _SMALL_TIER in request.model.lower()
