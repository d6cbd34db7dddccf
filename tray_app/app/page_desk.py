"""Carries out what the page asks for: quick actions on the job thread, one after another, and slow ones beside it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import replace
from pathlib import Path
from typing import Any

from tray_app.app.clicks import Clicks
from tray_app.app.settings_desk import SettingsDesk
from tray_app.app.supervisor import GatewaySupervisor
from tray_app.desktop import Desktop
from tray_app.history.database import delete_history
from tray_app.page.actions import (
    Action,
    ChangeSettings,
    ChooseModel,
    CollectDiagnostics,
    DeleteHistory,
    LookAgain,
    OpenClaudeCode,
    OpenLogFolder,
    OpenSettingsFolder,
    PageFacts,
    Quit,
    Restart,
    StartAtLogin,
    ToggleBodyLog,
)
from tray_app.page.views.settings import SettingsFacts
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
        settings_desk: SettingsDesk,
        collect_diagnostics: Callable[[], str],
        history_file: Path,
    ) -> None:
        """`put` hands a job to the job thread. `facts` are those that never change; the others are added by `look`.

        `collect_diagnostics` returns the text for somebody who helps.
        """
        self._desktop = desktop
        self._clicks = clicks
        self._supervisor = supervisor
        self._put = put
        self._quit_app = quit_app
        self.facts = facts
        self._history_file = history_file
        self._settings_desk = settings_desk
        self._collect_diagnostics = collect_diagnostics

    @property
    def settings_facts(self) -> SettingsFacts:
        """What is known of the settings besides their values, as it is now."""
        return self._settings_desk.facts

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
        done.set_running_or_notify_cancel()  # what was begun goes on, also if the page is closed meanwhile

        def work() -> None:
            try:
                done.set_result(self._carry_out(action))
            except Exception as error:  # noqa: BLE001 (it is raised again where the result is waited for)
                done.set_exception(error)

        match action:
            case CollectDiagnostics() | DeleteHistory():
                threading.Thread(target=work, name="page", daemon=True).start()
            case _:
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
            case OpenSettingsFolder():
                self._desktop.open_folder(self.facts.settings_file.parent)
            case ChangeSettings(changes, is_trial):
                return self._settings_desk.change(changes, is_trial=is_trial)
            case Restart():
                return self._settings_desk.restart()
            case CollectDiagnostics():
                return {"text": self._collect_diagnostics()}
            case DeleteHistory():
                delete_history(self._history_file)
                return {"sentence": "The history is deleted."}
            case Quit():
                self._quit_app()
        return {}
