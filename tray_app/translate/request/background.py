"""Which requests nobody waits for at the screen, so that they can give way to those that somebody does."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_SUB_AGENT = "x-claude-code-agent-id"
_SMALL_TIER = "haiku"
_CLASSIFIER_STOP = "</block>"


def is_background(body: dict[str, Any], headers: Mapping[str, str]) -> bool:
    """Whether a request is a sub-agent's, for the small tier, or the naming of a session.

    Auto mode's classifier is none, whoever it is asked for: a turn waits for its verdict.

    `body` is one that `to_chat` takes; `headers` do not mind the case of names. Clients do not say it of themselves;
    the signs are those of Claude Code 2.1.332 (observed November 2026). Where the tiers are mapped to one model, as our
    exports do, only the header tells a sub-agent from a turn.
    """
    if not body.get("tools") and _CLASSIFIER_STOP in (body.get("stop_sequences") or ()):
        return False
    if _SUB_AGENT in headers or _SMALL_TIER in str(body.get("model")).lower():
        return True
    return _is_naming(body)


def _is_naming(body: dict[str, Any]) -> bool:
    """A title or name for the list of sessions: no tools, and an answer with nothing else in it."""
    output = body.get("output_config")
    answer_format = output.get("format") if isinstance(output, dict) else None
    schema = answer_format.get("schema") if isinstance(answer_format, dict) else None
    properties = schema.get("properties") if isinstance(schema, dict) else None
    return not body.get("tools") and isinstance(properties, dict) and set(properties) in ({"title"}, {"name"})
