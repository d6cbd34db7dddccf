"""The interactive Claude Code in a real terminal, set up as its user does it, and what the user then sees."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import StartGateway
from tests.sessions.claude_run import runs, says
from tests.support import kit
from tests.support.chunks import completion
from tests.support.fake_upstream import FakeUpstream, Reply, whole
from tests.support.terminal_screen import Screen
from tray_app.catalog import GLM_4_7, MINIMAX_M2_1
from tray_app.claude_code.exports import render_exports

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
