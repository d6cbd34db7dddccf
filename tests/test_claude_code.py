"""The real Claude Code at work through the running app, its answers from the demo and from a real vLLM.

Everything that passes on both sides of the gateway is recorded, and held to the protocols afterwards.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests import kit
from tests.desktop_harness import Desktop, TrayItem, Watcher
from tests.parts import need
from tests.recorder import Passage, Recorder
from tests.validators import check_body, check_chat_request, check_error, check_stream

pytestmark = [pytest.mark.desktop, pytest.mark.kit]

GLM, MINIMAX = "z-ai/glm4.7", "minimaxai/minimax-m2.1"
FAMILIES = {GLM: "glm", MINIMAX: "minimax"}
APP = (sys.executable, "-m", "tray_app")

Turn = dict[str, Any]


@pytest.fixture(scope="module")
def vllms(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """Model -> base URL of a real vLLM that serves it."""
    kit.need_kit(kit.CLAUDE, kit.HOME / "venv-vllm" / "bin" / "vllm")
    need("dbus-daemon")
    logs = tmp_path_factory.mktemp("vllm")
    with ExitStack() as stack:
        yield {
            model: stack.enter_context(kit.start_vllm(family, logs / f"{family}.log"))
            for model, family in FAMILIES.items()
        }


class Setup:
    """A running app between two recorders: Claude Code talks to `front`, the gateway to `back`."""

    def __init__(self, desktop: Desktop, item: TrayItem, front: Recorder, back: Recorder, session: kit.Session) -> None:
        self.desktop = desktop
        self.item = item
        self.front = front
        self.back = back
        self.session = session

    def exports(self) -> str:
        """What --print-exports says, with the front recorder in the gateway's place."""
        printed = self.desktop.run(*APP, "--print-exports", "bash")
        return printed.replace(find_url(printed), self.front.url)

    def check_protocols(self) -> None:
        """Every stream and body that the client got, and every request that upstream got."""
        for passage in self.front.passages:
            if passage.path == "/v1/messages":
                check_answer(passage)
        for passage in self.back.passages:
            check_chat_request(passage.request, family=FAMILIES[passage.request["model"]])


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
    return exports.split("ANTHROPIC_BASE_URL=")[1].split()[0]


@contextmanager
def run_app(tmp_path: Path, *arguments: str, upstreams: dict[str, str]) -> Iterator[Setup]:
    with ExitStack() as stack:
        back = stack.enter_context(Recorder(lambda body: upstreams[body["model"]]))
        desktop = stack.enter_context(Desktop())
        desktop.env |= {
            "ADDR": "127.0.0.1:0",
            "PROVIDER_API_KEY": "nvapi-for-this-test-only",
            "UPSTREAM_URL": f"{back.url}/v1/chat/completions",
        }
        watcher = stack.enter_context(Watcher(desktop.bus))
        desktop.spawn(*APP, *arguments, log="app")
        item = stack.enter_context(watcher.wait_item())
        desktop.wait_log("app", "listening on http://")
        gateway = find_url(desktop.run(*APP, "--print-exports", "bash"))
        front = stack.enter_context(Recorder(lambda _: gateway))
        yield Setup(desktop, item, front, back, kit.Session(tmp_path / "home", tmp_path / "work"))


def say(think: str, text: str = "", *tools: tuple[str, dict[str, Any]]) -> Turn:
    """One scripted answer of the model behind vLLM."""
    return {"think": think, "text": text, "tools": [{"name": name, "args": arguments} for name, arguments in tools]}


def script(task: str, *turns: Turn) -> str:
    """A prompt whose marker makes vLLM give these answers, one after another."""
    return f"{task} @@{json.dumps(turns, separators=(',', ':'))}@@"


def work_through(work: Path) -> tuple[Turn, ...]:
    """Write, read, edit and run a file, a command that fails, two calls at once."""
    path = str(work / "hello.py")
    return (
        say("First I write it.", "Writing.", ("Write", {"file_path": path, "content": "print('hello')\n"})),
        say("Now I read it.", "", ("Read", {"file_path": path})),
        say("Change it.", "", ("Edit", {"file_path": path, "old_string": "hello", "new_string": "goodbye"})),
        say("Run it.", "Running.", ("Bash", {"command": f"python3 {path}", "description": "Run it"})),
        say("This fails.", "", ("Bash", {"command": "ls /no-such-folder", "description": "Fail"})),
        say(
            "Two at once.",
            "Both.",
            ("Bash", {"command": "echo first of two", "description": "One"}),
            ("Bash", {"command": "echo second of two", "description": "Two"}),
        ),
        say("All is done.", "THE TASK IS FINISHED"),
    )


def explain(done: subprocess.CompletedProcess[str], desktop: Desktop) -> str:
    log = Path(desktop.env["CLAUDE_NVIDIA_TRAY_HOME"], "logs", "claude-nvidia-tray.log").read_text()
    return f"{done.stdout}\n{done.stderr}\n{log}"


def test_the_demo_answers_claude_code_with_the_copied_exports_alone(tmp_path: Path) -> None:
    kit.need_kit(kit.CLAUDE)
    need("dbus-daemon")
    with run_app(tmp_path, "--demo", upstreams={}) as setup:
        done = setup.session.run(setup.exports(), "say hello")
        assert done.returncode == 0, explain(done, setup.desktop)
        assert "[demo]" in done.stdout
        assert "The tool answered" in done.stdout
        assert not setup.back.passages  # the demo goes nowhere
        setup.check_protocols()


@pytest.mark.parametrize("label", ["GLM 4.7", "MiniMax M2.1"])
def test_claude_code_works_through_a_task(label: str, vllms: dict[str, str], tmp_path: Path) -> None:
    with run_app(tmp_path, upstreams=vllms) as setup:
        if not setup.item.menu().find(label).is_checked:
            setup.item.click(label)
            setup.item.wait_menu(lambda menu: menu.find(label).is_checked, "the model is chosen")
        task = script("Please do the task.", *work_through(setup.session.work))
        done = setup.session.run(setup.exports(), task)
        assert done.returncode == 0, explain(done, setup.desktop)
        assert "THE TASK IS FINISHED" in done.stdout, explain(done, setup.desktop)
        assert (setup.session.work / "hello.py").read_text() == "print('goodbye')\n"
        setup.check_protocols()

        models = {passage.request["model"] for passage in setup.back.passages}
        assert len(models) == 1
        messages = setup.back.passages[-1].request["messages"]
        results = [message["content"] for message in messages if message["role"] == "tool"]
        assert results[3:] == ["goodbye", results[4], "first of two", "second of two"]
        assert "No such file" in results[4]
        # the thinking of earlier turns went back as the model gave it
        thoughts = [
            message.get("reasoning_content", "").strip() for message in messages if message["role"] == "assistant"
        ]
        assert thoughts == [turn["think"] for turn in work_through(setup.session.work)[:-1]]
        # upstream got our key, never the client's
        assert {passage.headers["Authorization"] for passage in setup.back.passages} == {
            "Bearer nvapi-for-this-test-only"
        }


def test_a_click_in_the_menu_moves_a_running_conversation_to_the_other_model(
    vllms: dict[str, str], tmp_path: Path
) -> None:
    with run_app(tmp_path, upstreams=vllms) as setup:
        first = setup.session.run(setup.exports(), script("Remember this.", say("Hm.", "I AM THE FIRST ANSWER")))
        assert "I AM THE FIRST ANSWER" in first.stdout, explain(first, setup.desktop)
        exports = setup.exports()
        setup.item.click("MiniMax M2.1")
        setup.item.wait_menu(lambda menu: menu.find("MiniMax M2.1").is_checked, "the other model is chosen")
        second = setup.session.run(exports, script("Go on.", say("Hm.", "I AM THE SECOND ANSWER")), "--continue")
        assert "I AM THE SECOND ANSWER" in second.stdout, explain(second, setup.desktop)

        asked = [passage.request["model"] for passage in setup.front.passages if passage.path == "/v1/messages"]
        assert set(asked) == {GLM}, "Claude Code itself was not told of the switch"
        assert setup.back.passages[0].request["model"] == GLM
        last = setup.back.passages[-1].request
        assert last["model"] == MINIMAX
        assert any("I AM THE FIRST ANSWER" in str(message["content"]) for message in last["messages"])
        setup.check_protocols()


def test_claude_code_shows_the_sentence_of_a_missing_key(tmp_path: Path) -> None:
    kit.need_kit(kit.CLAUDE)
    need("dbus-daemon")
    with run_app(tmp_path, upstreams={}) as setup:
        del setup.desktop.env["PROVIDER_API_KEY"]
        setup.desktop.env["CLAUDE_NVIDIA_TRAY_HOME"] += "-2"
        setup.desktop.spawn(*APP, "--no-tray", log="keyless")
        setup.desktop.wait_log("keyless", "listening on http://")
        done = setup.session.run(setup.desktop.run(*APP, "--print-exports", "bash"), "hello")
    assert done.returncode != 0
    assert "has no NVIDIA API key yet" in done.stdout
    assert "set-key" in done.stdout
