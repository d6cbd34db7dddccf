"""What each command of the menu does. Only the job thread uses it."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path

from tray_app import APP_NAME
from tray_app.app.claude_setup import make_setup
from tray_app.app.parts import Parts
from tray_app.claude_code.claude_settings import Setup
from tray_app.claude_code.forms import FORMS, render_form
from tray_app.claude_code.recent_folders import list_recent_folders
from tray_app.desktop import DesktopError
from tray_app.errors import AppError
from tray_app.page.entrance import explain_switched_off, make_entrance
from tray_app.shells import find_program
from tray_app.status.board import Phase, Trouble
from tray_app.status.messages import find_notice
from tray_app.tray.menu import Command, MenuFacts

log = logging.getLogger(__name__)

_NEXT_STEPS = {
    "settings": ("Settings copied", "Save them as a file, then start Claude Code with: claude --settings FILE."),
    "launcher": ("Command copied", "Paste it into a terminal. It starts Claude Code in the folder that is open there."),
    "undo": ("Undo line copied", "Paste it into the terminal into which you have pasted the exports."),
}
"""The title and the text of the notification for each form that is not one of a shell."""


class Clicks:
    """Carries out the commands of the menu, and knows what the menu shows of this machine."""

    def __init__(self, parts: Parts, notify: Callable[[str, str], None]) -> None:
        """`notify` shows a title and a text to the user."""
        self._paths = parts.paths
        self._environ = parts.environ
        self._desktop = parts.desktop
        self._store = parts.store
        self._board = parts.board
        self._supervisor = parts.supervisor
        self._user_sessions = parts.user_sessions
        self._notify = notify
        self._is_demo = parts.is_demo
        self._shell = parts.desktop.guess_shell()

    def find_facts(self) -> MenuFacts:
        """Returns what the menu shows of this machine. The system is asked each time, as others may change it, too."""
        return MenuFacts(
            shell=self._shell,
            forms=FORMS,
            home=Path.home(),
            recent_folders=tuple(list_recent_folders(self._paths.state)),
            starts_at_login=self._desktop.starts_at_login(),
            covers_all_sessions=self._user_sessions.is_on,
        )

    def carry_out(self, command: Command, argument: str) -> None:
        """Carries out a command. If that does not work, a notification says so."""
        try:
            self._carry_out(command, argument)
        except AppError as error:
            log.warning("%s", error)
            self._notify(APP_NAME, str(error))

    def _carry_out(self, command: Command, argument: str) -> None:
        match command:
            case Command.SHOW_TROUBLE:
                self._show_trouble()
            case Command.OPEN_PAGE:
                self._open_fitting_view()
            case Command.CHOOSE_MODEL:
                self._supervisor.change(model=argument)
                log.info("model: %s", argument)
            case Command.LOOK_AGAIN:
                self._supervisor.look_again()
            case Command.OPEN_CLAUDE_CODE:
                self.open_claude_code(argument)
            case Command.COPY_EXPORTS:
                self._copy_exports(argument or self._shell)
            case Command.OPEN_LOGS:
                self.open_log_folder()
            case _:
                self._switch(command)

    def _switch(self, command: Command) -> None:
        """Switches on what is off, or off what is on."""
        settings = self._store.current
        match command:
            case Command.TOGGLE_BODY_LOG:
                self._supervisor.change(log_bodies=not settings.log_bodies)
            case Command.TOGGLE_ALL_SESSIONS:
                self._toggle_all_sessions()
            case Command.TOGGLE_PAUSE:
                self._supervisor.pause(is_paused=not self._board.status.is_paused)
            case Command.TOGGLE_CLIENT_CHOICE:
                self._supervisor.change(clients_choose_model=not settings.clients_choose_model)
            case Command.TOGGLE_START_AT_LOGIN:
                self._desktop.set_start_at_login(not self._desktop.starts_at_login())

    def _show_trouble(self) -> None:
        """Tries to end the trouble; if it stays, opens what solves it, or says how to solve it."""
        self._supervisor.try_again()
        notice = find_notice(self._board.status, self._store.current)
        if notice is None:
            return
        if not self._can_be_solved(notice):
            self._notify(notice.title, notice.sentence)

    def _can_be_solved(self, notice: Trouble) -> bool:
        """Opens what solves a trouble: a view of the page, else a terminal. Returns False if nothing is opened."""
        try:
            if notice.view and self.page_url:
                self.open_page(notice.view)
            elif notice.verb:
                self._desktop.open_terminal([*find_program(), notice.verb], Path.home(), stays_open=True)
            else:
                return False
        except DesktopError as error:
            log.warning("%s", error)  # the sentence of the trouble says what to do
            return False
        return True

    def _open_fitting_view(self) -> None:
        """Shows the page, at the view where something needs the user if there is such a thing."""
        notice = find_notice(self._board.status, self._store.current)
        self.open_page(notice.view if notice else "")

    @property
    def page_url(self) -> str:
        """The URL of the page; empty: there is none, because it is switched off or the gateway does not listen."""
        status = self._board.status
        is_there = status.phase is Phase.RUNNING and self._supervisor.config.serves_page
        return f"{status.url}/" if is_there else ""

    def open_page(self, view: str = "") -> None:
        """Shows the page in the browser, at a view or at the first one. DesktopError if that does not work."""
        if self._board.status.phase is not Phase.RUNNING:
            raise DesktopError("There is no page, because the gateway does not listen. The menu says why.")
        if not self._supervisor.config.serves_page:
            raise DesktopError(explain_switched_off(self._paths.settings))
        try:
            address = make_entrance(self._board.status.url, self._paths.state, view)
        except OSError as error:
            raise DesktopError(f"The page cannot be opened: {error.filename} {error.strerror}.") from error
        self._desktop.open_url(address)

    def open_claude_code(self, folder: str) -> None:
        """Opens a terminal with Claude Code in a folder; empty: the folder that was used last."""
        path = Path(folder) if folder else next(iter(list_recent_folders(self._paths.state)), Path.home())
        try:
            is_there = path.is_dir()
        except OSError as error:  # the path is too long, or goes through a folder that the user may not enter
            raise DesktopError(f"The folder {path} cannot be used: {error.strerror}.") from error
        if not is_there:
            raise DesktopError(f"The folder {path} is gone.")
        self._desktop.open_terminal([*find_program(), "claude"], path)

    def open_log_folder(self) -> None:
        """Shows the folder of the log in the file manager. DesktopError if that does not work."""
        self._desktop.open_folder(self._paths.logs)

    def _copy_exports(self, form: str) -> None:
        setup = self.make_setup()
        self._desktop.copy_text(render_form(form, setup, self._shell, is_demo=self._is_demo))
        if form in _NEXT_STEPS:
            self._notify(*_NEXT_STEPS[form])
            return
        first = " Set SERVER_API_KEY there first." if setup.needs_server_key else ""
        shell = FORMS.get(form, form)
        self._notify("Exports copied", f"Paste them into a terminal with {shell}, then start claude there.{first}")

    def _toggle_all_sessions(self) -> None:
        setup = self.make_setup()
        self._user_sessions.use(setup, is_on=not self._user_sessions.is_on)
        if not self._user_sessions.is_on:
            title = "Claude Code's settings are restored"
            text = "New sessions of Claude Code do not use this program, unless you start them from here."
        else:
            title = "Claude Code's settings are changed"
            text = "All new sessions of Claude Code use this program, until you click on the item again."
            if setup.needs_server_key:
                text += " Set ANTHROPIC_AUTH_TOKEN to the server key for them."
        self._notify(title, text)

    def make_setup(self) -> Setup:
        """Returns what the set-up of Claude Code depends on, as it is now."""
        keys = self._supervisor.keys
        return make_setup(self._board.status.url, self._store.current, keys, self._environ, self._paths.state)
