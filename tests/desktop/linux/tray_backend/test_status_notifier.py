"""The tray icon for Linux on a private bus: a sample program in its own process, with this test as its panel.

Run as a script, this file is the sample program. It prints what happens, and reads orders from its standard input, one
in each line.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest

if sys.platform != "linux":
    pytest.skip("D-Bus is for Linux", allow_module_level=True)
from PIL import Image

from tests.support.desktop_harness import Desktop, NotificationService, TrayItem, Watcher, end
from tests.support.parts import need
from tests.support.waiting import TIMEOUT_S, wait_for
from tray_app.desktop.linux.desktop import LinuxDesktop
from tray_app.desktop.linux.tray_backend import (
    StatusNotifierIcon,
    TrayUnavailable,
    is_tray_hosted,
    notify_once,
    session_bus,
)

pytestmark = pytest.mark.desktop

notify = partial(notify_once, app_id="sample", app_name="Sample Program")

RED, GREEN = (200, 30, 20, 255), (20, 160, 60, 255)


class Sample:
    """A program with a tray icon, which carries out the orders from its standard input."""

    def __init__(self) -> None:
        from pystray import Menu, MenuItem

        self.requests = 0
        self.model = "Local_only"
        self.go_on = threading.Event()

        def radio(label: str) -> Any:
            def choose() -> None:
                self.model = label

            return MenuItem(label, choose, checked=lambda _: self.model == label, radio=True)

        def fail() -> None:
            raise ValueError("a fault of the program")

        def wait() -> None:
            say("waiting")
            self.go_on.wait(10)
            say("waited")

        menu = Menu(
            MenuItem("Open", lambda: say("opened"), default="default" in sys.argv),
            MenuItem(lambda _: f"{self.requests} requests", None, enabled=False),
            MenuItem("Today", None, visible=lambda _: self.requests > 1),
            Menu.SEPARATOR,
            radio("Local_only"),
            radio("Cloud"),
            MenuItem("More", Menu(MenuItem("About", lambda: say("about")), MenuItem("Fail", fail))),
            MenuItem("Wait", wait),
            MenuItem("Quit", lambda icon: icon.stop()),
        )
        picture = Image.new("RGBA", (64, 64), GREEN)
        self.icon = StatusNotifierIcon(
            "sample", picture, "Sample", menu, on_hosted_change=lambda now: say(f"hosted {now}")
        )
        self.icon.app_name = "Sample Program"
        if "default" in sys.argv:
            self.icon.on_notification_click = lambda: say("clicked on the notification")

    def obey(self, order: str) -> None:
        match order.split():
            case ["count"]:
                self.requests += 1
                self.icon.update_menu()
            case ["count-unseen"]:
                self.requests += 1
            case ["title", title]:
                self.icon.title = title
            case ["redden"]:
                self.icon.icon = Image.new("RGBA", (64, 64), RED)
            case ["hide"]:
                self.icon.visible = False
            case ["notify", title, text]:
                self.icon.notify(text, title)
            case ["notify-done"]:
                self.icon.remove_notification()
            case ["go-on"]:
                self.go_on.set()
            case ["stop"]:
                self.icon.stop()

    def run(self) -> None:
        def terminate(*_: object) -> None:
            say("SIGTERM")
            self.icon.stop()

        def read_orders() -> None:
            for line in sys.stdin:
                self.obey(line.strip())

        if "no-check" in sys.argv:
            session_bus.SIGNAL_CHECK_S = 10 * TIMEOUT_S
        signal.signal(signal.SIGTERM, terminate)
        threading.Thread(target=read_orders, daemon=True).start()
        if "stop-first" in sys.argv:
            self.icon.stop()
        self.icon.run()
        say("ended")


def say(what: str) -> None:
    print(what, flush=True)


class Program:
    """The sample program, as the test controls it."""

    def __init__(self, desktop: Desktop, *arguments: str) -> None:
        self._desktop = desktop
        self.process = desktop.spawn(sys.executable, __file__, *arguments, log="sample", stdin=subprocess.PIPE)

    def order(self, order: str) -> None:
        assert self.process.stdin
        self.process.stdin.write(f"{order}\n".encode())
        self.process.stdin.flush()

    def wait_for_line(self, line: str, times: int = 1) -> None:
        self._desktop.wait_log("sample", f"{line}\n", times)

    def lines(self) -> list[str]:
        return self._desktop.read_log("sample").splitlines()


@pytest.fixture
def desktop() -> Iterator[Desktop]:
    need("dbus-daemon")
    with Desktop() as desktop:
        yield desktop


@pytest.fixture
def watcher(desktop: Desktop) -> Iterator[Watcher]:
    with Watcher(desktop.bus) as watcher:
        yield watcher


@pytest.fixture
def program(desktop: Desktop, watcher: Watcher) -> Program:
    return Program(desktop)


@pytest.fixture
def item(watcher: Watcher, program: Program) -> Iterator[TrayItem]:
    with watcher.wait_item() as item:
        program.wait_for_line("hosted True")
        yield item


def test_a_panel_reads_name_title_state_and_pixels(item: TrayItem) -> None:
    properties = item.properties()
    assert (properties["Id"], properties["Title"], properties["Status"]) == ("sample", "Sample", "Active")
    assert properties["ToolTip"] == ("", [], "Sample", "")
    images = item.images()
    assert [image.size for image in images] == [(size, size) for size in (16, 22, 24, 32, 48, 64)]
    assert {image.getpixel((8, 8)) for image in images} == {GREEN}


def test_choosing_one_of_a_radio_group_clears_the_others(item: TrayItem) -> None:
    assert item.menu().find("Local_only").is_checked
    item.click("Cloud")
    menu = item.wait_menu(lambda menu: menu.find("Cloud").is_checked, "the mark at Cloud")
    assert [node.label for node in menu.walk() if node.toggle_type == "radio" and node.is_checked] == ["Cloud"]


def test_a_new_text_keeps_an_open_menu_open(item: TrayItem, program: Program) -> None:
    before = item.menu().find("0 requests")
    item.take_signals()
    program.order("count")
    # A LayoutUpdated would close the open menu in several panels.
    assert item.wait_signal() == (
        "ItemsPropertiesUpdated",
        ([(before.id, {"label": ("s", "1 requests")})], []),
    )
    assert item.take_signals() == []
    assert item.menu().find("1 requests").id == before.id


def test_an_entry_that_appears_leaves_the_ids_of_the_others(item: TrayItem, program: Program) -> None:
    before = item.menu()
    program.order("count")
    program.order("count")
    after = item.wait_menu(lambda menu: menu.has("Today"), "the new entry")
    assert "LayoutUpdated" in item.take_signals()
    assert after.find("Quit").id == before.find("Quit").id
    assert after.find("More", "About").id == before.find("More", "About").id


def test_a_menu_is_read_again_before_it_is_shown(item: TrayItem, program: Program) -> None:
    item.take_signals()
    program.order("count-unseen")
    program.order("title Counted")
    assert [item.wait_signal()[0], item.wait_signal()[0]] == ["NewTitle", "NewToolTip"]  # the first order is done
    assert item.menu().has("0 requests")
    assert item.call_menu("AboutToShow", "i", 0) == (False,)  # the layout is the same, and the changes are sent
    assert item.take_signals() == ["ItemsPropertiesUpdated"]
    assert item.menu().has("1 requests")


def test_title_and_picture_change_from_any_thread(item: TrayItem, program: Program) -> None:
    item.take_signals()
    program.order("title Busy")
    assert [item.wait_signal()[0], item.wait_signal()[0]] == ["NewTitle", "NewToolTip"]
    assert (item.property("Title"), item.property("ToolTip")[2]) == ("Busy", "Busy")
    program.order("redden")
    assert item.wait_signal()[0] == "NewIcon"
    assert item.images()[-1].getpixel((32, 32)) == RED
    program.order("hide")
    assert item.wait_signal() == ("NewStatus", ("Passive",))


def test_left_click_runs_the_default_entry(desktop: Desktop, watcher: Watcher) -> None:
    program = Program(desktop, "default")
    with watcher.wait_item() as item:
        assert item.property("ItemIsMenu") is False
        item.activate()
        program.wait_for_line("opened")


def test_without_a_default_entry_the_left_click_is_for_the_menu(item: TrayItem, program: Program) -> None:
    assert item.property("ItemIsMenu") is True
    with pytest.raises(RuntimeError, match="default item"):  # panels then open the menu
        item.activate()
    item.click("More", "About")
    program.wait_for_line("about")
    assert "opened" not in program.lines()


def test_a_click_is_answered_before_its_action_ends(item: TrayItem, program: Program) -> None:
    item.click("Wait")  # without an answer this would time out
    program.wait_for_line("waiting")
    assert "waited" not in program.lines()
    program.order("go-on")
    program.wait_for_line("waited")


def test_an_action_that_fails_leaves_the_icon(item: TrayItem, program: Program) -> None:
    item.click("More", "Fail")
    item.click("More", "About")
    program.wait_for_line("about")
    assert any("a fault of the program" in line for line in program.lines())


def test_several_clicks_in_one_message_all_count(item: TrayItem, program: Program) -> None:
    menu = item.menu()
    events = [(menu.find(*labels).id, "clicked", ("i", 0), 0) for labels in [("More", "About"), ("Cloud",)]]
    assert item.call_menu("EventGroup", "a(isvu)", [*events, (999, "clicked", ("i", 0), 0)]) == ([999],)
    program.wait_for_line("about")
    assert item.menu().find("Cloud").is_checked


def test_a_question_about_an_unknown_object_is_answered_with_an_error(item: TrayItem) -> None:
    with pytest.raises(RuntimeError, match="Nonsense"):
        item.call_menu("Nonsense")
    with pytest.raises(RuntimeError, match="GetLayout"):
        item.call_menu("GetLayout", "iias", 999, -1, [])
    with pytest.raises(RuntimeError, match="NoSuchProperty"):
        item.property("NoSuchProperty")


def test_introspection_leads_to_the_menu(item: TrayItem) -> None:
    def describe(path: str) -> str:
        return str(item.call(path, "org.freedesktop.DBus.Introspectable", "Introspect")[0])

    assert '<node name="StatusNotifierItem"/>' in describe("/")
    assert '<property name="IconPixmap" type="a(iiay)" access="read"/>' in describe("/StatusNotifierItem")
    assert '<node name="Menu"/>' in describe("/StatusNotifierItem")
    assert '<arg type="(ia{sv}av)" direction="out"/>' in describe("/StatusNotifierItem/Menu")


def test_a_panel_that_returns_gets_the_icon_again(desktop: Desktop) -> None:
    program = Program(desktop)
    for times in (1, 2):
        with Watcher(desktop.bus) as watcher, watcher.wait_item():
            program.wait_for_line("hosted True", times)
        program.wait_for_line("hosted False", times)
    assert program.process.poll() is None


def test_an_icon_is_hosted_only_while_something_draws_it(desktop: Desktop) -> None:
    with Watcher(desktop.bus, has_host=False) as watcher:
        program = Program(desktop)
        with watcher.wait_item() as item:
            item.take_signals()
            assert "hosted True" not in program.lines()
            watcher.set_host(True)
            program.wait_for_line("hosted True")
            watcher.set_host(False)
            program.wait_for_line("hosted False")


def test_without_an_icon_it_is_known_whether_a_panel_would_show_one(
    desktop: Desktop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", desktop.bus)
    assert not is_tray_hosted()
    with Watcher(desktop.bus, has_host=False) as watcher:
        assert not is_tray_hosted()
        watcher.set_host(True)
        assert is_tray_hosted()
        assert LinuxDesktop({}).explain_missing_tray() == ""
    assert "No panel here shows tray icons" in LinuxDesktop({}).explain_missing_tray()


def test_quit_removes_the_icon(item: TrayItem, program: Program, watcher: Watcher) -> None:
    item.click("Quit")
    assert program.process.wait(TIMEOUT_S) == 0
    watcher.wait(lambda: not watcher.items, "the icon gone")
    assert program.lines()[-2:] == ["hosted False", "ended"]


def test_any_thread_may_stop_the_icon(item: TrayItem, program: Program) -> None:
    program.order("stop")
    assert program.process.wait(TIMEOUT_S) == 0


def test_a_signal_ends_the_wait_for_a_message(desktop: Desktop, watcher: Watcher) -> None:
    program = Program(desktop, "no-check")
    with watcher.wait_item():
        program.wait_for_line("hosted True")
        state = Path(f"/proc/{program.process.pid}/stat")
        wait_for(lambda: state.read_text().rpartition(")")[2].split()[0] == "S", "the program waiting for a message")
        program.process.send_signal(signal.SIGTERM)
        assert program.process.wait(TIMEOUT_S) == 0
    assert "SIGTERM" in program.lines()


def test_stop_before_run_ends_run(desktop: Desktop, watcher: Watcher) -> None:
    program = Program(desktop, "stop-first")
    assert program.process.wait(10) == 0
    assert program.lines()[-1] == "ended"


def test_run_ends_with_the_bus(program: Program, desktop: Desktop) -> None:
    program.wait_for_line("hosted True")
    end(desktop.bus_daemon)
    assert program.process.wait(TIMEOUT_S) == 0
    assert "ended" in program.lines()


def test_notifications_arrive_with_picture_and_replace_each_other(
    desktop: Desktop, item: TrayItem, program: Program
) -> None:
    with NotificationService(desktop.bus) as service:
        program.order("notify Saved Exports")
        service.wait(lambda: len(service.received) == 1, "the first notification")
        first = service.received[0]
        assert (first.app, first.title, first.text, first.buttons) == ("Sample Program", "Saved", "Exports", [])
        width, height, row_bytes, *_, pixels = first.hints["image-data"]
        assert (width, height, row_bytes, tuple(pixels[:4])) == (64, 64, 256, GREEN)
        item.take_signals()  # by then the program has noted the id
        program.order("notify Saved Again")
        service.wait(lambda: len(service.received) == 2, "the second notification")
        assert service.received[1].id == first.id
        program.order("notify-done")
        service.wait(lambda: service.closed == [first.id], "the notification closed")


def test_a_click_on_a_notification_is_told(desktop: Desktop, watcher: Watcher) -> None:
    program = Program(desktop, "default")
    with watcher.wait_item() as item, NotificationService(desktop.bus) as service:
        program.order("notify Saved Exports")
        service.wait(lambda: len(service.received) == 1, "the notification")
        item.take_signals()  # by then the program has noted the id
        service.click(replace(service.received[0], id=99))
        assert "clicked on the notification" not in program.lines(), "it is that of another program"
        service.click(service.received[0])
        program.wait_for_line("clicked on the notification")
    assert program.lines().count("clicked on the notification") == 1


def test_a_notification_needs_no_icon(desktop: Desktop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", desktop.bus)
    assert not notify("Running", "on 127.0.0.1:3001")  # nobody is there to show it
    with NotificationService(desktop.bus) as service:
        assert notify("Running", "on 127.0.0.1:3001")
        assert [(one.title, one.text) for one in service.received] == [("Running", "on 127.0.0.1:3001")]


def test_the_bus_of_systemd_is_found_without_the_variable(desktop: Desktop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DBUS_SESSION_BUS_ADDRESS", raising=False)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(desktop.folder))  # the private bus is the socket `bus` in it
    assert not notify("Running", "on 127.0.0.1:3001")  # nobody is there to show it
    with NotificationService(desktop.bus):
        assert notify("Running", "on 127.0.0.1:3001")


def remove_the_variable(monkeypatch: pytest.MonkeyPatch, _: Path) -> None:
    monkeypatch.delenv("DBUS_SESSION_BUS_ADDRESS", raising=False)


def name_a_dead_socket(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", f"unix:path={folder}/nothing")


def name_another_transport(monkeypatch: pytest.MonkeyPatch, _: Path) -> None:
    monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", "tcp:host=127.0.0.1,port=1")


@pytest.mark.parametrize("spoil", [remove_the_variable, name_a_dead_socket, name_another_transport])
def test_without_a_bus_there_is_a_plain_sentence(
    spoil: Callable[[pytest.MonkeyPatch, Path], None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    spoil(monkeypatch, tmp_path)
    with pytest.raises(TrayUnavailable, match="there is no D-Bus session bus"):
        StatusNotifierIcon("sample")
    assert not notify("Running", "on 127.0.0.1:3001")


def test_a_bus_that_does_not_answer_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert session_bus.QUESTION_TIMEOUT_S == 1
    monkeypatch.setattr(session_bus, "QUESTION_TIMEOUT_S", 0.01)
    with socket.socket(socket.AF_UNIX) as silent:
        silent.bind(os.fspath(tmp_path / "bus"))
        silent.listen()
        monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", f"unix:path={tmp_path}/bus")
        assert not notify("Running", "on 127.0.0.1:3001")


if __name__ == "__main__":
    Sample().run()
