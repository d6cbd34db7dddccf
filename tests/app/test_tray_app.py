"""The whole app on a private desktop. Its real menu is clicked over D-Bus and in a real panel."""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from PIL import Image

from tests.support.chunks import completion
from tests.support.desktop_harness import Desktop, Node, NotificationService, Watcher, end, xfce4_panel
from tests.support.fake_upstream import FakeUpstream, listing, refusal, whole
from tests.support.gateway import NVIDIA_KEY
from tests.support.parts import need
from tests.support.ports import free_port
from tests.support.tray_app import APP, QUESTION, TrayApp
from tests.support.validators import check_stream
from tests.support.waiting import wait_for
from tray_app.shells import NO_WELCOME_OPTION

pytestmark = pytest.mark.desktop

GREEN = (118, 185, 0)


@pytest.fixture
def desktop() -> Iterator[Desktop]:
    need("dbus-daemon")
    with Desktop() as private:
        # nothing listens on this port unless a test starts something
        private.env |= {"ADDR": "127.0.0.1:0", "UPSTREAM_URL": f"http://127.0.0.1:{free_port()}/v1/chat/completions"}
        yield private


@pytest.fixture
def watcher(desktop: Desktop) -> Iterator[Watcher]:
    with Watcher(desktop.bus) as panel:
        yield panel


@pytest.fixture
def app(desktop: Desktop, watcher: Watcher) -> Iterator[TrayApp]:
    desktop.spawn(*APP, "--demo", log="app")
    with watcher.wait_item() as item:
        running = TrayApp(desktop, item)
        assert running.url
        yield running


@pytest.fixture
def keyed_app(desktop: Desktop, watcher: Watcher, upstream: FakeUpstream) -> Iterator[TrayApp]:
    """The app with an NVIDIA key, in front of the fake upstream."""
    desktop.env["UPSTREAM_URL"] = upstream.url
    settings = Path(desktop.env["CLAUDE_NVIDIA_TRAY_HOME"], "settings.json")
    settings.write_text(json.dumps({"version": 1, "nvidia_key": NVIDIA_KEY, "probe_models": False}))
    upstream.model_list = listing("minimaxai/minimax-m2.1", "z-ai/glm-5.3-flash")
    upstream.default = lambda body: whole(completion(body["model"]))
    desktop.spawn(*APP, log="app")
    with watcher.wait_item() as item:
        yield TrayApp(desktop, item)


@pytest.fixture
def notifications(desktop: Desktop) -> Iterator[NotificationService]:
    with NotificationService(desktop.bus) as service:
        yield service


def test_the_menu_says_what_runs_and_where(app: TrayApp) -> None:
    menu = app.item.wait_menu(lambda menu: menu.has(f"Demo: no model, running on {app.url}"), "the status line")
    labels = [node.label for node in menu.children if not node.is_separator]
    assert labels[1:] == [
        "GLM 4.7",
        "MiniMax M2.1",
        "Open Page",
        "Open Claude Code in Terminal",
        "Copy Claude Code Exports (bash)",
        "Copy Exports For",
        "Log Request Bodies",
        "More",
        "Quit",
    ]
    assert [node.label for node in menu.find("More").children] == [
        "Use for All Claude Code Sessions",
        "Pause",
        "Start at Login",
        "Other Programs Choose Their Own Model",
        "Open Log Folder",
    ]
    assert not menu.children[0].is_enabled
    assert app.item.property("Id") == "claude-nvidia-tray"
    assert "GLM 4.7" in app.item.property("Title")


def test_a_click_on_the_other_model_switches_the_next_request_the_icon_and_the_settings(app: TrayApp) -> None:
    assert app.ask()["model"] == "z-ai/glm4.7"
    before = app.item.images()[-1]
    app.item.click("MiniMax M2.1")
    menu = app.item.wait_menu(lambda menu: menu.find("MiniMax M2.1").is_checked, "the other model is marked")
    assert not menu.find("GLM 4.7").is_checked
    assert app.ask()["model"] == "minimaxai/minimax-m2.1"
    app.folder.wait_setting("model", "minimaxai/minimax-m2.1")
    wait_for(lambda: app.item.images()[-1].tobytes() != before.tobytes(), "another letter in the icon")


def test_the_menu_tells_of_today_after_the_first_request(keyed_app: TrayApp) -> None:
    labels = [node.label for node in keyed_app.item.menu().children]
    assert not [label for label in labels if label.startswith("Today")]
    keyed_app.ask()
    keyed_app.ask()
    keyed_app.item.wait_menu(lambda menu: menu.has("Today: 2 requests · 24 in · 6 out"), "today's requests")


def test_clients_choose_the_model_when_the_menu_lets_them(app: TrayApp) -> None:
    app.item.click("More", "Other Programs Choose Their Own Model")
    app.folder.wait_setting("clients_choose_model", True)
    assert app.ask(model="minimaxai/minimax-m2.1")["model"] == "minimaxai/minimax-m2.1"
    assert app.ask()["model"] == "z-ai/glm4.7"


def test_while_it_is_paused_requests_are_refused_and_the_first_line_resumes(app: TrayApp) -> None:
    app.item.click("More", "Pause")
    app.item.wait_menu(lambda menu: menu.find("More", "Pause").is_checked, "the mark")
    assert "paused" in app.ask()["error"]["message"]
    app.item.click("Paused – resume")
    app.item.wait_menu(lambda menu: menu.has(f"Demo: no model, running on {app.url}"), "the status line")
    assert app.ask()["type"] == "message"


def test_log_request_bodies_is_off_until_it_is_clicked(app: TrayApp) -> None:
    log = app.folder.log_file
    secret = "a sentence that nobody else should read"
    app.ask(messages=[{"role": "user", "content": secret}])
    assert not app.item.menu().find("Log Request Bodies").is_checked
    assert secret not in log.read_text()
    app.item.click("Log Request Bodies")
    app.item.wait_menu(lambda menu: menu.find("Log Request Bodies").is_checked, "the mark")
    app.ask(messages=[{"role": "user", "content": secret}])
    wait_for(lambda: secret in log.read_text(), "the body in the log")


def test_open_log_folder_opens_it(app: TrayApp, desktop: Desktop, watcher: Watcher, tmp_path: Path) -> None:
    opener = tmp_path / "xdg-open"
    opener.write_text(f'#!/bin/sh\necho "$1" > {tmp_path}/opened\n')
    opener.chmod(0o755)
    app.item.click("Quit")
    watcher.wait(lambda: not watcher.items, "the first app gone")
    desktop.env["PATH"] = f"{tmp_path}:{desktop.env['PATH']}"
    desktop.spawn(*APP, "--demo", log="app2")
    with watcher.wait_item() as item:
        item.wait_menu(lambda menu: menu.has("Open Log Folder"), "the menu")
        item.click("More", "Open Log Folder")
        opened = tmp_path / "opened"
        wait_for(lambda: opened.exists() and opened.read_text(), "the folder is opened")
    assert Path(opened.read_text().strip()) == Path(desktop.env["CLAUDE_NVIDIA_TRAY_HOME"], "logs")


def test_copied_exports_are_in_the_clipboard_and_a_notification_says_so() -> None:
    need("dbus-daemon", "Xvfb", "xclip")
    with Desktop("640x480x24") as desktop, Watcher(desktop.bus) as watcher, NotificationService(desktop.bus) as heard:
        desktop.env |= {"ADDR": "127.0.0.1:0", "SHELL": "/usr/bin/fish"}
        desktop.spawn(*APP, "--demo", log="app")
        with watcher.wait_item() as item:
            app = TrayApp(desktop, item)
            url = app.url
            item.click("Copy Claude Code Exports (fish)")
            told = heard.wait_text("Exports copied")
        copied = desktop.run("xclip", "-selection", "clipboard", "-out")
    assert f"set -gx ANTHROPIC_BASE_URL 'http://{url}'" in copied
    assert "Demo: canned answers, no model" in copied
    assert "\n" not in copied
    assert "fish" in told


def test_each_form_of_the_exports_can_be_copied_and_the_notification_says_what_to_do_next() -> None:
    need("dbus-daemon", "Xvfb", "xclip")
    forms = {  # label -> title and a part of the notification, and a part of what is copied
        "bash or zsh": ("Exports copied", "a terminal with bash or zsh", "ANTHROPIC_BASE_URL="),
        "PowerShell": ("Exports copied", "a terminal with PowerShell", "$env:ANTHROPIC_BASE_URL"),
        "settings.json": ("Settings copied", "claude --settings FILE", '"modelPicker"'),
        "One Line That Starts Claude Code": ("Command copied", "Paste it into a terminal", "claude"),
        "One Line That Undoes the Exports": ("Undo line copied", "you have pasted the exports", "unset "),
    }
    with Desktop("640x480x24") as desktop, Watcher(desktop.bus) as watcher, NotificationService(desktop.bus) as heard:
        desktop.env |= {"ADDR": "127.0.0.1:0", "SHELL": "/bin/bash"}
        desktop.spawn(*APP, "--demo", log="app")
        with watcher.wait_item() as item:
            for times, (label, (title, told, part)) in enumerate(forms.items(), 1):
                item.click("Copy Exports For", label)
                assert told in heard.wait_text(title, times if title == "Exports copied" else 1)
                assert part in desktop.run("xclip", "-selection", "clipboard", "-out")


def test_all_sessions_use_the_gateway_until_the_item_is_clicked_again(
    app: TrayApp, desktop: Desktop, notifications: NotificationService
) -> None:
    settings = Path(desktop.env["HOME"], ".claude", "settings.json")
    settings.parent.mkdir()
    settings.write_text('{"theme": "dark"}')
    path = ("More", "Use for All Claude Code Sessions")
    app.item.click(*path)
    notifications.wait_text("Claude Code's settings are changed")
    app.item.wait_menu(lambda menu: menu.find(*path).is_checked, "the mark")
    changed = json.loads(settings.read_text())
    assert changed["env"]["ANTHROPIC_BASE_URL"] == f"http://{app.url}"
    app.item.click("MiniMax M2.1")
    now = "now MiniMax M2.1"
    wait_for(lambda: now in settings.read_text(), "the other model in the settings")
    app.item.click(*path)
    notifications.wait_text("Claude Code's settings are restored")
    app.item.wait_menu(lambda menu: not menu.find(*path).is_checked, "no mark")
    assert settings.read_text() == '{"theme": "dark"}'


def test_settings_of_claude_code_that_cannot_be_used_are_left_and_a_notification_says_so(
    app: TrayApp, desktop: Desktop, notifications: NotificationService
) -> None:
    settings = Path(desktop.env["HOME"], ".claude", "settings.json")
    settings.parent.mkdir()
    settings.write_text('{"theme": ')
    app.item.click("More", "Use for All Claude Code Sessions")
    assert str(settings) in notifications.wait_text("Claude NVIDIA Tray")
    assert settings.read_text() == '{"theme": '


@pytest.fixture
def terminal(desktop: Desktop) -> Path:
    """A program that is the user's terminal: it needs no display. Returns the file into which `claude` writes.

    What stands for Claude Code says in which folder it was started, and with which address.
    """
    programs, told = desktop.folder / "programs", desktop.folder / "told"
    programs.mkdir()
    scripts = {"term": 'shift; exec "$@"', "claude": f'{{ pwd; cat "$2"; }} > {told}.new; mv {told}.new {told}'}
    for name, script in scripts.items():
        (programs / name).write_text(f"#!/bin/sh\n{script}\n")
        (programs / name).chmod(0o755)
    desktop.env |= {"DISPLAY": ":0", "TERMINAL": "term", "PATH": f"{programs}:{desktop.env['PATH']}"}
    desktop.env["SHELL"] = "/bin/sh"
    return told


def test_claude_code_opens_in_a_terminal_in_the_last_folder_or_in_the_one_that_is_chosen(
    terminal: Path, desktop: Desktop, watcher: Watcher
) -> None:
    home, shop = Path(desktop.env["HOME"]), Path(desktop.env["HOME"], "a shop")
    shop.mkdir()
    desktop.spawn(*APP, "--demo", log="app")
    with watcher.wait_item() as item:
        app = TrayApp(desktop, item)
        url = app.url

        def click(*labels: str) -> str:
            item.click(*labels)
            wait_for(terminal.exists, "Claude Code")
            folder, settings = terminal.read_text().split("\n", 1)
            terminal.unlink()
            assert json.loads(settings)["env"]["ANTHROPIC_BASE_URL"] == f"http://{url}"
            return folder

        assert not item.menu().has("Open Claude Code In")
        assert click("Open Claude Code in Terminal") == str(home)
        app.ask()  # the menu is drawn again
        item.wait_menu(lambda menu: menu.has("~"), "the folder in the menu")
        desktop.spawn(*APP, "claude", log="claude", cwd=shop).wait(20)
        wait_for(terminal.exists, "Claude Code in the other folder")
        terminal.unlink()
        app.ask()  # the menu is drawn again
        menu = item.wait_menu(lambda menu: menu.has("~/a shop"), "the other folder in the menu")
        assert [node.label for node in menu.find("Open Claude Code In").children] == ["~/a shop", "~"]
        assert click("Open Claude Code in Terminal") == str(shop)
        assert click("Open Claude Code In", "~") == str(home)


def test_a_copy_that_fails_never_says_copied(app: TrayApp, notifications: NotificationService) -> None:
    # A desktop without a display has no clipboard.
    app.item.click("Copy Claude Code Exports (bash)")
    assert "could not be written" in notifications.wait_text("Claude NVIDIA Tray")
    assert not [heard for heard in notifications.received if "copied" in heard.title.lower()]


def test_without_a_key_the_status_line_asks_for_it_until_set_key_gives_one(
    desktop: Desktop, watcher: Watcher, notifications: NotificationService
) -> None:
    desktop.spawn(*APP, log="app")
    with watcher.wait_item() as item:
        app = TrayApp(desktop, item)
        item.wait_menu(lambda menu: menu.has("Add your NVIDIA API key…"), "the fix-it line")
        error = app.ask()["error"]
        assert error["type"] == "billing_error"
        assert "set-key" in error["message"]
        assert "Add your NVIDIA API key" in notifications.wait_text("Claude NVIDIA Tray is running")
        tooltip = "GLM 4.7 · add your NVIDIA API key…"
        wait_for(lambda: item.property("ToolTip")[2] == tooltip, "the state in the tooltip")
        assert desktop.wait_page().startswith(f"http://{app.url}/#/welcome?token="), "at the first start, by itself"
        item.click("Add your NVIDIA API key…")
        assert desktop.wait_page(2).startswith(f"http://{app.url}/#/welcome?token=")
        notifications.click(notifications.received[-1])
        assert desktop.wait_page(3).startswith(f"http://{app.url}/#/welcome?token=")
        with (desktop.folder / "key").open("w+") as typed:
            typed.write("nvapi-0123456789abcdef\n")
            typed.seek(0)
            assert desktop.spawn(*APP, "set-key", log="set-key", stdin=typed.fileno()).wait(20) == 0
        item.wait_menu(lambda menu: menu.has(f"Running on {app.url}"), "the key is noticed")
    assert "nvapi-0123456789abcdef" not in desktop.read_log("set-key")
    assert app.folder.settings["nvidia_key"] == "nvapi-0123456789abcdef"


def top_labels(menu: Node) -> list[str]:
    """Returns the lines of the menu from the first one to the models."""
    texts = [node.label for node in menu.children if not node.is_separator]
    return texts[: texts.index("More Models")]


def test_a_model_that_nvidia_does_not_list_is_marked_and_one_click_switches_to_its_successor(
    keyed_app: TrayApp, notifications: NotificationService
) -> None:
    item = keyed_app.item
    menu = item.wait_menu(lambda menu: menu.has("GLM 4.7 (retired)"), "the mark")
    running = f"Running on {keyed_app.url}"
    assert top_labels(menu) == [running, "Switch to GLM 5.3 Flash", "GLM 4.7 (retired)", "MiniMax M2.1"]
    places = {node.label: node.id for node in menu.children}
    item.click("Switch to GLM 5.3 Flash")
    menu = item.wait_menu(lambda menu: menu.has("GLM 5.3 Flash"), "the successor in the list")
    assert top_labels(menu) == [running, "GLM 4.7 (retired)", "MiniMax M2.1", "GLM 5.3 Flash"]
    assert menu.find("GLM 5.3 Flash").is_checked
    assert menu.find("MiniMax M2.1").id == places["MiniMax M2.1"], "no item moves when one above it goes"
    assert keyed_app.ask()["content"][0]["text"] == "z-ai/glm-5.3-flash"
    keyed_app.folder.wait_setting("model", "z-ai/glm-5.3-flash")
    assert not notifications.received, "a hint is no news"


def test_a_model_added_to_the_settings_file_stands_in_the_menu_and_answers(keyed_app: TrayApp) -> None:
    item = keyed_app.item
    keyed_app.folder.edit_settings(models=[{"id": "lab/own", "label": "Own", "hidden": "no"}])
    item.wait_menu(lambda menu: menu.has("Settings file has a problem…"), "the mistake is said")
    keyed_app.folder.edit_settings(
        models=[{"id": "lab/own", "label": "Own"}, {"id": "minimaxai/minimax-m2.1", "hidden": True}]
    )
    item.wait_menu(lambda menu: menu.has("Own (not listed)"), "the model")
    item.click("Own (not listed)")
    keyed_app.folder.wait_setting("model", "lab/own")
    item.wait_menu(lambda menu: menu.find("Own (not listed)").is_checked, "the mark")
    assert top_labels(item.menu()) == [f"Running on {keyed_app.url}", "GLM 4.7 (retired)", "Own (not listed)"]
    assert keyed_app.ask()["content"][0]["text"] == "lab/own"


def test_another_upstream_makes_the_app_forget_which_models_are_listed(
    keyed_app: TrayApp, upstream: FakeUpstream
) -> None:
    keyed_app.item.wait_menu(lambda menu: menu.has("GLM 4.7 (retired)"), "the mark")
    upstream.model_list = refusal(404)
    keyed_app.folder.edit_settings(nvidia_key="nvapi-another")
    keyed_app.item.wait_menu(lambda menu: menu.has("GLM 4.7"), "no mark")
    assert upstream.wait_listed(2)["Authorization"] == "Bearer nvapi-another"


def test_a_retirement_is_followed_without_a_click_and_told_once(
    keyed_app: TrayApp, upstream: FakeUpstream, notifications: NotificationService
) -> None:
    gone = "The model 'z-ai/glm4.7' has reached its end of life on 2026-05-14 and is no longer available."
    item = keyed_app.item
    upstream.script(refusal(410, {"status": 410, "title": "Gone", "detail": gone}))
    for _ in range(3):
        assert keyed_app.ask()["content"][0]["text"] == "z-ai/glm-5.3-flash"
    menu = item.wait_menu(lambda menu: menu.has("GLM 4.7 (retired): GLM 5.3 Flash"), "who answers")
    assert top_labels(menu)[0] == f"Running on {keyed_app.url}", "there is nothing to do"
    notifications.wait(lambda: len(notifications.received) >= 1, "the news")
    item.click("Log Request Bodies")
    item.wait_menu(lambda menu: menu.find("Log Request Bodies").is_checked, "the mark")
    sentence = (
        "NVIDIA retired GLM 4.7 on 2026-05-14. GLM 5.3 Flash answers in its place. "
        "You can choose another model in the menu."
    )
    assert [(heard.title, heard.text) for heard in notifications.received] == [
        ("GLM 5.3 Flash answers for GLM 4.7", sentence)
    ]


def test_a_retired_model_that_is_not_followed_is_reported_once_and_one_click_switches_to_its_successor(
    keyed_app: TrayApp, upstream: FakeUpstream, notifications: NotificationService
) -> None:
    gone = "The model 'z-ai/glm4.7' has reached its end of life on 2026-05-14 and is no longer available."
    title = "GLM 4.7 was retired by NVIDIA – choose a model…"
    upstream.model_list = refusal(404)
    keyed_app.folder.edit_settings(follow_successors=False, models=[{"id": "lab/own", "label": "Own"}])
    item = keyed_app.item
    item.wait_menu(lambda menu: any(label.startswith("Own") for label in top_labels(menu)), "the new settings")
    for _ in range(3):
        upstream.script(refusal(410, {"status": 410, "title": "Gone", "detail": gone}))
        assert "2026-05-14" in keyed_app.ask()["error"]["message"]
        menu = item.wait_menu(lambda menu: menu.has(title), "the fix-it line")
    assert top_labels(menu)[:4] == [title, "Switch to GLM 5.3 Flash", "GLM 4.7 (retired)", "MiniMax M2.1"]
    item.click(title)
    assert keyed_app.desktop.wait_page().startswith(f"http://{keyed_app.url}/#/models?token=")
    item.click("Log Request Bodies")
    item.wait_menu(lambda menu: menu.find("Log Request Bodies").is_checked, "the mark")
    item.click("Log Request Bodies")  # the menu was redrawn, and no notification came again
    item.wait_menu(lambda menu: not menu.find("Log Request Bodies").is_checked, "no mark")
    sentence = 'NVIDIA retired GLM 4.7 on 2026-05-14. Choose "Switch to GLM 5.3 Flash", or another model, in the menu.'
    assert [(heard.title, heard.text) for heard in notifications.received] == [(title, sentence)]
    assert keyed_app.ask(model="z-ai/glm4.7")["content"][0]["text"] == "z-ai/glm4.7"
    item.wait_menu(lambda menu: menu.has("GLM 4.7") and not menu.has(title), "it answers again")
    upstream.script(refusal(410, {"status": 410, "title": "Gone", "detail": gone}))
    keyed_app.ask()
    notifications.wait(lambda: len(notifications.received) == 2, "the news, as it had recovered")
    item.click("Switch to GLM 5.3 Flash")
    item.wait_menu(lambda menu: menu.has(f"Running on {keyed_app.url}"), "the trouble is over")
    assert keyed_app.ask()["content"][0]["text"] == "z-ai/glm-5.3-flash"


def test_the_menu_shows_a_wait_for_the_rate_limit_while_it_lasts(
    keyed_app: TrayApp, notifications: NotificationService
) -> None:
    item = keyed_app.item
    keyed_app.folder.edit_settings(requests_per_minute=1, clients_choose_model=True)
    label = "Other Programs Choose Their Own Model"
    item.wait_menu(lambda menu: menu.find("More", label).is_checked, "the settings are in force")
    keyed_app.ask()
    with closing(http.client.HTTPConnection(keyed_app.url, timeout=20)) as connection:
        connection.request("POST", "/v1/messages", json.dumps(QUESTION))
        menu = item.wait_menu(lambda menu: top_labels(menu)[0].startswith("Waiting for NVIDIA's rate"), "the wait")
        item.click(top_labels(menu)[0])
        notifications.wait(lambda: bool(notifications.received), "the sentence")
    assert "1 of 1 requests this minute went to GLM 4.7; 1 waits, and the next one" in notifications.received[0].text
    item.wait_menu(lambda menu: menu.has(f"Running on {keyed_app.url}"), "the client has left the queue")


def test_start_at_login_is_what_the_desktop_says(app: TrayApp, desktop: Desktop) -> None:
    file = Path(desktop.env["XDG_CONFIG_HOME"], "autostart", "claude-nvidia-tray.desktop")
    for is_on in (True, False):
        app.item.click("More", "Start at Login")
        app.item.wait_menu(lambda menu: menu.find("More", "Start at Login").is_checked is is_on, "the mark")  # noqa: B023
        assert file.exists() is is_on


def test_the_first_start_from_a_terminal_does_not_show_the_page(
    desktop: Desktop, watcher: Watcher, notifications: NotificationService
) -> None:
    app = desktop.spawn(*APP, "--demo", NO_WELCOME_OPTION, log="app")
    with watcher.wait_item() as item:
        item.wait_menu(lambda menu: menu.children[0].label.startswith("Demo:"), "the demo")
        notifications.wait_text("Claude NVIDIA Tray is running")
        item.click("Quit")
    assert app.wait(10) == 0
    assert not desktop.shown_pages


def test_the_first_start_says_hello_once(
    desktop: Desktop, watcher: Watcher, notifications: NotificationService
) -> None:
    for name in ("first", "second"):
        app = desktop.spawn(*APP, "--demo", log=name)
        with watcher.wait_item() as item:
            item.wait_menu(lambda menu: menu.children[0].label.startswith("Demo:"), "the demo")
            item.click("Copy Claude Code Exports (bash)")  # this fails, as there is no clipboard
            notifications.wait_text("Claude NVIDIA Tray", 1 if name == "first" else 2)
            item.click("Quit")
        assert app.wait(10) == 0
        watcher.wait(lambda: not watcher.items, "the icon is gone")
    hellos = [heard.text for heard in notifications.received if heard.title == "Claude NVIDIA Tray is running"]
    assert len(hellos) == 1
    assert [page.partition("/#/")[2].partition("=")[0] for page in desktop.shown_pages] == ["welcome?token"]
    assert hellos[0].startswith("Its icon is in the panel. This is the demo:")
    assert "Open Claude Code in Terminal" in hellos[0]


def test_quit_lets_a_running_answer_finish(app: TrayApp, watcher: Watcher) -> None:
    with app.open_answer(stream=True) as answer:
        begin = answer.read1()
        app.item.wait_menu(lambda menu: menu.has("Quit (1 request active)"), "the active request")
        app.item.click("Quit (1 request active)")
        rest = answer.read()
    check_stream(begin + rest)
    assert rest.endswith(b'data: {"type":"message_stop"}\n\n')
    watcher.wait(lambda: not watcher.items, "the icon is gone")


def test_a_second_launch_opens_the_page_of_the_first_one_and_ends_well(
    app: TrayApp, desktop: Desktop, watcher: Watcher
) -> None:
    desktop.wait_page()  # that of the first start
    second = desktop.spawn(*APP, "--demo", log="second")
    assert second.wait(20) == 0
    assert desktop.wait_page(2).startswith(f"http://{app.url}/#token=")
    assert "already running as a demo" in desktop.read_log("second")
    assert len(watcher.items) == 1


def test_a_second_launch_without_a_browser_says_where_the_first_one_runs(
    app: TrayApp, desktop: Desktop, notifications: NotificationService
) -> None:
    desktop.env["BROWSER"] = ""
    assert desktop.spawn(*APP, "--demo", log="second").wait(20) == 0
    assert notifications.wait_text("Claude NVIDIA Tray") == (
        f"Claude NVIDIA Tray is already running as a demo, with canned answers. It listens on http://{app.url}."
    )


def test_a_click_on_the_icon_opens_the_page_and_so_does_its_item(
    app: TrayApp, notifications: NotificationService
) -> None:
    assert app.item.property("ItemIsMenu") is False
    pages = [app.desktop.wait_page()]  # that of the first start
    assert pages[0].startswith(f"http://{app.url}/#/welcome?token=")
    app.item.activate()
    app.item.activate()
    pages.append(app.desktop.wait_page(2))
    app.item.click("Copy Claude Code Exports (bash)")  # this fails, as there is no clipboard
    notifications.wait_text("Claude NVIDIA Tray")
    assert app.desktop.shown_pages == pages, "a double click opens one page"

    def is_open() -> bool:
        app.item.click("Open Page")
        return len(app.desktop.shown_pages) > 2

    wait_for(is_open, "the page")  # the first click may follow the others too soon
    pages.append(app.desktop.shown_pages[2])
    assert all(page.startswith(f"http://{app.url}/#token=") for page in pages[1:])
    assert len(set(pages)) == len(pages), "each lets one browser in"


def read_root(app: TrayApp) -> http.client.HTTPMessage:
    """Returns the headers with which the gateway answers a browser."""
    with closing(http.client.HTTPConnection(app.url, timeout=20)) as connection:
        connection.request("GET", "/", headers={"Accept": "text/html"})
        return connection.getresponse().headers


def test_a_page_that_is_switched_off_is_not_opened_and_a_notification_says_how_to_get_it(
    app: TrayApp, notifications: NotificationService
) -> None:
    app.desktop.wait_page()
    app.folder.edit_settings(server_api_key="key-of-this-gateway")
    wait_for(lambda: read_root(app)["content-type"].startswith("application/json"), "the page is off")
    app.item.click("Open Page")
    assert '"serve_page" to "always"' in notifications.wait_text("Claude NVIDIA Tray")
    assert len(app.desktop.shown_pages) == 1
    app.folder.edit_settings(serve_page="never")
    app.item.wait_menu(lambda menu: not menu.has("Open Page"), "no item")
    assert app.item.property("ItemIsMenu") is True


def test_after_a_crash_the_next_launch_works(app: TrayApp, desktop: Desktop, watcher: Watcher) -> None:
    pid = json.loads(Path(desktop.env["CLAUDE_NVIDIA_TRAY_HOME"], "state", "instance.json").read_text())["pid"]
    desktop.run("kill", "-KILL", str(pid))
    watcher.wait(lambda: not watcher.items, "the icon is gone")
    desktop.spawn(*APP, "--demo", log="next")
    watcher.wait_item().__exit__()
    desktop.wait_log("next", "listening on http://")


def test_the_icon_appears_when_a_panel_does(desktop: Desktop) -> None:
    desktop.spawn(*APP, "--demo", log="app")
    desktop.wait_log("app", "No panel shows tray icons here yet")
    with Watcher(desktop.bus) as late, late.wait_item() as item:
        assert item.menu().has("Quit")


def test_without_a_session_bus_it_runs_headless_and_says_so(desktop: Desktop) -> None:
    desktop.env["DBUS_SESSION_BUS_ADDRESS"] = "unix:path=/nonexistent"
    app = desktop.spawn(*APP, "--demo", log="app")
    desktop.wait_log("app", "There is no tray icon. Ctrl-C quits.")
    assert "Running without a tray icon" in desktop.read_log("app")
    app.terminate()
    assert app.wait(10) == 0


def test_the_menu_and_its_submenu_work_in_a_real_panel() -> None:
    need("dbus-daemon", "Xvfb", "xfce4-panel", "xdotool", "import", "xsetroot")
    with Desktop("1024x640x24") as desktop:
        desktop.env["ADDR"] = "127.0.0.1:0"
        xfce4_panel(desktop)
        desktop.spawn(*APP, "--demo", log="app")
        desktop.wait_log("app", "listening on http://")
        x, y = wait_for(lambda: find_colour(desktop.take_screenshot(), GREEN), "the icon in the panel")
        desktop.wait_page()  # that of the first start
        desktop.click(x, y, button=1)
        desktop.wait_page(2)
        desktop.click(x, y, button=3)
        wait_for(lambda: desktop.take_screenshot().getpixel((x, 200)) != (52, 101, 164), "the open menu")
        # The status line cannot be chosen, so the two models come first.
        desktop.run("xdotool", "key", "Down", "Down", "Return")
        settings = Path(desktop.env["CLAUDE_NVIDIA_TRAY_HOME"], "settings.json")
        wait_for(lambda: json.loads(settings.read_text())["model"] == "minimaxai/minimax-m2.1", "the other model")
        wait_for(lambda: desktop.take_screenshot().getpixel((x, 200)) == (52, 101, 164), "the closed menu")
        desktop.click(x, y, button=3)
        wait_for(lambda: desktop.take_screenshot().getpixel((x, 200)) != (52, 101, 164), "the open menu")
        # The last item is Quit. The one above opens the submenu, whose third item is Start at Login.
        desktop.run("xdotool", "key", "Up", "Up", "Right", "Down", "Down", "Return")
        entry = Path(desktop.env["XDG_CONFIG_HOME"], "autostart", "claude-nvidia-tray.desktop")
        wait_for(entry.exists, "the entry for the next login")


def test_a_menu_that_shrank_looks_in_a_real_panel_as_if_it_had_never_been_longer() -> None:
    need("dbus-daemon", "Xvfb", "xfce4-panel", "xdotool", "import", "xsetroot")
    with Desktop("1024x640x24") as desktop:
        desktop.env["ADDR"] = f"127.0.0.1:{free_port()}"  # the menu shows this port
        settings = Path(desktop.env["CLAUDE_NVIDIA_TRAY_HOME"], "settings.json")
        xfce4_panel(desktop)

        def write_models(count: int) -> None:
            models = [{"id": f"lab/m{n}", "label": f"Model {n}"} for n in range(count)]
            settings.write_text(json.dumps({"version": 1, "models": models}))

        @contextmanager
        def run_app(*, models: int) -> Iterator[None]:
            write_models(models)
            app = desktop.spawn(*APP, "--demo", log="app")
            yield
            end(app)
            wait_for(lambda: find_colour(desktop.take_screenshot(), GREEN) is None, "the icon is gone")

        def look_at_menu() -> bytes:
            """Returns the pixels of the open menu, and closes it."""
            x, y = wait_for(lambda: find_colour(desktop.take_screenshot(), GREEN), "the icon in the panel")
            desktop.click(x, y, button=3)
            wait_for(lambda: desktop.take_screenshot().getpixel((x, 200)) != (52, 101, 164), "the open menu")
            picture = desktop.take_screenshot().crop((x - 340, 40, x, 600)).tobytes()
            desktop.run("xdotool", "key", "Escape")
            wait_for(lambda: desktop.take_screenshot().getpixel((x, 200)) == (52, 101, 164), "the closed menu")
            return picture

        with run_app(models=1):
            short = look_at_menu()
        with run_app(models=4):
            assert look_at_menu() != short
            write_models(1)
            wait_for(lambda: look_at_menu() == short, "the same menu")


def find_colour(image: Image.Image, colour: tuple[int, int, int]) -> tuple[int, int] | None:
    """Returns the middle of the pixels of this colour."""
    found = [
        (n % image.width, n // image.width) for n, pixel in enumerate(image.get_flattened_data()) if pixel == colour
    ]
    if len(found) < 50:
        return None
    return sum(x for x, _ in found) // len(found), sum(y for _, y in found) // len(found)
