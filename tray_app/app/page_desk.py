"""Carries out what the page asks for: quick actions on the job thread, one after another, and slow ones beside it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import asdict, replace
from typing import Any

from tray_app.app.clicks import Clicks
from tray_app.app.connect_desk import ConnectDesk
from tray_app.app.key_desk import KeyDesk, describe_place, find_variable
from tray_app.app.log_file import FILE_NAME as LOG_NAME
from tray_app.app.models_desk import ModelsDesk
from tray_app.app.parts import Parts
from tray_app.app.settings_desk import SettingsDesk
from tray_app.claude_code.claude_settings import Setup
from tray_app.history.database import delete_history
from tray_app.page.actions import (
    Action,
    AskKeyring,
    ChangeSettings,
    ChooseModel,
    CollectDiagnostics,
    CorrectModel,
    DeleteHistory,
    Examine,
    HideModel,
    LeaveWelcome,
    LookAgain,
    OpenClaudeCode,
    OpenLogFolder,
    OpenSettingsFolder,
    OrderModels,
    PageFacts,
    Pause,
    PreviewAllSessions,
    PutInMenu,
    Quit,
    RemoveKey,
    Restart,
    SaveKey,
    StartAtLogin,
    TestModel,
    ToggleBodyLog,
    UseForAllSessions,
    UseInBackground,
)
from tray_app.page.views.settings import SettingsFacts
from tray_app.tray.menu import MenuFacts

Job = Callable[[], None]


class PageDesk:
    """The app, as the page knows it. Any thread may call it."""

    def __init__(
        self, parts: Parts, clicks: Clicks, put: Callable[[Job | None], None], quit_app: Callable[[], None]
    ) -> None:
        """`put` hands a job to the job thread."""
        self._parts = parts
        self._clicks = clicks
        self._supervisor = parts.supervisor
        self._put = put
        self._quit_app = quit_app
        self._log_file = parts.paths.logs / LOG_NAME
        self._key_desk = KeyDesk(parts.store, parts.environ, parts.desktop.make_tls_context)
        self._connect_desk = ConnectDesk(parts, clicks.make_setup)
        self._settings_desk = SettingsDesk(parts.store, parts.supervisor, parts.environ, parts.paths.state, put)
        self._models_desk = ModelsDesk(parts.store, parts.supervisor, self._settings_desk)
        self.facts = PageFacts(
            key_variable=find_variable(parts.environ),
            settings_file=parts.paths.settings,
            log_file=self._log_file,
        )
        """What the page shows of this machine. The job thread replaces it in `look`."""

    @property
    def settings_facts(self) -> SettingsFacts:
        """What is known of the settings besides their values, as it is now."""
        return self._settings_desk.facts

    @property
    def setup(self) -> Setup:
        """What the set-up of Claude Code depends on, as it is now."""
        return self._connect_desk.make_setup()

    def look(self, facts: MenuFacts, icon_place: str) -> None:
        """Takes over what the menu shows of this machine, and where the icon is; empty: there is none."""
        parts = self._parts
        self.facts = replace(
            self.facts,
            icon_place=icon_place,
            key_place=describe_place(parts.supervisor.keys, parts.store, parts.environ),
            needs_welcome=parts.store.needs_welcome,
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
            case CollectDiagnostics() | DeleteHistory() | SaveKey() | RemoveKey() | TestModel() | Examine():
                # The program must be able to quit while NVIDIA or the keyring is silent.
                threading.Thread(target=work, name="page", daemon=True).start()
            case _:
                self._put(work)
        return done

    def _carry_out(self, action: Action) -> Any:
        match action:
            case SaveKey(key):
                return self._change_key(lambda: self._key_desk.save(key))
            case RemoveKey():
                return self._change_key(self._key_desk.remove)
            case TestModel(model_id):
                return asdict(self._parts.service.try_model(model_id).result())
            case PreviewAllSessions(is_on):
                return self._connect_desk.preview(is_on=is_on)
            case UseForAllSessions(is_on):
                return self._connect_desk.use_for_all_sessions(is_on=is_on)
            case Examine():
                return self._connect_desk.examine()
            case ChangeSettings(changes, is_trial):
                return self._settings_desk.change(changes, is_trial=is_trial)
            case CorrectModel() | PutInMenu() | HideModel() | OrderModels() | UseInBackground():
                return self._models_desk.carry_out(action)
            case Restart():
                return self._settings_desk.restart()
            case CollectDiagnostics():
                return {"text": self._collect_diagnostics()}
            case DeleteHistory():
                delete_history(self._parts.history_file)
                return {"sentence": "The history is deleted."}
        self._do(action)
        return {}

    def _change_key(self, change: Callable[[], Any]) -> Any:
        """Returns what the change leads to. The gateway gets the new keys soon after."""
        result = change()
        self._put(self._supervisor.apply)
        return result

    def _do(self, action: Action) -> None:
        """Carries out an action that has no result."""
        match action:
            case ChooseModel(model_id):
                self._supervisor.change(model=model_id)
            case LookAgain():
                self._supervisor.look_again()
            case ToggleBodyLog(is_on):
                self._supervisor.change(log_bodies=is_on)
            case StartAtLogin(is_on):
                self._parts.desktop.set_start_at_login(is_on)
            case OpenClaudeCode(folder):
                self._clicks.open_claude_code(folder)
            case OpenLogFolder():
                self._clicks.open_log_folder()
            case OpenSettingsFolder():
                self._parts.desktop.open_folder(self.facts.settings_file.parent)
            case AskKeyring():
                self._supervisor.try_again()
            case LeaveWelcome():
                self._supervisor.change(needs_welcome=None)
            case Pause(is_on):
                self._supervisor.pause(is_paused=is_on)
            case Quit():
                self._quit_app()

    def _collect_diagnostics(self) -> str:
        """Returns the text for somebody who helps."""
        parts = self._parts
        from tray_app.app.diagnostics import write_diagnostics

        return write_diagnostics(
            parts.desktop.describe_system(),
            parts.supervisor.config,
            parts.board.status,
            self.settings_facts,
            self._log_file,
        )
