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


class Remedy(StrEnum):
    """What this program can do itself about a finding. The page in the browser has a button for each but the first."""

    NONE = ""
    """Only the user can do something about it, or there is nothing to do."""
    NEW_KEY = "new_key"
    """The user enters an NVIDIA API key, with which NVIDIA answers."""
    ASK_KEYRING = "ask_keyring"
    """The keyring of the system is asked for the keys again."""
    CHOOSE_PORT = "choose_port"
    """The user chooses another address for the gateway."""
    RESTART_GATEWAY = "restart_gateway"
    """The gateway is started anew."""
    LOOK_AGAIN = "look_again"
    """It is found out anew which models answer."""
    OPEN_CLAUDE_CODE = "open_claude_code"
    """Claude Code is started by this program, whose settings win over what disturbs."""
    USE_FOR_ALL_SESSIONS = "use_for_all_sessions"
    """The set-up is written into the user's settings of Claude Code again."""
    EXAMINE_AGAIN = "examine_again"
    """It may be over by now, so that everything is looked at again."""


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
    remedy: Remedy = Remedy.NONE
    """What this program can do about it, where it has a page or a menu."""


def is_healthy(findings: list[Finding]) -> bool:
    """Tells whether none of the findings is a failure."""
    return all(finding.level is not Level.FAIL for finding in findings)


def list_names(names: list[str]) -> str:
    """Returns the names for a sentence: the first five, and how many more there are."""
    more = f" and {len(names) - 5} more" if len(names) > 5 else ""
    return ", ".join(names[:5]) + more
