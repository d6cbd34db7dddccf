"""A desktop of its own for a test: private D-Bus and X server, a scratch home, and both ends of the tray protocol.

with Desktop() as desktop, Watcher(desktop.bus) as watcher:
    desktop.spawn(sys.executable, "-m", "tray_app", log="app")
    with watcher.wait_item() as item:
        item.click("Quit")
"""

from __future__ import annotations

import configparser
import os
import shutil
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from queue import Empty, Queue
from typing import Any, Self, TypeVar

import pytest

if sys.platform != "linux":
    pytest.skip("D-Bus is for Linux", allow_module_level=True)
from jeepney import (
    DBusAddress,
    HeaderFields,
    MatchRule,
    Message,
    MessageType,
    new_error,
    new_method_call,
    new_method_return,
    new_signal,
)
from jeepney.bus_messages import message_bus
from jeepney.io.blocking import open_dbus_connection as open_blocking_connection
from jeepney.io.threading import DBusRouter, ReceiveStopped, open_dbus_connection
from PIL import Image

from tests.support.waiting import TIMEOUT_S, wait_for

T = TypeVar("T")

ROOT = Path(__file__).resolve().parents[2]
WATCHER = "org.kde.StatusNotifierWatcher"
ITEM = "org.kde.StatusNotifierItem"
MENU = "com.canonical.dbusmenu"
NOTIFICATIONS = "org.freedesktop.Notifications"
PROPERTIES = "org.freedesktop.DBus.Properties"

BUS_CONFIG = """<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig><type>session</type><keep_umask/><listen>unix:path={socket}</listen><auth>EXTERNAL</auth>
<policy context="default"><allow user="*"/><allow own="*"/>
<allow send_destination="*" eavesdrop="true"/><allow eavesdrop="true"/></policy></busconfig>
"""

PANEL_CONFIG = """<?xml version="1.0" encoding="UTF-8"?>
<channel name="xfce4-panel" version="1.0">
  <property name="configver" type="int" value="2"/>
  <property name="panels" type="array"><value type="int" value="1"/>
    <property name="dark-mode" type="bool" value="false"/>
    <property name="panel-1" type="empty">
      <property name="position" type="string" value="p=6;x=0;y=0"/>
      <property name="position-locked" type="bool" value="true"/>
      <property name="length" type="uint" value="100"/>
      <property name="size" type="uint" value="32"/>
      <property name="icon-size" type="uint" value="0"/>
      <property name="plugin-ids" type="array">
        <value type="int" value="1"/><value type="int" value="2"/>
      </property>
    </property>
  </property>
  <property name="plugins" type="empty">
    <property name="plugin-1" type="string" value="separator">
      <property name="expand" type="bool" value="true"/><property name="style" type="uint" value="0"/>
    </property>
    <property name="plugin-2" type="string" value="systray">
      <property name="square-icons" type="bool" value="true"/>
    </property>
  </property>
</channel>
"""


class Desktop:
    """A private session bus, an X server if `screen` gives its size, and scratch folders; ends what it started."""

    def __init__(self, screen: str = "") -> None:
        self._screen = screen
        self.env: dict[str, str] = {}
        self.bus = ""

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            self._stack = stack
            self.folder = Path(tempfile.mkdtemp(prefix="desktop-"))
            stack.callback(shutil.rmtree, self.folder, ignore_errors=True)
            self.env = self._make_env()
            if self._screen:
                self.env["DISPLAY"] = self._start_display()
            self.bus = self.env["DBUS_SESSION_BUS_ADDRESS"] = self._start_bus()
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def spawn(
        self, *command: str | Path, log: str, stdin: int = subprocess.DEVNULL, **more: Any
    ) -> subprocess.Popen[bytes]:
        """Starts a program whose output goes to the log of this name; `more` is for Popen."""
        with self._log_path(log).open("ab") as output:
            more = {"stdout": output, "stderr": output, "cwd": ROOT, **more}
            process = subprocess.Popen(command, env=self.env, stdin=stdin, **more)
        self._stack.callback(end, process)
        return process

    def run(self, *command: str | Path) -> str:
        """The output of a program that ends by itself and successfully."""
        done = subprocess.run(command, env=self.env, capture_output=True, text=True, timeout=TIMEOUT_S, check=True)
        return done.stdout

    def read_log(self, name: str) -> str:
        return self._log_path(name).read_text(errors="replace")

    def wait_log(self, name: str, text: str, times: int = 1) -> None:
        """Waits until the log has the text so many times."""
        try:
            wait_for(lambda: self.read_log(name).count(text) >= times, f"{text!r} in the log")
        except TimeoutError as error:
            raise TimeoutError(f"{error}. The log:\n{self.read_log(name)}") from None

    def has_name(self, name: str) -> bool:
        """Whether someone owns this name on the bus."""
        with open_blocking_connection(self.bus) as connection:
            return bool(connection.send_and_get_reply(message_bus.NameHasOwner(name), timeout=TIMEOUT_S).body[0])

    @property
    def shown_pages(self) -> list[str]:
        """The addresses that were opened in the browser, the newest last."""
        shown = self.folder / "shown-pages"
        return shown.read_text().split() if shown.exists() else []

    def wait_page(self, number: int = 1) -> str:
        """The address that was opened in the browser last, once there are so many of them."""
        wait_for(lambda: len(self.shown_pages) >= number, f"{number} addresses in the browser")
        return self.shown_pages[-1]

    def click(self, x: int, y: int, button: int = 1) -> None:
        self.run("xdotool", "mousemove", str(x), str(y), "click", str(button))

    def take_screenshot(self) -> Image.Image:
        path = self.folder / "screen.png"
        self.run("import", "-window", "root", path)
        with Image.open(path) as image:
            return image.convert("RGB")

    def _log_path(self, name: str) -> Path:
        return self.folder / f"{name}.log"

    def _make_env(self) -> dict[str, str]:
        real = ("DISPLAY", "WAYLAND_DISPLAY", "XAUTHORITY", "XDG_CURRENT_DESKTOP", "CONFIG_PATH", "PYSTRAY_BACKEND")
        env = {k: v for k, v in os.environ.items() if k not in real and not k.endswith("_API_KEY")}
        folders = ("HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME", "XDG_RUNTIME_DIR")
        for name in (*folders, "TMPDIR", "CLAUDE_NVIDIA_TRAY_HOME"):
            folder = self.folder / name.lower()
            folder.mkdir(mode=0o700)
            env[name] = str(folder)
        return env | {
            "PYTHON_KEYRING_BACKEND": "keyring.backends.fail.Keyring",
            "PYTHONPATH": str(ROOT),
            "PYTHONUNBUFFERED": "1",
            "BROWSER": str(self._make_browser()),
            "LC_ALL": "C.UTF-8",
            # no accessibility bus, no stored settings, no mounts: GTK programs start fast and look the same everywhere
            "NO_AT_BRIDGE": "1",
            "GTK_A11Y": "none",
            "GSETTINGS_BACKEND": "memory",
            "GIO_USE_VFS": "local",
        }

    def _make_browser(self) -> Path:
        """A program in place of the browser, which only notes the addresses that it is to show."""
        browser = self.folder / "browser"
        browser.write_text(f'#!/bin/sh\necho "$1" >> {self.folder}/shown-pages\n')
        browser.chmod(0o755)
        return browser

    def _start_display(self) -> str:
        reading, writing = os.pipe()
        # by line: Xvfb writes the number and the line end apart, and dies if the pipe is closed between the two
        with os.fdopen(reading) as numbers:
            try:
                command = ("Xvfb", "-displayfd", str(writing), "-screen", "0", self._screen, "-nolisten", "tcp")
                self.spawn(*command, "-noreset", log="xvfb", pass_fds=(writing,))
            finally:
                os.close(writing)
            number = numbers.readline().strip()
        if not number:
            raise RuntimeError(f"Xvfb did not start:\n{self.read_log('xvfb')}")
        return f":{number}"

    def _start_bus(self) -> str:
        config = self.folder / "bus.conf"
        config.write_text(BUS_CONFIG.format(socket=self.folder / "bus"))
        command = ("dbus-daemon", f"--config-file={config}", "--nofork", "--nopidfile", "--print-address=1")
        self.bus_daemon = self.spawn(*command, log="dbus", stdout=subprocess.PIPE)
        assert self.bus_daemon.stdout
        with self.bus_daemon.stdout as output:
            address = output.readline().decode().strip()
        if not address:
            raise RuntimeError(f"dbus-daemon did not start:\n{self.read_log('dbus')}")
        return address


class BusService:
    """Owns a name on the bus and answers calls in a thread of its own."""

    name: str

    def __init__(self, bus: str) -> None:
        self._bus = bus
        self._changed = threading.Condition()  # guards what the thread collects
        self._is_owner: bool | None = None

    def __enter__(self) -> Self:
        self._connection = open_dbus_connection(self._bus)
        self._request = next(self._connection.outgoing_serial)
        self._thread = threading.Thread(target=self._serve, name=self.name, daemon=True)
        self._thread.start()
        self._connection.send(message_bus.AddMatch(MatchRule(type="signal", member="NameOwnerChanged")))
        self._connection.send(message_bus.RequestName(self.name), serial=self._request)
        try:
            self.wait(lambda: self._is_owner is not None, f"the bus's word about {self.name}")
            if not self._is_owner:
                raise RuntimeError(f"{self.name} belongs to someone else")
        except Exception:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.interrupt()
        self._thread.join(timeout=TIMEOUT_S)
        self._connection.close()

    def answer(self, sender: str, member: str, arguments: tuple[Any, ...]) -> tuple[str | None, tuple[Any, ...]]:
        """Types and values of the reply; LookupError for an unknown method or property."""
        raise NotImplementedError

    def forget(self, connection: str) -> None:
        """Takes note that a program has left the bus."""

    def wait(self, condition: Callable[[], bool], what: str, timeout_s: float = TIMEOUT_S) -> None:
        """Waits until `condition` is true of what the thread has collected."""
        with self._changed:
            if not self._changed.wait_for(condition, timeout_s):
                raise TimeoutError(f"{what}: not within {timeout_s} s")

    def emit(self, path: str, member: str, types: str, *values: Any) -> None:
        self._connection.send(new_signal(DBusAddress(path, interface=self.name), member, types or None, values))

    def _serve(self) -> None:
        while True:
            try:
                message = self._connection.receive()
            except (ReceiveStopped, OSError):
                return
            with self._changed:
                self._take(message)
                self._changed.notify_all()

    def _take(self, message: Message) -> None:
        fields = message.header.fields
        member = fields.get(HeaderFields.member)
        if message.header.message_type == MessageType.method_call:
            try:
                types, values = self.answer(fields[HeaderFields.sender], member, message.body)
                self._connection.send(new_method_return(message, types, values))
            except LookupError:
                self._connection.send(new_error(message, "org.freedesktop.DBus.Error.UnknownMethod", "s", (member,)))
        elif member == "NameOwnerChanged" and not message.body[2]:
            self.forget(message.body[0])
        elif fields.get(HeaderFields.reply_serial) == self._request:
            self._is_owner = message.body[0] == 1


class Watcher(BusService):
    """org.kde.StatusNotifierWatcher and host: what a panel is to a program with a tray icon."""

    name = WATCHER
    path = "/StatusNotifierWatcher"

    def __init__(self, bus: str, has_host: bool = True) -> None:
        super().__init__(bus)
        self.items: list[tuple[str, str]] = []  # bus name and object path of each
        self._has_host = has_host

    def wait_item(self) -> TrayItem:
        """The first item, as soon as there is one."""
        self.wait(lambda: bool(self.items), "a tray item")
        return TrayItem(self._bus, *self.items[0])

    def set_host(self, has_host: bool) -> None:
        """Lets the part of the panel that draws icons come or go."""
        self._has_host = has_host
        self.emit(self.path, f"StatusNotifierHost{'R' if has_host else 'Unr'}egistered", "")

    def answer(self, sender: str, member: str, arguments: tuple[Any, ...]) -> tuple[str | None, tuple[Any, ...]]:
        match member, *arguments:
            case "RegisterStatusNotifierItem", str(given):
                item = (sender, given) if given.startswith("/") else (given, "/StatusNotifierItem")
                if item not in self.items:
                    self.items.append(item)
                    self.emit(self.path, "StatusNotifierItemRegistered", "s", "".join(item))
                return None, ()
            case "Get", _, name:
                return "v", (self._properties()[name],)
            case "GetAll", _:
                return "a{sv}", (self._properties(),)
        raise LookupError(member)

    def forget(self, connection: str) -> None:
        for item in [item for item in self.items if item[0] == connection]:
            self.items.remove(item)
            self.emit(self.path, "StatusNotifierItemUnregistered", "s", "".join(item))

    def _properties(self) -> dict[str, tuple[str, Any]]:
        return {
            "RegisteredStatusNotifierItems": ("as", ["".join(item) for item in self.items]),
            "IsStatusNotifierHostRegistered": ("b", self._has_host),
            "ProtocolVersion": ("i", 0),
        }


@dataclass(frozen=True, slots=True)
class Notification:
    id: int
    app: str
    title: str
    text: str
    hints: dict[str, Any]


class NotificationService(BusService):
    """org.freedesktop.Notifications, without a screen."""

    name = NOTIFICATIONS

    def __init__(self, bus: str) -> None:
        super().__init__(bus)
        self.received: list[Notification] = []
        self.closed: list[int] = []

    def answer(self, sender: str, member: str, arguments: tuple[Any, ...]) -> tuple[str | None, tuple[Any, ...]]:
        match member, *arguments:
            case "Notify", app, replaced, _icon, title, text, _buttons, hints, _duration:
                id_ = replaced or len(self.received) + 1
                self.received.append(Notification(id_, app, title, text, {k: v for k, (_, v) in hints.items()}))
                return "u", (id_,)
            case "CloseNotification", id_:
                self.closed.append(id_)
                return None, ()
        raise LookupError(member)

    def wait_text(self, title: str, times: int = 1) -> str:
        """The text of the newest notification with this title, once there are so many of them."""

        def texts() -> list[str]:
            return [heard.text for heard in self.received if heard.title == title]

        self.wait(lambda: len(texts()) >= times, f"a notification {title!r}")
        return texts()[-1]


class Node:
    """One place in a menu, as a panel reads it."""

    def __init__(self, layout: tuple[int, dict[str, tuple[str, Any]], list[tuple[str, Any]]]) -> None:
        self.id, properties, children = layout
        self.properties = {name: value for name, (_, value) in properties.items()}
        self.children = [Node(child) for _, child in children]
        self.label = str(self.properties.get("label", "")).replace("__", "\0").replace("_", "").replace("\0", "_")
        self.is_separator = self.properties.get("type") == "separator"
        self.is_enabled = bool(self.properties.get("enabled", True))
        self.is_checked = self.properties.get("toggle-state") == 1
        self.toggle_type = str(self.properties.get("toggle-type", ""))

    def walk(self) -> Iterator[Node]:
        yield self
        for child in self.children:
            yield from child.walk()

    def has(self, label: str) -> bool:
        return any(node.label == label for node in self.walk())

    def find(self, *labels: str) -> Node:
        """Finds an item by the visible texts on the way to it: `find("More", "About")`."""
        node = self
        for label in labels:
            found = [child for child in node.children if child.label == label]
            assert found, f"{label!r} is not in the menu {[child.label for child in node.children]}"
            node = found[0]
        return node


class TrayItem:
    """A tray icon as the panel sees it. Signals and replies come over one connection, so they keep their order."""

    def __init__(self, bus: str, name: str, path: str) -> None:
        self._name, self._path = name, path
        self._connection = open_dbus_connection(bus)
        self._router = DBusRouter(self._connection)
        self._signals: Queue[Message] = Queue()
        rule = MatchRule(type="signal", sender=name)
        self._filter = self._router.filter(rule, queue=self._signals)
        self._router.send_and_get_reply(message_bus.AddMatch(rule), timeout=TIMEOUT_S)
        self._menu_path = str(self.property("Menu"))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._filter.close()
        self._router.close()
        self._connection.close()

    def call(self, path: str, interface: str, member: str, types: str = "", *values: Any) -> tuple[Any, ...]:
        """What the method returns; RuntimeError with the text of a D-Bus error."""
        question = new_method_call(DBusAddress(path, self._name, interface), member, types or None, values)
        reply = self._router.send_and_get_reply(question, timeout=TIMEOUT_S)
        if reply.header.message_type == MessageType.error:
            raise RuntimeError(str(reply.body[0]))
        return tuple(reply.body)

    def call_menu(self, member: str, types: str = "", *values: Any) -> tuple[Any, ...]:
        return self.call(self._menu_path, MENU, member, types, *values)

    def property(self, name: str) -> Any:
        return self.call(self._path, PROPERTIES, "Get", "ss", ITEM, name)[0][1]

    def properties(self) -> dict[str, Any]:
        return {name: value for name, (_, value) in self.call(self._path, PROPERTIES, "GetAll", "s", ITEM)[0].items()}

    def images(self) -> list[Image.Image]:
        """The icon in each size sent, RGBA."""
        images = []
        for width, height, pixels in self.property("IconPixmap"):
            alpha, red, green, blue = Image.frombytes("RGBA", (width, height), bytes(pixels)).split()
            images.append(Image.merge("RGBA", (red, green, blue, alpha)))
        return images

    def menu(self) -> Node:
        return Node(self.call_menu("GetLayout", "iias", 0, -1, [])[1])

    def click(self, *labels: str) -> None:
        """Clicks a menu entry; returns when the click is answered, which is before anything is done about it."""
        node = self.menu().find(*labels)
        assert node.is_enabled, f"{labels[-1]!r} is disabled"
        self.call_menu("Event", "isvu", node.id, "clicked", ("i", 0), 0)

    def activate(self) -> None:
        """The left click on the icon."""
        self.call(self._path, ITEM, "Activate", "ii", 0, 0)

    def wait_menu(self, condition: Callable[[Node], bool], what: str) -> Node:
        """The menu, as soon as `condition` is true of it."""
        return wait_for(lambda: menu if condition(menu := self.menu()) else None, what)

    def wait_signal(self) -> tuple[str, tuple[Any, ...]]:
        """Name and values of the next signal."""
        message = self._signals.get(timeout=TIMEOUT_S)
        return str(message.header.fields[HeaderFields.member]), tuple(message.body)

    def take_signals(self) -> list[str]:
        """The names of all signals sent until now and not yet taken."""
        self.call(self._path, "org.freedesktop.DBus.Peer", "Ping")
        names = []
        while True:
            try:
                names.append(str(self._signals.get_nowait().header.fields[HeaderFields.member]))
            except Empty:
                return names


def end(process: subprocess.Popen[bytes], timeout_s: float = 5) -> int:
    """Ends a process, politely first; its exit status."""
    if process.stdin:
        process.stdin.close()
    process.terminate()
    try:
        return process.wait(timeout_s)
    except subprocess.TimeoutExpired:
        process.kill()
        return process.wait()


def xfce4_panel(desktop: Desktop, background: str = "#3465a4") -> subprocess.Popen[bytes]:
    """A real panel along the top of the screen, with the tray at the right end. Needs xfce4-panel and xsetroot."""
    config = Path(desktop.env["XDG_CONFIG_HOME"], "xfce4/xfconf/xfce-perchannel-xml/xfce4-panel.xml")
    config.parent.mkdir(parents=True)
    config.write_text(PANEL_CONFIG)
    desktop.run("xsetroot", "-solid", background)
    desktop.spawn(_find_xfconfd(), log="xfconfd")
    wait_for(lambda: desktop.has_name("org.xfce.Xfconf"), "the settings service of Xfce")
    panel = desktop.spawn("xfce4-panel", "--disable-wm-check", log="panel")
    wait_for(lambda: desktop.has_name(WATCHER), "the tray of xfce4-panel")
    return panel


def _find_xfconfd() -> str:
    """It lies outside of $PATH, at a place that depends on distribution and processor; its bus service tells where."""
    folders = os.environ.get("XDG_DATA_DIRS") or "/usr/local/share:/usr/share"
    service = configparser.ConfigParser(interpolation=None)
    service.read(Path(folder, "dbus-1/services/org.xfce.Xfconf.service") for folder in folders.split(":"))
    return service["D-BUS Service"]["Exec"]
