"""The app: builds every part, starts and stops them in order, and does what the menu asks.

Three threads. Main owns the icon and stays idle, since Python code there would delay every chunk of an answer. Control,
one worker, starts, stops, saves and redraws, one job after another. Proxy answers requests.
"""

from __future__ import annotations

import logging
import signal
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from queue import Empty, SimpleQueue
from typing import Any

from tray_app import APP_NAME, __version__
from tray_app.claude_code.exports import render_exports
from tray_app.desktop import Desktop, DesktopError
from tray_app.errors import PortTaken, StartError
from tray_app.instance import Instance
from tray_app.keys import Keys, read_keys
from tray_app.logs import RedactingFormatter, close_log, open_log
from tray_app.paths import Paths, find_command
from tray_app.proxy.service import ProxyService
from tray_app.settings import Address, Settings
from tray_app.settings_store import SettingsStore
from tray_app.status import Phase, StatusBoard, Trouble
from tray_app.tray.icon import TrayIcon
from tray_app.tray.menu import Command
from tray_app.troubles import find_notice, list_news

log = logging.getLogger(__name__)

_QUIT_DRAIN_S = 5.0
_TERMINATE_DRAIN_S = 2.0  # log-off and service managers do not wait longer
_LOOK_S = 1.0  # how often the settings file is looked at
_REDRAW_PAUSE_S = 0.25
_PORTS_TO_TRY = 20
_CHECK_MODELS_S = 24 * 3600.0

Job = Callable[[], None]


class App:
    """One running app, from `run` to its end."""

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
    ) -> None:
        """`instance` is already acquired. `say` shows a line on the terminal, if there is one."""
        self._paths = paths
        self._environ = environ
        self._desktop = desktop
        self._instance = instance
        self._say = say
        self._is_demo = is_demo
        self._wants_tray = wants_tray
        self._shell = desktop.guess_shell()
        self._formatter = RedactingFormatter()
        self._store = SettingsStore(paths.settings, environ)
        self._settings = self._store.current  # those that the gateway goes by
        self._keys = Keys()
        self._board = StatusBoard()
        self._service = ProxyService(
            self._board,
            state_folder=paths.state,
            check_models_every_s=_CHECK_MODELS_S,
            make_tls_context=desktop.make_tls_context,
        )
        self._icon: TrayIcon | None = None
        self._told = frozenset[str]()  # the news that the user was told of
        self._jobs: SimpleQueue[Job | None] = SimpleQueue()
        self._is_quitting = False
        self._ended = threading.Event()
        self._exit_code = 0

    def run(self) -> int:
        """Runs until the user quits; returns the exit code."""
        log_file = open_log(self._paths.logs, self._formatter)
        log.info("%s %s%s", APP_NAME, __version__, ", demo" if self._is_demo else "")
        if log_file is None:
            self._say(f"The log folder {self._paths.logs} cannot be written: this run leaves no log.")
        if self._store.problem:
            log.warning("%s", self._store.problem)
        self._board.publish(is_demo=self._is_demo)
        if self._wants_tray:
            self._icon = self._make_icon()
        self._board.subscribe(lambda _: self._jobs.put(None))
        self._jobs.put(self._start)
        control = threading.Thread(target=self._work, name="control")
        self._handle_signals()
        try:
            if self._icon is not None:
                self._icon.run(control.start)
            else:
                control.start()
                while not self._ended.wait(_LOOK_S):  # with a limit, or signals would wait on Windows
                    pass
        finally:
            if not self._is_quitting:  # the icon's loop ended by itself: the desktop session is over
                self.quit(_TERMINATE_DRAIN_S)
            if control.ident is not None:
                control.join()
            close_log(log_file)
        return self._exit_code

    def quit(self, drain_s: float) -> None:
        """Begins to quit; the second time, at once. Any thread, and signal handlers."""
        if self._is_quitting:
            self._service.hurry()
            return
        self._is_quitting = True
        self._jobs.put(lambda: self._stop(drain_s))

    # ---- main thread

    def _make_icon(self) -> TrayIcon | None:
        try:
            backend = self._desktop.tray_class()
            return TrayIcon(backend, self._act, self._shell, self._board.status, self._settings)
        except Exception as error:  # pystray and the systems below it raise whatever they like
            log.info("no tray icon: %s", error)
            self._say(f"Running without a tray icon. {error}")
            return None

    def _handle_signals(self) -> None:
        drains = {"SIGINT": _QUIT_DRAIN_S, "SIGTERM": _TERMINATE_DRAIN_S, "SIGHUP": _TERMINATE_DRAIN_S}
        for name, drain_s in drains.items():
            number = getattr(signal, name, None)
            if number is None or (name == "SIGHUP" and signal.getsignal(number) is signal.SIG_IGN):  # nohup
                continue
            signal.signal(number, lambda *_, drain_s=drain_s: self.quit(drain_s))

    def _act(self, command: Command, argument: str) -> None:
        """A click: handed to the control thread, but for Quit, which must work while that one is busy."""
        if command is Command.QUIT:
            self.quit(_QUIT_DRAIN_S)
        else:
            self._jobs.put(lambda: self._carry_out(command, argument))

    # ---- control thread

    def _work(self) -> None:
        last_redraw_s = -_REDRAW_PAUSE_S
        last_look_s = time.monotonic()
        needs_redraw = True
        while not self._ended.is_set():
            if time.monotonic() - last_look_s >= _LOOK_S:  # busy or not
                last_look_s = time.monotonic()
                if self._store.refresh():
                    self._attempt(self._apply_settings)
                    needs_redraw = True
            pause_s = max(0.0, last_redraw_s + _REDRAW_PAUSE_S - time.monotonic()) if needs_redraw else _LOOK_S
            try:
                job = self._jobs.get(timeout=pause_s)
                needs_redraw = True
                if job is not None:
                    self._attempt(job)
            except Empty:
                if needs_redraw:
                    self._attempt(self._redraw)
                    needs_redraw, last_redraw_s = False, time.monotonic()

    def _attempt(self, job: Job) -> None:
        try:
            job()
        except Exception:  # one failing click must not take the app down
            log.exception("a job of the control thread failed")

    def _start(self) -> None:
        self._read_keys()
        self._listen()
        if not self._service.is_running and self._icon is None:
            self._exit_code = 1
            self.quit(0)
        else:
            self._greet()

    def _stop(self, drain_s: float) -> None:
        self._board.publish(phase=Phase.QUITTING)
        self._attempt(self._redraw)
        self._service.stop(drain_s)
        self._instance.release()
        log.info("quit")
        self._ended.set()
        if self._icon is not None:
            self._icon.stop()

    def _listen(self) -> None:
        """Starts the gateway, or says in the status why it cannot."""
        settings = self._settings
        try:
            try:
                address = self._service.start(settings, self._keys, is_demo=self._is_demo)
            except PortTaken:
                if not self._store.is_new or self._environ.get("ADDR"):
                    raise
                address = self._find_port(settings)
        except StartError as error:
            log.warning("%s", error)
            self._say(str(error))
            title = (
                f"Port {settings.addr.port} is in use – fix…"
                if isinstance(error, PortTaken)
                else "Not listening – fix…"
            )
            self._board.report("start", Trouble(title, str(error)))
            self._board.publish(phase=Phase.STOPPED, url="")
            self._instance.publish("")
            return
        self._board.report("start", None)
        self._board.publish(phase=Phase.RUNNING, url=address.url)
        self._instance.publish(address.url)

    def _find_port(self, settings: Settings) -> Address:
        """On the very first run: the next free port, remembered. PortTaken if none of the next ones is free."""
        for step in range(1, _PORTS_TO_TRY):
            addr = Address(settings.addr.host, settings.addr.port + step)
            try:
                address = self._service.start(replace(settings, addr=addr), self._keys, is_demo=self._is_demo)
            except PortTaken:
                continue
            self._say(f"Port {settings.addr.port} is in use by another program; port {addr.port} is used from now on.")
            self._settings = self._store.update(addr=addr)
            return address
        raise PortTaken(
            f"Ports {settings.addr.port} to {settings.addr.port + _PORTS_TO_TRY - 1} are all in use. "
            'Choose another one: "addr" in the settings file, or the environment variable ADDR.'
        )

    def _greet(self) -> None:
        if not self._service.is_running:
            return
        url = self._board.status.url
        demo = " (DEMO: canned answers, no model)" if self._is_demo else ""
        self._say(f"{APP_NAME} {__version__}: listening on {url}{demo}")
        if self._icon is None:
            self._say("No tray icon: this terminal is the way in, Ctrl-C the way out.")
        elif not self._icon.is_hosted:
            self._say("No panel shows tray icons here yet; the icon appears when one does. Ctrl-C quits.")
        self._say(f"To point Claude Code at it:  {_exports_command(self._shell)}")
        for _, trouble in self._board.status.troubles:
            self._say(trouble.sentence)

    def _read_keys(self) -> None:
        self._keys = read_keys(self._store, self._environ)
        self._formatter.secrets = frozenset(key for key in (self._keys.nvidia, self._keys.server) if key)
        self._board.publish(has_nvidia_key=bool(self._keys.nvidia))
        missing = Trouble(
            "Add your NVIDIA API key…",
            "No NVIDIA API key yet. Get one on build.nvidia.com, then run `claude-nvidia-tray set-key` in a terminal.",
        )
        self._board.report("key", None if self._keys.nvidia or self._is_demo else missing)
        self._report_settings()

    def _apply_settings(self) -> None:
        """Brings the gateway in line with the settings file, which another program may have changed."""
        before, self._settings = self._settings, self._store.current
        keys_before = self._keys
        self._read_keys()
        moves = before.addr != self._settings.addr or (keys_before.server and not self._keys.server)
        if self._service.is_running and moves:
            self._service.stop(_QUIT_DRAIN_S)
        if self._service.is_running:
            self._service.configure(self._settings, self._keys, is_demo=self._is_demo)
        else:
            self._listen()
        if (before.nvidia_url, keys_before.nvidia) != (self._settings.nvidia_url, self._keys.nvidia):
            self._board.forget_models()
            self._service.check_models()

    def _report_settings(self) -> None:
        problem = self._store.problem
        self._board.report("settings", Trouble("Settings file has a problem…", problem) if problem else None)

    def _change(self, **changes: Any) -> None:
        self._settings = self._store.update(**changes)
        self._service.configure(self._settings, self._keys, is_demo=self._is_demo)
        self._report_settings()

    def _carry_out(self, command: Command, argument: str) -> None:
        settings = self._settings
        match command:
            case Command.CHOOSE_MODEL:
                self._change(model=argument)
                log.info("model: %s", argument)
            case Command.TOGGLE_CLIENT_CHOICE:
                self._change(clients_choose_model=not settings.clients_choose_model)
            case Command.TOGGLE_BODY_LOG:
                self._change(log_bodies=not settings.log_bodies)
            case Command.COPY_EXPORTS:
                self._copy_exports()
            case Command.OPEN_LOGS:
                self._try_and_tell(lambda: self._desktop.open_folder(self._paths.logs))
            case Command.SHOW_TROUBLE:
                self._show_trouble()

    def _copy_exports(self) -> None:
        text = render_exports(
            self._shell,
            self._board.status.url or self._settings.addr.url,
            self._settings.selected_model,
            needs_server_key=bool(self._keys.server),
            is_demo=self._is_demo,
        )

        def copy() -> None:
            self._desktop.copy_text(text)
            self._notify("Exports copied", f"Paste them into a {self._shell} terminal, then start claude there.")

        self._try_and_tell(copy)

    def _show_trouble(self) -> None:
        if not self._service.is_running:
            self._listen()  # whatever was in the way may be gone
        if notice := find_notice(self._board.status, self._settings):
            self._notify(notice.title, notice.sentence)

    def _try_and_tell(self, deed: Job) -> None:
        try:
            deed()
        except DesktopError as error:
            log.warning("%s", error)
            self._notify(APP_NAME, str(error))

    def _notify(self, title: str, text: str) -> None:
        if icon := self._icon:
            self._desktop.on_ui_thread(lambda: icon.notify(title, text))

    def _redraw(self) -> None:
        icon, status, settings = self._icon, self._board.status, self._settings
        if icon is not None:
            self._desktop.on_ui_thread(lambda: icon.show(status, settings))
        news = list_news(status, settings)
        for name, trouble in news.items():
            if name not in self._told:
                self._notify(trouble.title, trouble.sentence)
        self._told = frozenset(news)


def _exports_command(shell: str) -> str:
    printing = f"{find_command()} --print-exports {shell}"
    return {
        "fish": f"{printing} | source",
        "powershell": f"{printing} | Out-String | Invoke-Expression",
    }.get(shell, f'eval "$({printing})"')
