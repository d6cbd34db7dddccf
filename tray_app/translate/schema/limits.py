"""Limits for the depth and the size of a client's JSON schema."""

from __future__ import annotations

from typing import Any

from tray_app.errors import InvalidRequest

Schema = dict[str, Any]

MAX_DEPTH = 64
"""Most levels of nested objects and lists in a schema. The tools of Claude Code and of MCP servers have about 15. The
limit keeps recursion far from Python's own limit of 1,000 calls."""

MAX_VALUES = 250_000
"""Most values of objects and lists in a schema. The largest known schemas have a few thousand in tens of kilobytes. A
megabyte of properties is allowed, and most models could not read more."""

_CONTAINERS = (dict, list)


def check_limits(schema: Schema, where: str) -> None:
    """Raises InvalidRequest if the schema is too deep or too large. `where` names its field in the request."""
    level: list[Any] = [schema]
    values = depth = 0
    while level:
        depth += 1
        if depth > MAX_DEPTH:
            raise InvalidRequest(f"{where}: The schema is nested too deeply. Use at most {MAX_DEPTH} levels.")
        values += sum(map(len, level))
        if values > MAX_VALUES:
            raise InvalidRequest(f"{where}: The schema is too large. Use at most {MAX_VALUES:,} values.")
        level = [
            part
            for outer in level
            for part in (outer.values() if isinstance(outer, dict) else outer)
            if isinstance(part, _CONTAINERS)
        ]
