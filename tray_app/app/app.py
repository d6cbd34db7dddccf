"""The app: builds every part, starts and stops them in order, and carries out the commands of the menu.

There are three threads. The main thread owns the icon and stays idle, because Python code in it would delay every chunk
of an answer. The job thread starts, stops, saves and redraws, one job after another. The proxy thread answers requests.
"""

from __future__ import annotations

import logging
import math
import signal
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import replace
from typing import TYPE_CHECKING

from tray_app import APP_NAME, __version__
from tray_app.app.clicks import Clicks
from tray_app.app.garbage import settle
from tray_app.app.greeting import LATER_IN_TRAY, list_lines, write_hello
from tray_app.app.instance import Instance
from tray_app.app.job_thread import POLL_S, JobThread
from tray_app.app.late_desk import LateDesk
from tray_app.app.log_file import RedactingFormatter, close_log, open_log
from tray_app.app.parts import make_parts
from tray_app.app.status_file import StatusFile
from tray_app.desktop import Desktop, DesktopError
from tray_app.errors import AppError
from tray_app.paths import Paths
from tray_app.settings.keys import Keys
from tray_app.status.board import Phase
from tray_app.status.messages import list_news
from tray_app.tray.menu import Command

if TYPE_CHECKING:  # the proxy thread imports the page, and only a program with an icon imports that
    from tray_app.app.page_desk import PageDesk
    from tray_app.page.routes import Page
    from tray_app.tray.icon import TrayIcon

log = logging.getLogger(__name__)

_QUIT_DRAIN_S = 5.0
"""Seconds that running answers get after the user quits."""
_TERMINATE_DRAIN_S = 2.0
"""Seconds that running answers get at log-off and after a signal. Service managers do not wait longer."""
_END_GRACE_S = 2.0
"""Seconds to wait for the end after that. Windows gives a program five seconds in all."""
_POLL_MODELS_S = 24 * 3600.0
"""The time between two requests for NVIDIA's list of models."""

_DOUBLE_CLICK_S = 0.5
"""The longest time between the two halves of a double click on the icon, which is to open one page only."""

_LOOK_AT_TODAY_S = 2.0
"""The least time between two changes of the menu's line about today."""


class App:
    """One run of the app."""

    def __init__(
        self,
        paths: Paths,
        environ: Mapping[str, str],
        desktop: Desktop,
        instance: Instance,
        say: Callable[[str], None],
        *,
        is_demo: bool,
        wants_tray: bool,
        shows_welcome: bool,
    ) -> None:
        """`instance` must be acquired already. `say` prints a line on the terminal, if there is one.

        `shows_welcome`: the very first start shows the page.
        """
        self._instance = instance
        self._say = say
        self._wants_tray = wants_tray
        self._shows_welcome = shows_welcome
        self._formatter = RedactingFormatter()
        self._parts = make_parts(
            paths, environ, desktop, instance, say, self._hide, self._make_page, is_demo=is_demo, has_icon=wants_tray
        )
        self._status_file = StatusFile(paths.state)
        self._clicks = Clicks(self._parts, self._notify)
        self._job_thread = JobThread(self._poll, self._redraw)
        self._page_desk = LateDesk(self._make_page_desk)
        self._page: Page | None = None
        self._icon: TrayIcon | None = None
        self._notified = frozenset[str]()  # names of the news that the user has been notified of
        self._today = self._parts.history.today
        self._next_look_s = 0.0
        self._clicked_s = -math.inf  # when the page was asked for last, on the clock of time.monotonic
        self._is_settled = False
        self._is_quitting = False
        self._exit_code = 0

    def run(self) -> int:
        """Runs until the user quits; returns the exit code."""
        log_file = open_log(self._parts.paths.logs, self._formatter)
        log.info("%s %s%s", APP_NAME, __version__, ", demo" if self._parts.is_demo else "")
        if log_file is None:
            self._say(f"The log folder {self._parts.paths.logs} cannot be written, so there is no log.")
        if self._parts.store.problem:
            log.warning("%s", self._parts.store.problem)
        if self._parts.store.note:
            log.warning("%s", self._parts.store.note)
            self._say(self._parts.store.note)
        self._parts.board.publish(is_demo=self._parts.is_demo)
        self._parts.history.start()
        if self._wants_tray:
            self._icon = self._make_icon()
        self._parts.board.subscribe(lambda _: self._job_thread.put(None))
        self._job_thread.put(self._start)
        self._handle_signals()
        try:
            if self._icon is not None:
                self._icon.run(self._job_thread.start)
            else:
                self._job_thread.start()
                while not self._job_thread.wait_end(POLL_S):  # without a time limit, Windows would hold back signals
                    pass
        finally:
            if not self._is_quitting:  # the icon ended by itself, because the desktop session is over
                self.quit(_TERMINATE_DRAIN_S)
            self._job_thread.join()
            close_log(log_file)
        return self._exit_code

    def quit(self, drain_s: float) -> None:
        """Begins to quit. A second call ends running answers at once. Any thread and any signal handler may call it."""
        if self._is_quitting:
            self._parts.service.cancel_drain()
            return
        self._is_quitting = True
        self._job_thread.put(self._show_quitting)
        self._job_thread.put(lambda: self._stop(drain_s))

    # ---- Called on the main thread

    def _make_icon(self) -> TrayIcon | None:
        try:
            from tray_app.tray.icon import TrayIcon  # with Pillow, which a program without an icon does not need

            backend = self._parts.desktop.tray_class()
            return TrayIcon(
                backend,
                self._act,
                self._end_session,
                self._parts.desktop.on_ui_thread,
                self._parts.board.status,
                self._parts.store.current,
                self._clicks.find_facts(),
            )
        except Exception as error:  # noqa: BLE001 (pystray and the desktops raise errors of any type)
            log.info("no tray icon: %s", error)
            self._say(f"Running without a tray icon. {error}")
            return None

    def _handle_signals(self) -> None:
        drains = {"SIGINT": _QUIT_DRAIN_S, "SIGTERM": _TERMINATE_DRAIN_S, "SIGHUP": _TERMINATE_DRAIN_S}
        for name, drain_s in drains.items():
            number = getattr(signal, name, None)
            if number is None or (name == "SIGHUP" and signal.getsignal(number) is signal.SIG_IGN):  # started by nohup
                continue
            signal.signal(number, lambda *_, drain_s=drain_s: self.quit(drain_s))

    def _act(self, command: Command, argument: str) -> None:
        """Hands a click to the job thread. Quit is handled here, because it must work while the job thread is busy."""
        if command is Command.QUIT:
            self.quit(_QUIT_DRAIN_S)
        elif command is not Command.OPEN_PAGE or not self._ends_double_click():
            self._job_thread.put(lambda: self._clicks.carry_out(command, argument))

    def _ends_double_click(self) -> bool:
        """Tells whether the page was asked for just before this click."""
        now_s = time.monotonic()
        if now_s - self._clicked_s < _DOUBLE_CLICK_S:
            return True
        self._clicked_s = now_s
        return False

    def _end_session(self) -> None:
        """Handles log-off. Returns when everything has stopped, because Windows may kill the process after that."""
        self.quit(_TERMINATE_DRAIN_S)
        self._job_thread.wait_end(_TERMINATE_DRAIN_S + _END_GRACE_S)

    # ---- Called on the proxy thread

    def _make_page(self) -> Page:
        """Returns the page. It stays the same if the gateway is started anew, so that open pages go on."""
        from tray_app.page.routes import Page  # it imports aiohttp, which the icon must not wait for

        if self._page is None:
            self._page = Page(self._parts.paths.state, self._parts.history_file, self._page_desk)
        return self._page

    def _make_page_desk(self) -> PageDesk:
        from tray_app.app.page_desk import PageDesk

        return PageDesk(self._parts, self._clicks, self._job_thread.put, lambda: self.quit(_QUIT_DRAIN_S))

    # ---- Called on the job thread

    def _poll(self) -> bool:
        """Quits if another process asks for it. Applies a changed settings file, or keys that the keyring gave late.

        Returns whether anything changed.
        """
        if not self._is_settled:  # the program has started a second ago
            self._is_settled = True
            settle()
        if self._instance.is_asked_to_quit() and not self._is_quitting:
            log.info("another process of this user asks this one to quit")
            self.quit(_QUIT_DRAIN_S)
        is_new_day_sum = self._look_at_today()
        if self._instance.take_look_request():
            self._parts.supervisor.look_again()
        if not self._parts.store.refresh():
            return self._parts.supervisor.poll() or is_new_day_sum
        self._parts.supervisor.apply()
        return True

    def _look_at_today(self) -> bool:
        """Takes today's sums for the menu, every few seconds only. Returns whether they have changed."""
        if time.monotonic() < self._next_look_s:
            return False
        self._next_look_s = time.monotonic() + _LOOK_AT_TODAY_S
        before, self._today = self._today, self._parts.history.today
        return self._today != before

    def _start(self) -> None:
        self._parts.service.prepare()  # while the keyring is asked
        self._parts.user_sessions.undo_if_wanted()
        self._parts.supervisor.read_keys()
        self._parts.supervisor.begin()
        try:
            self._parts.desktop.renew_start_at_login()
        except DesktopError as error:
            log.warning("%s", error)
        if not self._parts.service.is_running and self._icon is None:
            self._exit_code = 1
            self.quit(0)
        else:
            self._greet()

    def _show_quitting(self) -> None:
        self._parts.board.publish(phase=Phase.QUITTING)
        self._redraw()

    def _stop(self, drain_s: float) -> None:
        """Ends the app. Each part is ended even if another one fails to end; otherwise the app could not be quit."""
        with ExitStack() as stack:  # the last callback runs first
            if self._icon is not None:
                stack.callback(self._icon.stop)
            stack.callback(self._job_thread.end)
            stack.callback(log.info, "quit")
            stack.callback(self._instance.release)
            stack.callback(self._parts.user_sessions.undo_if_wanted)
            stack.callback(self._status_file.remove)
            stack.callback(self._parts.history.close)
            self._parts.service.stop(drain_s)

    def _hide(self, keys: Keys) -> None:
        self._formatter.secrets = frozenset(key for key in (keys.nvidia, keys.server) if key)

    def _greet(self) -> None:
        """Says what to do next, if the gateway runs. The very first start shows the page as well."""
        if not self._parts.service.is_running:
            return
        is_first_start = self._parts.store.is_new
        if is_first_start:
            self._parts.supervisor.change(is_new=None)
        status, icon = self._parts.board.status, self._icon
        shell = self._parts.desktop.guess_shell()
        for line in list_lines(status, shell, has_icon=icon is not None, is_hosted=icon is not None and icon.is_hosted):
            self._say(line)
        if is_first_start and icon is not None:
            self._notify(*write_hello(status, self._parts.store.current, self._find_icon_place()))
            if self._shows_welcome:
                self._show_welcome()

    def _show_welcome(self) -> None:
        """Shows the user of the very first start the page, which leads to the first answer."""
        try:
            self._clicks.open_page("welcome")
        except AppError as error:
            log.info("the page is not shown: %s", error)

    def _find_icon_place(self) -> str:
        """Returns where the icon is, for a sentence that begins with "Its icon is"; empty: there is none."""
        if self._icon is None:
            return ""
        return self._parts.desktop.icon_place if self._icon.is_hosted else LATER_IN_TRAY

    def _notify(self, title: str, text: str) -> None:
        if self._icon is not None:
            self._icon.notify(title, text)

    def _redraw(self) -> None:
        status, settings = self._parts.board.status, self._parts.store.current
        self._parts.history.keep_days = settings.history_days
        if self._parts.service.is_running:
            self._parts.user_sessions.follow(self._clicks.make_setup())
        facts = self._clicks.find_facts()
        self._page_desk.look(facts, self._find_icon_place())
        if self._icon is not None:
            self._icon.show(status, settings, replace(facts, today=self._today))
        if not self._is_quitting:
            self._status_file.show(status, settings, self._clicks.page_url)
        news = list_news(status, settings)
        for name, trouble in news.items():
            if name not in self._notified:
                self._notify(trouble.title, trouble.sentence)
        self._notified = frozenset(news)
