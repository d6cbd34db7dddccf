"""The command `undo`: takes out of Claude Code's own settings what "Use for all sessions" has written into them."""

from __future__ import annotations

from tray_app.claude_code.all_sessions import switch_off
from tray_app.commands.terminal import FAILED, OK, complain, say
from tray_app.errors import ClaudeSettingsError
from tray_app.paths import Paths


def undo(paths: Paths) -> int:
    """Undoes it, also while the app runs. The user's other settings and later edits stay. FAILED if it cannot be done.

    The uninstallers run this command, so that it needs neither the settings nor a key.
    """
    try:
        was_on = switch_off(paths.state)
    except ClaudeSettingsError as error:
        complain(str(error))
        return FAILED
    if was_on:
        say("Claude Code's settings are as they were without this program. Sessions that run keep theirs.")
    else:
        say("There is nothing to undo: Claude Code's own settings were not changed.")
    return OK
