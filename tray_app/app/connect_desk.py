"""Carries out what the page asks for about the ways to Claude Code: all sessions, and the doctor."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from tray_app.app.health import read_health
from tray_app.app.parts import Parts
from tray_app.claude_code.claude_settings import Setup
from tray_app.claude_code.recent_folders import list_recent_folders


class ConnectDesk:
    """Sets up the ways from Claude Code to the gateway, and examines them."""

    def __init__(self, parts: Parts, make_setup: Callable[[], Setup]) -> None:
        """`make_setup` returns what the set-up of Claude Code depends on at that moment."""
        self._parts = parts
        self.make_setup = make_setup

    def preview(self, *, is_on: bool) -> dict[str, Any]:
        """Returns what switching all sessions on or off would change. ClaudeSettingsError if that is not possible."""
        from tray_app.page.views.connect import show_preview

        return show_preview(self._parts.user_sessions.preview(self.make_setup(), is_on=is_on))

    def use_for_all_sessions(self, *, is_on: bool) -> dict[str, Any]:
        """Switches all sessions on or off. Only the job thread may call it. ClaudeSettingsError if it is impossible."""
        setup = self.make_setup()
        self._parts.user_sessions.use(setup, is_on=is_on)
        if not is_on:
            return {"sentence": "Claude Code's settings are restored. New sessions no longer use this program."}
        key = " Set ANTHROPIC_AUTH_TOKEN to the server key for them." if setup.needs_server_key else ""
        return {"sentence": f"All new sessions of Claude Code use this program.{key}"}

    def examine(self) -> dict[str, Any]:
        """Returns the findings of the doctor. Takes some seconds, so that the job thread must not call it."""
        from tray_app.doctor.examination import (
            Patient,
            examine,
        )  # they import aiohttp, which the icon must not wait for
        from tray_app.doctor.findings import is_healthy

        status, config = self._parts.board.status, self._parts.supervisor.config
        patient = Patient(
            self._parts.environ,
            "this program's environment",
            next(iter(list_recent_folders(self._parts.paths.state)), Path.home()),
            config.settings,
            config.keys,
            running_url=status.url,
            answers=bool(status.url) and read_health(status.url) is not None,
            is_demo=config.is_demo,
            covers_all_sessions=self._parts.user_sessions.is_on,
            missing_tray=self._parts.desktop.explain_missing_tray(),
            make_tls_context=self._parts.desktop.make_tls_context,
        )
        findings = examine(patient)
        return {"is_healthy": is_healthy(findings), "findings": [asdict(finding) for finding in findings]}
