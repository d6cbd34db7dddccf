"""What the doctor finds, as values that a terminal or a page can show."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Level(StrEnum):
    """How bad a finding is."""

    OK = "ok"
    NOTE = "note"
    """It may be wrong, or disturbs only some ways to start Claude Code."""
    FAIL = "fail"
    """Claude Code cannot work through the gateway until it is cured."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at."""

    level: Level
    topic: str
    """What was looked at, in one to three words."""
    sentence: str
    """How it is."""
    fix: str = ""
    """A sentence that says what to do about it; empty if there is nothing to do."""


def is_healthy(findings: list[Finding]) -> bool:
    """Tells whether none of the findings is a failure."""
    return all(finding.level is not Level.FAIL for finding in findings)


def list_names(names: list[str]) -> str:
    """Returns the names for a sentence: the first five, and how many more there are."""
    more = f" and {len(names) - 5} more" if len(names) > 5 else ""
    return ", ".join(names[:5]) + more
