"""The icon in the tray: pystray behind our own words, redrawn only where something changed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from tray_app import APP_ID
from tray_app.settings.settings import Settings
from tray_app.status.board import Status
from tray_app.tray import art
from tray_app.tray.menu import SEPARATOR, Command, Item, Menu, build_menu, build_tooltip

Act = Callable[[Command, str], None]


class TrayIcon:
    """One icon. Made and run on the main thread; `show`, `notify` and `stop` may be called from others."""

    def __init__(
        self,
        backend: Any,
        act: Act,
        end_session: Callable[[], None],
        on_ui_thread: Callable[[Callable[[], None]], None],
        shell: str,
        status: Status,
        settings: Settings,
    ) -> None:
        """`backend` is a pystray Icon class; `act` is called on a click, in the icon's thread, and must be quick.

        `end_session` is called there where the desktop says that it ends; once it returns, it may end this program.
        `on_ui_thread` runs what changes the icon in the thread that the system wants.
        """
        import pystray

        self._pystray = pystray
        self._act = act
        self._on_ui_thread = on_ui_thread
        self._shell = shell
        self._menu: Menu = build_menu(status, settings, shell)
        self._state = art.read_state(status, settings)
        tooltip = build_tooltip(status, settings)
        self._icon = backend(APP_ID, art.draw(self._state), tooltip, pystray.Menu(self._make_items))
        self._icon.on_close = lambda: act(Command.QUIT, "")  # these two: where the backend knows of such messages
        self._icon.on_session_end = end_session

    @property
    def is_hosted(self) -> bool:
        """Whether a panel shows the icon; True where that cannot be known."""
        return bool(getattr(self._icon, "hosted", True))

    def run(self, on_ready: Callable[[], None]) -> None:
        """Shows the icon and serves clicks until `stop`; `on_ready` is called once, in another thread."""

        def set_up(_: Any) -> None:
            self._on_ui_thread(self._appear)
            on_ready()

        self._icon.run(set_up)

    def show(self, status: Status, settings: Settings) -> None:
        """Brings menu, picture and tooltip up to date."""
        self._on_ui_thread(lambda: self._show(status, settings))

    def notify(self, title: str, text: str) -> None:
        """A notification from the icon; the desktop may show it or not."""
        self._on_ui_thread(lambda: self._icon.notify(text, title))

    def stop(self) -> None:
        """Removes the icon and ends `run`."""
        self._on_ui_thread(self._icon.stop)

    def _appear(self) -> None:
        self._icon.visible = True

    def _show(self, status: Status, settings: Settings) -> None:
        menu = build_menu(status, settings, self._shell)
        if menu != self._menu:
            self._menu = menu
            self._icon.update_menu()
        state = art.read_state(status, settings)
        if state != self._state:
            self._state = state
            self._icon.icon = art.draw(state)
        self._icon.title = build_tooltip(status, settings)

    def _make_items(self) -> Iterator[Any]:
        for item in self._menu:
            yield self._pystray.Menu.SEPARATOR if item is SEPARATOR else self._make_item(item)

    def _make_item(self, item: Item) -> Any:
        command = item.command
        return self._pystray.MenuItem(
            item.label,
            None if command is None else lambda: self._act(command, item.argument),
            checked=None if item.checked is None else lambda _: bool(item.checked),
            radio=item.is_radio,
            visible=item.is_visible,
            enabled=command is not None,
        )
