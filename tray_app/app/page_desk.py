"""Carries out what the page asks for: each action on the job thread, one after another."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import replace
from typing import Any

from tray_app.app.clicks import Clicks
from tray_app.app.supervisor import GatewaySupervisor
from tray_app.desktop import Desktop
from tray_app.page.actions import (
    Action,
    ChooseModel,
    LookAgain,
    OpenClaudeCode,
    OpenLogFolder,
    PageFacts,
    Pause,
    Quit,
    StartAtLogin,
    ToggleBodyLog,
)
from tray_app.tray.menu import MenuFacts

Job = Callable[[], None]


class PageDesk:
    """The app, as the page knows it. Any thread may call it."""

    def __init__(
        self,
        desktop: Desktop,
        clicks: Clicks,
        supervisor: GatewaySupervisor,
        put: Callable[[Job | None], None],
        quit_app: Callable[[], None],
        facts: PageFacts,
    ) -> None:
        """`put` hands a job to the job thread. `facts` are those that never change; the others are added by `look`."""
        self._desktop = desktop
        self._clicks = clicks
        self._supervisor = supervisor
        self._put = put
        self._quit_app = quit_app
        self.facts = facts

    def look(self, facts: MenuFacts) -> None:
        """Takes over what the menu shows of this machine."""
        self.facts = replace(
            self.facts,
            shell=facts.shell,
            recent_folders=tuple(map(str, facts.recent_folders)),
            starts_at_login=facts.starts_at_login,
            covers_all_sessions=facts.covers_all_sessions,
        )

    def carry_out(self, action: Action) -> Future[Any]:
        """Begins an action. The result can be turned into JSON; AppError says what went wrong."""
        done: Future[Any] = Future()

        def work() -> None:
            try:
                done.set_result(self._carry_out(action))
            except Exception as error:  # noqa: BLE001 (it is raised again where the result is waited for)
                done.set_exception(error)

        self._put(work)
        return done

    def _carry_out(self, action: Action) -> Any:
        match action:
            case ChooseModel(model_id):
                self._supervisor.change(model=model_id)
            case LookAgain():
                self._supervisor.look_again()
            case ToggleBodyLog(is_on):
                self._supervisor.change(log_bodies=is_on)
            case StartAtLogin(is_on):
                self._desktop.set_start_at_login(is_on)
            case OpenClaudeCode(folder):
                self._clicks.open_claude_code(folder)
            case OpenLogFolder():
                self._clicks.open_log_folder()
            case Pause(is_on):
                self._supervisor.pause(is_paused=is_on)
            case Quit():
                self._quit_app()
        return {}
