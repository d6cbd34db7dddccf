"""The interactive Claude Code in a real terminal, set up as its user does it, and what the user then sees."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import StartGateway
from tests.sessions.claude_run import runs, says
from tests.support import kit
from tests.support.chunks import completion
from tests.support.fake_upstream import FakeUpstream, Reply, refusal, whole
from tests.support.running_app import App
from tests.support.terminal_screen import Screen
from tests.support.waiting import wait_for
from tray_app.catalog import AS_IN_TRAY_LABEL, GLM_4_7, MINIMAX_M2_1
from tray_app.claude_code.exports import render_exports
from tray_app.commands.status_line import NOT_RUNNING
from tray_app.shells import find_program

pytestmark = pytest.mark.kit

RISKY = "curl --silent --max-time 1 http://127.0.0.1:9/ ; echo ran >> proof"
FINISHED = "THE TASK IS FINISHED"
MODAL = "Auto mode can't check"
"""How Claude Code begins its full-screen message if nobody judges its commands."""


class Home:
    """The home of a user who has seen Claude Code's welcome, and trusts the folder `work`."""

    def __init__(self, folder: Path) -> None:
        kit.need_kit(kit.CLAUDE)
        self.folder, self.work, self.socket = folder / "home", folder / "work", folder / "tmux"
        for made in (self.folder / ".claude", self.work):
            made.mkdir(parents=True)
        seen = {"hasCompletedOnboarding": True, "projects": {str(self.work): {"hasTrustDialogAccepted": True}}}
        (self.folder / ".claude.json").write_text(json.dumps(seen))
        self.environment = {
            "HOME": str(self.folder),
            "PATH": f"{kit.CLAUDE.parent}:/usr/local/bin:/usr/bin:/bin",
            "TERM": "xterm-256color",
            "LANG": "C.UTF-8",
            "SHELL": "/bin/bash",
            "PS1": "ready$ ",
            "DISABLE_AUTOUPDATER": "1",
        }

    def launch(self, screen: Screen, *words: str) -> None:
        """Starts Claude Code by our own command, and waits for its prompt."""
        screen.type(shlex.join([*find_program(), "claude", *words]))
        screen.press("Enter")
        screen.wait("Claude Code v", AS_IN_TRAY_LABEL, "GLM 4.7")

    def open_shell(self) -> Screen:
        """A terminal with a bash that reads no start-up files."""
        screen = Screen(self.work, ["bash", "--norc", "-i"], self.environment, self.socket)
        screen.wait("ready$")
        return screen


def works(body: dict[str, Any], verdict: str = "<block>no") -> Reply:
    """A model that runs a risky command, then says that it is done. It also judges the command."""
    if body.get("stop") == ["</block>"]:
        return whole(completion(verdict))
    if body["messages"][-1]["role"] == "tool" or not body.get("tools"):
        return says(FINISHED) if body.get("stream") else whole(completion(FINISHED))
    return runs(RISKY)


def test_pasted_exports_work_at_the_first_try_and_a_click_reaches_the_running_session(
    start_gateway: StartGateway, upstream: FakeUpstream, tmp_path: Path
) -> None:
    upstream.default = works
    gateway = start_gateway()
    home = Home(tmp_path)
    with home.open_shell() as screen:
        screen.paste(render_exports("bash", gateway.address.url, GLM_4_7, needs_server_key=False))
        screen.press("Enter")
        screen.type("claude")
        screen.press("Enter")
        screen.wait("Claude Code v", GLM_4_7.id)
        screen.show("Claude Code has started")
        screen.type("Do it.")
        screen.press("Enter")
        done = screen.wait(FINISHED)
        screen.show("a risky command has run")
        assert MODAL not in done
        assert (home.work / "proof").read_text() == "ran\n"
        gateway.configure(model=MINIMAX_M2_1.id)
        upstream.default = lambda body: says("HELLO FROM THE OTHER MODEL")
        screen.type("Again.")
        screen.press("Enter")
        screen.wait("HELLO FROM THE OTHER MODEL")
    assert upstream.received[0].body["model"] == GLM_4_7.id
    assert upstream.received[-1].body["model"] == MINIMAX_M2_1.id


@pytest.fixture
def app(tmp_path: Path, upstream: FakeUpstream) -> Iterator[App]:
    """The app in front of the fake upstream, with a key and with NVIDIA's usual limit."""
    upstream.default = works
    environment = {"ADDR": "127.0.0.1:0", "UPSTREAM_URL": upstream.url, "PROVIDER_API_KEY": "nvapi-of-the-test"}
    app = App(tmp_path / "tray", ("--no-tray",), environment, [])
    app.wait_listening()
    yield app
    app.close()


@pytest.fixture
def home(tmp_path: Path, app: App) -> Home:
    home = Home(tmp_path)
    home.environment["CLAUDE_NVIDIA_TRAY_HOME"] = str(app.folder.path)
    return home


def ask(screen: Screen, upstream: FakeUpstream, words: str, answer: str) -> str:
    """Types a prompt, and returns the model that was asked once its answer is on the screen."""
    upstream.default = lambda body: says(answer)
    screen.type(words)
    screen.press("Enter")
    screen.wait(answer)
    model: str = upstream.received[-1].body["model"]
    return model


def test_in_a_session_of_the_launcher_the_header_the_menu_and_the_status_line_are_true(
    app: App, home: Home, upstream: FakeUpstream
) -> None:
    with home.open_shell() as screen:
        home.launch(screen)
        screen.show("Claude Code has started")
        screen.type("Do it.")
        screen.press("Enter")
        assert MODAL not in screen.wait(FINISHED)
        assert (home.work / "proof").read_text() == "ran\n", "the check by the model let it run"

        app.folder.edit_settings(model=MINIMAX_M2_1.id)  # as a click in the tray does
        screen.wait("MiniMax M2.1")
        assert ask(screen, upstream, "Hello.", "FROM THE TRAY'S MODEL") == MINIMAX_M2_1.id
        screen.show("after a click in the tray")

        screen.type("/model")
        screen.press("Enter")
        menu = screen.wait(AS_IN_TRAY_LABEL, "GLM 4.7", "MiniMax M2.1", "131,072 tokens")
        screen.show("/model")
        assert "Opus" not in menu
        screen.press("Down", "Enter")
        if "Switch model?" in screen.wait_one_of("Switch model?", "Set model to"):  # if the conversation is cached
            screen.press("Enter")
        screen.wait("Set model to GLM 4.7", "\n  GLM 4.7")
        assert ask(screen, upstream, "And now?", "FROM THE NAMED MODEL") == GLM_4_7.id
        screen.show("after a choice in /model")
        assert app.folder.settings["model"] == MINIMAX_M2_1.id, "the tray's choice is another matter"

        app.close()
        screen.wait(NOT_RUNNING)
        screen.show("the tray is gone")

        own_settings = home.folder / ".claude" / "settings.json"
        assert own_settings.exists(), "Claude Code saves what was picked"
        screen.type("/exit")
        screen.press("Enter")
        wait_for(lambda: not own_settings.exists(), "nothing is left of it")


def test_the_status_line_says_why_a_request_takes_long(app: App, home: Home, upstream: FakeUpstream) -> None:
    busy = refusal(503, "upstream connect error")
    upstream.script(busy, busy, busy, busy)
    with home.open_shell() as screen:
        home.launch(screen)
        screen.type("Hello.")
        screen.press("Enter")
        screen.wait("NVIDIA is overloaded, try ")
        screen.show("while a request is tried again")
        screen.wait(FINISHED)


def test_in_manual_mode_the_user_is_asked_and_no_model_is(app: App, home: Home, upstream: FakeUpstream) -> None:
    with home.open_shell() as screen:
        home.launch(screen, "--manual")
        screen.type("Do it.")
        screen.press("Enter")
        screen.wait("Do you want to proceed?")
        screen.show("a risky command in manual mode")
        assert not (home.work / "proof").exists()
        assert not [asked for asked in upstream.received if asked.body.get("stop") == ["</block>"]]
        screen.type("1")  # Yes
        screen.wait(FINISHED)
        assert (home.work / "proof").read_text() == "ran\n"
