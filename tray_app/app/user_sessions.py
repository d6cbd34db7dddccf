"""Keeps "Use for all sessions" in step with the app: at its start, while settings change, and when it quits."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from tray_app.claude_code.claude_settings import Setup
from tray_app.claude_code.journal_file import is_on
from tray_app.errors import ClaudeSettingsError
from tray_app.settings.store import SettingsStore

if TYPE_CHECKING:  # imported when it is first used, which most programs never do
    from tray_app.claude_code.all_sessions import Preview

log = logging.getLogger(__name__)


class UserSessions:
    """The user's own settings of Claude Code, as far as this app writes into them. Only the job thread uses it."""

    def __init__(self, state: Path, environ: Mapping[str, str], store: SettingsStore) -> None:
        """`state` is the folder of this program's state."""
        self._state = state
        self._environ = environ
        self._store = store
        self._followed: Setup | None = None  # the set-up that was written last, or could not be written

    @property
    def is_on(self) -> bool:
        """Tells whether all sessions of Claude Code are set to use the gateway."""
        return is_on(self._state)

    def use(self, setup: Setup, *, is_on: bool) -> None:
        """Switches it on or off. ClaudeSettingsError if Claude Code's settings cannot be used.

        If it is on already, it is switched on anew, so that what the user has changed of our values is set again.
        """
        from tray_app.claude_code.all_sessions import switch_off, switch_on

        if self.is_on:
            switch_off(self._state)
            log.info("sessions of Claude Code no longer use the gateway by themselves")
        if is_on:
            switch_on(self._state, self._environ, setup)
            log.info("all sessions of Claude Code use the gateway")
        self._followed = setup

    def preview(self, setup: Setup, *, is_on: bool) -> Preview | None:
        """Returns what `use` would change; None: nothing. ClaudeSettingsError as there."""
        from tray_app.claude_code.all_sessions import preview_off, preview_on

        return preview_on(self._state, self._environ, setup) if is_on else preview_off(self._state)

    def follow(self, setup: Setup) -> None:
        """Brings Claude Code's settings up to date if the set-up has changed. What prevents it is only logged."""
        if setup == self._followed:
            return
        self._followed = setup
        if not self.is_on:
            return
        from tray_app.claude_code.all_sessions import renew

        try:
            renew(self._state, self._environ, setup)
        except ClaudeSettingsError as error:
            log.warning("%s", error)

    def undo_if_wanted(self) -> None:
        """Switches it off if the user wants that whenever the app quits. What prevents it is only logged.

        It is called when the app quits and when it starts, because the last run may have crashed.
        """
        if not self._store.current.undo_all_sessions_at_quit or not self.is_on:
            return
        from tray_app.claude_code.all_sessions import switch_off

        try:
            if switch_off(self._state):
                log.info("sessions of Claude Code no longer use the gateway by themselves")
        except ClaudeSettingsError as error:
            log.warning("%s", error)
