"""How deep and how large a client's JSON schema may be."""

from __future__ import annotations

from typing import Any

from tray_app.errors import InvalidRequest

Schema = dict[str, Any]

MAX_DEPTH = 64
"""How many levels of objects and lists within one another a schema may have. It is four times what tools of Claude Code
and of MCP servers have (about 15), and keeps the walk of a schema far from Python's limit of 1,000 nested calls."""

MAX_VALUES = 250_000
"""How many values (of objects and lists) a schema may hold. The largest known schemas have some tens of kilobytes, a
few thousand values; a megabyte of properties is below the limit. Most models could not even read a schema beyond it."""

_CONTAINERS = (dict, list)


def check_limits(schema: Schema, where: str) -> None:
    """Raises InvalidRequest if the schema is too deep or too large; `where` names its field in the request."""
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
