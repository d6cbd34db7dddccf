"""Makes what carries out the wishes of the page when the first page is opened.

Most programs run for days without an open page. What its actions need is then neither imported nor kept.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any

from tray_app.claude_code.claude_settings import Setup
from tray_app.tray.menu import MenuFacts

if TYPE_CHECKING:  # imported when the first page is opened
    from tray_app.app.page_desk import PageDesk
    from tray_app.page.actions import Action, PageFacts
    from tray_app.page.views.settings import SettingsFacts


class LateDesk:
    """The desk of the page. It is made when it is first asked. Any thread may call it."""

    def __init__(self, make: Callable[[], PageDesk]) -> None:
        self._make = make
        self._desk: PageDesk | None = None
        self._seen: tuple[MenuFacts, str] | None = None
        self._lock = threading.Lock()

    def look(self, facts: MenuFacts, icon_place: str) -> None:
        """Takes over what the menu shows of this machine, and where the icon is; empty: there is none."""
        with self._lock:
            self._seen = facts, icon_place
            if self._desk is not None:
                self._desk.look(facts, icon_place)

    @property
    def facts(self) -> PageFacts:
        """The newest facts."""
        return self._find().facts

    @property
    def settings_facts(self) -> SettingsFacts:
        """Tells what is known of the settings besides their values, as it is now."""
        return self._find().settings_facts

    @property
    def setup(self) -> Setup:
        """Tells what the set-up of Claude Code depends on, as it is now."""
        return self._find().setup

    def carry_out(self, action: Action) -> Future[Any]:
        """Begins an action. The result can be turned into JSON; AppError says what went wrong."""
        return self._find().carry_out(action)

    def _find(self) -> PageDesk:
        with self._lock:
            if self._desk is None:
                self._desk = self._make()
                if self._seen is not None:
                    self._desk.look(*self._seen)
            return self._desk
