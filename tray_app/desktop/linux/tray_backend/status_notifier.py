"""The tray icon: a pystray backend that speaks StatusNotifierItem and com.canonical.dbusmenu over jeepney.

The protocol is described at https://www.freedesktop.org/wiki/Specifications/StatusNotifierItem/
"""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, NamedTuple

from jeepney import (
    DBusAddress,
    HeaderFields,
    MatchRule,
    Message,
    MessageType,
    Properties,
    new_method_call,
    new_signal,
)
from jeepney.bus_messages import message_bus
from PIL import Image

from tray_app.desktop.linux.tray_backend import dbus_menu
from tray_app.desktop.linux.tray_backend.session_bus import Interface, Reply, SessionBus, ask, is_error

# `import pystray` loads a backend at once. Those for Linux fail with other errors than ImportError without X11 or GTK.
os.environ.setdefault("PYSTRAY_BACKEND", "dummy")
from pystray import _base

log = logging.getLogger(__name__)

ITEM_INTERFACE = "org.kde.StatusNotifierItem"
ITEM_PATH = "/StatusNotifierItem"
MENU_PATH = "/StatusNotifierItem/Menu"
ITEM = DBusAddress(ITEM_PATH, interface=ITEM_INTERFACE)
MENU = DBusAddress(MENU_PATH, interface=dbus_menu.INTERFACE)
WATCHER = DBusAddress("/StatusNotifierWatcher", "org.kde.StatusNotifierWatcher", "org.kde.StatusNotifierWatcher")
NOTIFICATIONS = DBusAddress(
    "/org/freedesktop/Notifications", "org.freedesktop.Notifications", "org.freedesktop.Notifications"
)

ITEM_METHODS = {  # name -> types of the arguments in and out
    **dict.fromkeys(("Activate", "SecondaryActivate", "ContextMenu"), ("i i", "")),
    "Scroll": ("i s", ""),
    "ProvideXdgActivationToken": ("s", ""),
}
ITEM_SIGNALS = {"NewTitle": "", "NewIcon": "", "NewToolTip": "", "NewStatus": "s"}

ICON_SIZES_PX = (16, 22, 24, 32, 48, 64)
NOTIFICATION_ICON_SIZE_PX = 64


_CLICKABLE = ("default", "Open")
"""The button that stands for a click on the notification itself, with a label that few desktops show."""


class TrayUnavailable(RuntimeError):
    """No icon is possible here. The message is a sentence for the user."""


class _Sender(NamedTuple):
    """The program that a notification comes from."""

    app_id: str
    app_name: str


class StatusNotifierIcon(_base.Icon):  # type: ignore[misc]  # pystray has no types
    """A tray icon. Any thread may use `icon`, `title`, `menu`, `update_menu()`, `notify()` and `stop()`.

    Menu texts are read and actions are run on the thread that is in `run()`. A handler of a Unix signal may only call
    `stop()`, because any other method could wait for a lock that the interrupted code holds.
    """

    app_name = ""
    """The name of the program in its notifications; empty: `name`, which is the id of the program."""

    on_notification_click: Callable[[], None] | None = None
    """Is called in the thread of `run()` if the user clicks on a notification. None: that does nothing."""

    def __init__(
        self,
        name: str,
        icon: Image.Image | None = None,
        title: str | None = None,
        menu: Any = None,
        *,
        on_hosted_change: Callable[[bool], None] | None = None,
    ) -> None:
        """Connects to the session bus, or raises TrayUnavailable. The thread of `run()` calls `on_hosted_change`."""
        super().__init__(name, icon, title, menu)
        self._on_hosted_change = on_hosted_change
        self._hosted = False
        self._stopping = False
        self._menu_is_stale = False
        self._loop_thread: threading.Thread | None = None
        self._table = dbus_menu.MenuTable()  # only the thread of `run()` uses it
        self._pixmap_lock = threading.Lock()
        self._pixmaps: list[tuple[int, int, bytes]] = []
        self._notification_id = 0
        item = Interface(ITEM_INTERFACE, ITEM_METHODS, ITEM_SIGNALS, self._read_properties, self._answer_item)
        read_menu_properties = dbus_menu.PROPERTIES.copy
        menu_interface = Interface(
            dbus_menu.INTERFACE, dbus_menu.METHODS, dbus_menu.SIGNALS, read_menu_properties, self._answer_menu
        )
        try:
            self._bus = SessionBus({ITEM_PATH: item, MENU_PATH: menu_interface})
        except Exception as error:
            raise TrayUnavailable(f"No tray icon is possible: there is no D-Bus session bus ({error}).") from error

    @property
    def hosted(self) -> bool:
        """Tells whether a panel shows this icon."""
        return self._hosted

    def stop(self) -> None:
        """Ends `run()`, even if it has not begun yet."""
        self._stopping = True
        self._bus.wake()
        super().stop()

    # ---- Methods that pystray calls

    def _run(self) -> None:
        self._loop_thread = threading.current_thread()
        owner_changes = MatchRule(type="signal", sender=message_bus.bus_name, member="NameOwnerChanged")
        owner_changes.add_arg_condition(0, WATCHER.bus_name)
        try:
            self._bus.call(message_bus.AddMatch(owner_changes))
            self._bus.call(message_bus.AddMatch(MatchRule(type="signal", interface=WATCHER.interface)))
            clicks = MatchRule(type="signal", interface=NOTIFICATIONS.interface, member="ActionInvoked")
            self._bus.call(message_bus.AddMatch(clicks))
            self._mark_ready()  # even if the icon is stopped already, because the thread of `setup` waits for it
            while not self._stopping:
                self._step()
        except ConnectionError as error:
            log.warning("the session bus ended: %s", error)
        finally:
            self._visible = False
            self._bus.close()
            self._set_hosted(False)

    def _run_detached(self) -> None:
        threading.Thread(target=self._run, name="tray", daemon=True).start()

    def _stop(self) -> None:
        """Does nothing, because `stop()` has done everything."""

    def _show(self) -> None:
        self._visible = True  # a panel may ask for the status before pystray sets this
        self._bus.send(new_signal(ITEM, "NewStatus", "s", ("Active",)))
        self._register()

    def _hide(self) -> None:
        self._bus.send(new_signal(ITEM, "NewStatus", "s", ("Passive",)))

    def _update_icon(self) -> None:
        with self._pixmap_lock:
            self._pixmaps = [_pixmap(self._icon, size_px) for size_px in ICON_SIZES_PX]
            self._icon_valid = True
        self._bus.send(new_signal(ITEM, "NewIcon"))

    def _update_title(self) -> None:
        self._bus.send(new_signal(ITEM, "NewTitle"))
        self._bus.send(new_signal(ITEM, "NewToolTip"))

    def _update_menu(self) -> None:
        if threading.current_thread() is self._loop_thread:
            self._refresh_menu()
        elif not self._menu_is_stale:
            self._menu_is_stale = True
            self._bus.wake()

    def _notify(self, message: str, title: str | None = None) -> None:
        hints: dbus_menu.Properties = {}
        if self._icon:
            size_px = NOTIFICATION_ICON_SIZE_PX
            pixels = _resized(self._icon, size_px).tobytes()
            hints["image-data"] = ("(iiibiiay)", (size_px, size_px, size_px * 4, True, 8, 4, pixels))
        sender = _Sender(self.name, self.app_name or self.name)
        buttons = _CLICKABLE if self.on_notification_click else ()
        request = _notification(sender, title or self.title, message, self._notification_id, hints, buttons)
        self._bus.call(request, self._note_notification)

    def _remove_notification(self) -> None:
        self._bus.call(new_method_call(NOTIFICATIONS, "CloseNotification", "u", (self._notification_id,)))

    def _note_notification(self, reply: Message) -> None:
        if is_error(reply):
            log.warning("not shown, there is no notification service: %s", reply.body)
        else:
            self._notification_id = reply.body[0]

    # ---- The loop

    def _step(self) -> None:
        message = self._bus.receive()
        try:
            if self._menu_is_stale:
                self._refresh_menu()
            if message and message.header.message_type == MessageType.signal:
                self._take_signal(message.header.fields.get(HeaderFields.member), message.body)
            elif message:
                self._bus.handle(message)
        except Exception:  # a fault in an item's text or action must not end the icon
            log.exception("could not handle a message of the desktop")

    def _take_signal(self, member: str, body: tuple[Any, ...]) -> None:
        if member == "NameOwnerChanged":
            _, _, new_owner = body
            if not new_owner:
                self._set_hosted(False)
            elif self._visible:
                self._register()
        elif member in ("StatusNotifierHostRegistered", "StatusNotifierHostUnregistered"):
            self._ask_for_host()
        elif member == "ActionInvoked" and body[0] == self._notification_id and self.on_notification_click:
            self.on_notification_click()

    def _register(self) -> None:
        # GNOME's extension drops items that register a bus name instead of a path, and sandboxes may not own a name.
        request = new_method_call(WATCHER, "RegisterStatusNotifierItem", "s", (ITEM_PATH,))
        self._bus.call(request, self._note_registration)

    def _note_registration(self, reply: Message) -> None:
        if is_error(reply):
            log.info("no panel takes tray icons yet: %s", reply.body)
            self._set_hosted(False)
        else:
            self._ask_for_host()

    def _ask_for_host(self) -> None:
        watcher = DBusAddress(WATCHER.object_path, WATCHER.bus_name, "org.freedesktop.DBus.Properties")
        question = new_method_call(watcher, "Get", "ss", (WATCHER.interface, "IsStatusNotifierHostRegistered"))
        # A watcher without this property is a part of the panel, so there is a panel.
        self._bus.call(question, lambda reply: self._set_hosted(is_error(reply) or bool(reply.body[0][1])))

    def _set_hosted(self, hosted: bool) -> None:
        if hosted != self._hosted:
            self._hosted = hosted
            if self._on_hosted_change:
                self._on_hosted_change(hosted)

    def _refresh_menu(self) -> dbus_menu.Change:
        self._menu_is_stale = False
        change = self._table.update(self._menu)
        if change.layout:
            self._bus.send(new_signal(MENU, "LayoutUpdated", "ui", (self._table.revision, dbus_menu.ROOT_ID)))
        if change.updated or change.removed:
            body = (list(change.updated), list(change.removed))
            self._bus.send(new_signal(MENU, "ItemsPropertiesUpdated", "a(ia{sv})a(ias)", body))
        return change

    # ---- Answers to panels

    def _answer_item(self, method: str, _arguments: tuple[Any, ...]) -> Reply:
        if method != "Activate":
            return (), None
        if not self._has_default():
            raise LookupError("a default item")  # at this error, some panels open the menu instead
        return (), self  # calling an icon runs its default item

    def _answer_menu(self, method: str, arguments: tuple[Any, ...]) -> Reply:
        match method, *arguments:
            case "AboutToShow", _:
                return (self._refresh_menu().layout,), None
            case "AboutToShowGroup", ids:
                return (ids if self._refresh_menu().layout else [], self._table.unknown(ids)), None
            case "Event", *event:
                return self._table.answer(method, arguments), partial(self._act, [event])
            case "EventGroup", events:
                return self._table.answer(method, arguments), partial(self._act, events)
        return self._table.answer(method, arguments), None

    def _act(self, events: Sequence[Sequence[Any]]) -> None:
        for id_, event, *_ in events:
            item = self._table.item(id_) if event == "clicked" else None
            if item and item.enabled and item.submenu is None:
                self._handler(item)()

    def _read_properties(self) -> dbus_menu.Properties:
        return {
            "Category": ("s", "ApplicationStatus"),
            "Id": ("s", self.name),
            "Title": ("s", self.title),
            "Status": ("s", "Active" if self._visible else "Passive"),
            "WindowId": ("i", 0),
            "IconName": ("s", ""),
            "IconPixmap": ("a(iiay)", self._pixmaps),
            "OverlayIconName": ("s", ""),
            "OverlayIconPixmap": ("a(iiay)", []),
            "AttentionIconName": ("s", ""),
            "AttentionIconPixmap": ("a(iiay)", []),
            "IconThemePath": ("s", ""),
            "ToolTip": ("(sa(iiay)ss)", ("", [], self.title, "")),
            "Menu": ("o", MENU_PATH),
            "ItemIsMenu": ("b", not self._has_default()),
        }

    def _has_default(self) -> bool:
        return any(item.default for item in self._menu or ())


def notify_once(title: str, text: str, *, app_id: str, app_name: str) -> bool:
    """Shows a notification without an icon. Returns False, within two seconds, if no service accepts it.

    `app_id` is the name of the program's .desktop file, without the suffix.
    """
    return ask(_notification(_Sender(app_id, app_name), title, text)) is not None


def is_tray_hosted() -> bool:
    """Tells whether a panel shows tray icons now. Takes at most two seconds."""
    reply = ask(Properties(WATCHER).get("IsStatusNotifierHostRegistered"))
    return reply is not None and bool(reply[0][1])  # a variant: its type and its value


def _notification(
    sender: _Sender,
    title: str,
    text: str,
    replaces: int = 0,
    hints: dbus_menu.Properties | None = None,
    buttons: Sequence[str] = (),
) -> Message:
    hints = {"desktop-entry": ("s", sender.app_id), **(hints or {})}
    no_icon_name, usual_duration = "", -1
    body = (sender.app_name, replaces, no_icon_name, title, text, list(buttons), hints, usual_duration)
    return new_method_call(NOTIFICATIONS, "Notify", "susssasa{sv}i", body)


def _resized(image: Image.Image, size_px: int) -> Image.Image:
    return image.convert("RGBA").resize((size_px, size_px), Image.Resampling.LANCZOS)


def _pixmap(image: Image.Image, size_px: int) -> tuple[int, int, bytes]:
    red, green, blue, alpha = _resized(image, size_px).split()
    return size_px, size_px, Image.merge("RGBA", (alpha, red, green, blue)).tobytes()  # ARGB, in network byte order
