"""The Windows program as a user has it: double click, icon, menu, clipboard, terminal; under Wine."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable, Iterator

import pytest

from tests.bundle.windows_build import BUNDLE, CONSOLE, LARGE_PROMPT, WINDOWED, Windows, answers, open_windows
from tests.support.fake_upstream import FakeUpstream, hello
from tests.support.gateway import NVIDIA_KEY, Client, question
from tests.support.ports import free_port
from tests.support.waiting import wait_for
from tray_app import APP_ID, APP_NAME, __version__
from tray_app.catalog import GLM_4_7, MINIMAX_M2_1

START_S, QUIT_S = 60, 30
QUIT, LOG_BODIES, COPY_EXPORTS, MINIMAX = -1, -3, -5, -9  # lines of the menu, counted from its end
MENU_CLASS = "claude nvidia tray.exe"


@pytest.fixture(scope="module")
def windows() -> Iterator[Windows]:
    with open_windows("desktop") as windows:
        yield windows


class RunningProgram:
    """The windowed program, started by a double click, with its icon in the tray."""

    def __init__(self, windows: Windows, upstream: FakeUpstream, **environment: str) -> None:
        self.windows = windows
        self.port = free_port()
        self.client = Client(f"http://127.0.0.1:{self.port}")
        self.process = windows.start_app(BUNDLE / WINDOWED, self.port, upstream, **environment)

    def wait_ready(self) -> None:
        wait_for(lambda: answers(self.port), "an answer over HTTP", START_S)
        self.windows.desktop.wait_icon()

    def choose(self, line: int) -> None:
        """Clicks a line of the icon's menu."""
        self.windows.desktop.open_menu(program=MENU_CLASS).click(line)
        self.windows.desktop.wait_menu_closed(MENU_CLASS)

    def end(self) -> None:
        if self.process.poll() is None:
            self.windows.prefix.run("taskkill", "/F", "/IM", WINDOWED)
            self.process.wait(QUIT_S)


StartProgram = Callable[..., RunningProgram]


@pytest.fixture
def start_program(windows: Windows, upstream: FakeUpstream) -> Iterator[StartProgram]:
    upstream.default = lambda body: hello(is_stream=bool(body.get("stream")))
    started: list[RunningProgram] = []

    def start(**environment: str) -> RunningProgram:
        started.append(RunningProgram(windows, upstream, **environment))
        started[-1].wait_ready()
        return started[-1]

    yield start
    for program in started:
        program.end()


@pytest.fixture
def program(start_program: StartProgram) -> RunningProgram:
    return start_program(PROVIDER_API_KEY=NVIDIA_KEY)


def test_a_double_click_brings_the_icon_without_a_console_and_quit_ends_it(
    windows: Windows, program: RunningProgram
) -> None:
    assert windows.list_processes() == [WINDOWED]
    assert windows.desktop.find_window("--class", "conhost.exe") is None
    windows.save_screenshot("1-icon")
    menu = windows.desktop.open_menu(program=MENU_CLASS)
    windows.save_screenshot("2-menu")
    menu.click(QUIT)
    assert program.process.wait(QUIT_S) == 0
    wait_for(lambda: not windows.desktop.has_icon(), "the end of the icon")
    assert not answers(program.port)
    assert windows.list_processes() == []


def test_the_model_chosen_in_the_menu_answers_the_next_request_and_stays_chosen(
    windows: Windows, program: RunningProgram, upstream: FakeUpstream
) -> None:
    assert program.client.ask().status == 200
    assert upstream.received[-1].body["model"] == GLM_4_7.id
    program.choose(MINIMAX)
    wait_for(lambda: MINIMAX_M2_1.id in windows.read_settings(), "the settings file")
    assert program.client.ask().status == 200
    assert upstream.received[-1].body["model"] == MINIMAX_M2_1.id
    menu = windows.desktop.open_menu(program=MENU_CLASS)
    windows.save_screenshot("3-minimax")
    assert (menu.is_marked(MINIMAX), menu.is_marked(MINIMAX - 1)) == (True, False)
    assert json.loads(windows.read_settings())["model"] == MINIMAX_M2_1.id


def test_a_worker_process_for_a_large_request_shows_no_console_and_ends_with_the_program(
    windows: Windows, program: RunningProgram, upstream: FakeUpstream
) -> None:
    assert program.client.ask(question(LARGE_PROMPT)).status == 200
    assert upstream.received[-1].body["messages"][-1]["content"] == LARGE_PROMPT
    assert windows.list_processes() == [WINDOWED, CONSOLE]
    assert windows.desktop.find_window("--class", "conhost.exe") is None
    program.choose(QUIT)
    assert program.process.wait(QUIT_S) == 0
    assert windows.list_processes() == []


def test_a_worker_process_ends_after_a_program_that_was_ended_by_force(
    windows: Windows, program: RunningProgram
) -> None:
    assert program.client.ask(question(LARGE_PROMPT)).status == 200
    assert windows.list_processes() == [WINDOWED, CONSOLE]
    program.end()
    wait_for(lambda: windows.list_processes() == [], "the end of the worker process")


def test_bodies_are_logged_from_the_click_on_and_not_before(windows: Windows, program: RunningProgram) -> None:
    assert program.client.ask(question("a secret of before")).status == 200
    program.choose(LOG_BODIES)
    wait_for(lambda: '"log_bodies": true' in windows.read_settings(), "the settings file")
    assert program.client.ask(question("a word of after")).status == 200
    wait_for(lambda: "a word of after" in windows.read_log(), "the body in the log")
    assert "a secret of before" not in windows.read_log()
    program.choose(LOG_BODIES)
    wait_for(lambda: '"log_bodies": true' not in windows.read_settings(), "the settings file")


def test_copied_exports_are_for_powershell_and_name_the_port(windows: Windows, program: RunningProgram) -> None:
    program.choose(COPY_EXPORTS)
    copied = wait_for(windows.desktop.read_clipboard, "the exports in the clipboard")
    assert f'$env:ANTHROPIC_BASE_URL = "http://127.0.0.1:{program.port}"'.replace('"', "'") in copied.replace('"', "'")


def test_a_second_double_click_opens_the_page_of_the_first_and_ends(
    windows: Windows, program: RunningProgram, upstream: FakeUpstream
) -> None:
    second = windows.start_app(BUNDLE / WINDOWED, free_port(), upstream)
    assert second.wait(QUIT_S) == 0
    address = f"http://127.0.0.1:{program.port}/#token="
    wait_for(lambda: any(page.startswith(address) for page in windows.desktop.shown_pages), "the page in the browser")
    assert windows.list_processes() == [WINDOWED]
    assert answers(program.port)


def test_a_second_double_click_says_where_the_first_is_if_there_is_no_page(
    windows: Windows, program: RunningProgram, upstream: FakeUpstream
) -> None:
    windows.change_settings(serve_page="never")
    try:
        wait_for(lambda: not program.client.request("GET", "/health").body["has_page"], "the page is off")
        second = windows.start_app(BUNDLE / WINDOWED, free_port(), upstream)
        box = wait_for(lambda: windows.desktop.find_window("--name", f"^{APP_NAME}$"), "the message", START_S)
        windows.save_screenshot("4-second")
        windows.desktop.click(box.left + box.width // 2, box.top + box.height * 3 // 4)  # OK
        assert second.wait(QUIT_S) == 0
    finally:
        windows.change_settings(serve_page="local")
    assert windows.list_processes() == [WINDOWED]


def test_a_second_start_in_a_terminal_says_where_the_first_is(windows: Windows, program: RunningProgram) -> None:
    told = windows.prefix.check(BUNDLE / CONSOLE)
    assert f"already running. It listens on http://127.0.0.1:{program.port}." in told


def test_the_console_program_tells_its_version_and_prints_exports(windows: Windows) -> None:
    assert windows.prefix.check(BUNDLE / CONSOLE, "--version") == f"{APP_ID} {__version__}\n"
    exports = windows.prefix.check(BUNDLE / CONSOLE, "--print-exports", "powershell", ADDR="127.0.0.1:4567")
    assert "$env:ANTHROPIC_BASE_URL" in exports
    assert "http://127.0.0.1:4567" in exports


def test_a_key_that_was_typed_is_in_windows_own_store_and_goes_to_the_upstream(
    windows: Windows, start_program: StartProgram, upstream: FakeUpstream
) -> None:
    key = "nvapi-typed-in-a-terminal"
    told = windows.prefix.check(BUNDLE / CONSOLE, "set-key", text=f"{key}\n", UPSTREAM_URL=os.environ["UPSTREAM_URL"])
    assert "is kept in" in told
    assert key in windows.read_credentials()
    assert key not in windows.read_settings()
    assert start_program().client.ask().status == 200
    assert upstream.received[-1].headers["Authorization"] == f"Bearer {key}"
    windows.prefix.check(BUNDLE / CONSOLE, "set-key", "--remove")
    assert key not in windows.read_credentials()


def test_wine_has_no_python_of_its_own(windows: Windows) -> None:
    with pytest.raises(subprocess.CalledProcessError):
        windows.desktop.run_python("pass")
