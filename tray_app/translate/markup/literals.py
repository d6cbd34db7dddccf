"""Builds a regular expression for one of many literals."""

from __future__ import annotations

import re
from collections.abc import Collection


def to_pattern(literals: Collection[str]) -> str:
    """Returns a pattern for the longest literal that fits. Literals share their beginnings, so few are tried."""
    rests: dict[str, list[str]] = {}
    for literal in literals:
        if literal:
            rests.setdefault(literal[0], []).append(literal[1:])
    branches = [re.escape(first) + to_pattern(rest) for first, rest in rests.items()]
    if not branches:
        return ""
    pattern = branches[0] if len(branches) == 1 else f"(?:{'|'.join(branches)})"
    return f"(?:{pattern})?" if "" in literals else pattern
