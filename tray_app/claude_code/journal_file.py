"""Where the journal of "Use for all sessions" is. The app only looks whether there is one, as long as that is off."""

from __future__ import annotations

from pathlib import Path


def find_journal(state: Path) -> Path:
    """Returns the path of the journal, given the folder of this program's state. There may be no such file."""
    return state / "all-sessions.json"


def is_on(state: Path) -> bool:
    """Tells whether all sessions are set to use the gateway. `state` is the folder of this program's state."""
    return find_journal(state).exists()
