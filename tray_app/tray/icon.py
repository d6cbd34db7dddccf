"""The icon in the tray. It hides pystray from the rest of the program, and redraws only what has changed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from tray_app import APP_ID
from tray_app.settings.settings import Settings
from tray_app.status.board import Status
from tray_app.tray import art
from tray_app.tray.menu import SEPARATOR, Command, Item, Menu, MenuFacts, build_menu, build_tooltip

Act = Callable[[Command, str], None]


class TrayIcon:
    """The icon. It is made and run on the main thread. Any thread may call `show`, `notify` and `stop`."""

    def __init__(
        self,
        backend: Any,
        act: Act,
        end_session: Callable[[], None],
        on_ui_thread: Callable[[Callable[[], None]], None],
        status: Status,
        settings: Settings,
        facts: MenuFacts,
    ) -> None:
        """`backend` is a pystray Icon class. `act` is called for each click, in the icon's thread, and must be quick.

        `end_session` is called in the same thread when the desktop session ends; the system may kill this program as
        soon as it returns. `on_ui_thread` runs a function in the thread in which the system lets the icon be changed.
        """
        import pystray

        self._pystray = pystray
        self._act = act
        self._on_ui_thread = on_ui_thread
        self._menu: Menu = build_menu(status, settings, facts)
        self._state = art.read_state(status, settings)
        tooltip = build_tooltip(status, settings)
        self._icon = backend(APP_ID, art.draw(self._state), tooltip, pystray.Menu(self._make_items))
        self._icon.on_close = lambda: act(Command.QUIT, "")  # only the Windows backend calls these two
        self._icon.on_session_end = end_session

    @property
    def is_hosted(self) -> bool:
        """Tells whether a panel shows the icon. It is True if that cannot be known."""
        return bool(getattr(self._icon, "hosted", True))

    def run(self, on_ready: Callable[[], None]) -> None:
        """Shows the icon and handles clicks until `stop`. `on_ready` is called once, in another thread."""

        def set_up(_: Any) -> None:
            self._on_ui_thread(self._appear)
            on_ready()

        self._icon.run(set_up)

    def show(self, status: Status, settings: Settings, facts: MenuFacts) -> None:
        """Updates the menu, the picture and the tooltip."""
        self._on_ui_thread(lambda: self._show(status, settings, facts))

    def notify(self, title: str, text: str) -> None:
        """Sends a notification from the icon. The desktop may not show it."""
        self._on_ui_thread(lambda: self._icon.notify(text, title))

    def stop(self) -> None:
        """Removes the icon and ends `run`."""
        self._on_ui_thread(self._icon.stop)

    def _appear(self) -> None:
        self._icon.visible = True

    def _show(self, status: Status, settings: Settings, facts: MenuFacts) -> None:
        menu = build_menu(status, settings, facts)
        if menu != self._menu:
            self._menu = menu
            self._icon.update_menu()
        state = art.read_state(status, settings)
        if state != self._state:
            self._state = state
            self._icon.icon = art.draw(state)
        self._icon.title = build_tooltip(status, settings)

    def _make_items(self) -> Iterator[Any]:
        return map(self._make_item, self._menu)

    def _make_item(self, item: Item) -> Any:
        if item is SEPARATOR:
            return self._pystray.Menu.SEPARATOR
        action: Any = None
        if item.children:
            action = self._pystray.Menu(*map(self._make_item, item.children))
        elif (command := item.command) is not None:
            action = lambda: self._act(command, item.argument)  # noqa: E731 (a function with a name would say no more)
        return self._pystray.MenuItem(
            item.label,
            action,
            checked=None if item.checked is None else lambda _: bool(item.checked),
            radio=item.is_radio,
            visible=item.is_visible,
            default=item.is_default,
            enabled=action is not None,
        )
