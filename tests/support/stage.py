"""Where the stories of Claude Code play: the running app, with a recorder on either side of it.

Everything that passes on both sides of the gateway is kept, and held to the protocols at the end.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from tests.support import kit
from tests.support.app_folder import AppFolder
from tests.support.desktop_harness import Desktop, TrayItem, Watcher
from tests.support.parts import need
from tests.support.recorder import Passage, Recorder
from tests.support.tray_app import APP, TrayApp
from tests.support.validators import check_body, check_chat_request, check_error, check_stream

NVIDIA_KEY = "nvapi-for-this-test-only"


class Stage:
    """A running app between two recorders: Claude Code talks to `front`, the gateway to `back`."""

    def __init__(self, desktop: Desktop, item: TrayItem, front: Recorder, back: Recorder, session: kit.Session) -> None:
        self.app = TrayApp(desktop, item)
        self.front = front
        self.back = back
        self.session = session

    @property
    def work(self) -> Path:
        """The folder that Claude Code works in."""
        return self.session.work

    def exports(self) -> str:
        """What --print-exports says, with the front recorder in the gateway's place."""
        printed = self.app.desktop.run(*APP, "--print-exports", "bash")
        return printed.replace(find_url(printed), self.front.url)

    def run(self, prompt: str, *arguments: str, exports: str = "", allowed: Sequence[str] = ()) -> str:
        """What Claude Code prints for a prompt; it must succeed. `exports` come after the app's own."""
        done = self.session.run(f"{self.exports()}\n{exports}", prompt, *arguments, allowed=allowed)
        assert done.returncode == 0, self.explain(done)
        return done.stdout

    def explain(self, done: subprocess.CompletedProcess[str]) -> str:
        return f"{done.stdout}\n{done.stderr}\n{self.app.folder.log}"

    def answers(self) -> list[Passage]:
        """What the client got for its messages, in order."""
        return [passage for passage in self.front.passages if passage.path == "/v1/messages"]

    def chat_requests(self) -> list[dict[str, Any]]:
        """What upstream got, in order."""
        return [passage.request for passage in self.back.passages]

    def results(self) -> list[str]:
        """What the tools answered, as the model reads it in the last request."""
        messages = self.chat_requests()[-1]["messages"]
        return [message["content"] for message in messages if message["role"] == "tool"]

    def check_protocols(self) -> None:
        """Every stream and body that the client got, and every request that upstream got."""
        for passage in self.answers():
            check_answer(passage)
        for passage in self.back.passages:
            check_chat_request(passage.request, family=kit.FAMILIES[passage.request["model"]])


def check_answer(passage: Passage) -> None:
    tools = [tool["name"] for tool in passage.request.get("tools") or ()]
    thinking = (passage.request.get("thinking") or {}).get("type") in ("enabled", "adaptive")
    if passage.content_type == "text/event-stream":
        check_stream(passage.answer, tools=tools, thinking=thinking)
    elif passage.status == 200:
        check_body(json.loads(passage.answer), tools=tools, thinking=thinking)
    else:
        check_error(json.loads(passage.answer))


def find_url(exports: str) -> str:
    return exports.split("ANTHROPIC_BASE_URL=")[1].split(maxsplit=1)[0]


@contextmanager
def set_stage(tmp_path: Path, *arguments: str, upstreams: Mapping[str, str], model: str = kit.GLM) -> Iterator[Stage]:
    """The app started with these arguments and `model` chosen, its upstream one of `upstreams` (model -> base URL).

    What was recorded is held to the protocols when the story is through.
    """
    kit.need_kit(kit.CLAUDE)
    need("dbus-daemon")
    with ExitStack() as stack:
        back = stack.enter_context(Recorder(lambda body: upstreams[body["model"]]))
        desktop = stack.enter_context(Desktop())
        desktop.env |= {
            "ADDR": "127.0.0.1:0",
            "PROVIDER_API_KEY": NVIDIA_KEY,
            "UPSTREAM_URL": f"{back.url}/v1/chat/completions",
        }
        # A model that refuses is not followed: the stories tell of the model that is chosen.
        AppFolder(Path(desktop.env["CLAUDE_NVIDIA_TRAY_HOME"])).edit_settings(follow_successors=False)
        watcher = stack.enter_context(Watcher(desktop.bus))
        desktop.spawn(*APP, *arguments, log="app")
        item = stack.enter_context(watcher.wait_item())
        desktop.wait_log("app", "listening on http://")
        gateway = find_url(desktop.run(*APP, "--print-exports", "bash"))
        front = stack.enter_context(Recorder(lambda _: gateway))
        stage = Stage(desktop, item, front, back, kit.Session(tmp_path / "home", tmp_path / "work"))
        stage.app.choose(model)
        yield stage
        stage.check_protocols()
