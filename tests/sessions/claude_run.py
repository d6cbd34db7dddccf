"""One run of the real Claude Code at a gateway whose upstream is scripted."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.support import kit
from tests.support.chunks import finish, text, usage, whole_call
from tests.support.client import fold
from tests.support.fake_upstream import Reply, stream
from tests.support.gateway import RunningGateway
from tests.support.recorder import Passage, Recorder
from tests.support.stage import check_answer
from tray_app.catalog import GLM_4_7
from tray_app.claude_code.exports import render_exports


@dataclass(frozen=True)
class ClaudeRun:
    """What the user saw, and what the client got for its messages."""

    status: int
    printed: str
    complaints: str
    """What it wrote to standard error."""
    answers: tuple[Passage, ...]
    work: Path
    """The folder that it worked in."""

    @property
    def statuses(self) -> list[int]:
        """The HTTP status of each answer."""
        return [answer.status for answer in self.answers]

    @property
    def calls(self) -> list[tuple[str, Any]]:
        """The name and the input of each call in a streamed answer, as the client read them."""
        streamed = [answer for answer in self.answers if answer.content_type == "text/event-stream"]
        blocks = [block for answer in streamed for block in fold(answer.answer).content]
        return [(block["name"], block["input"]) for block in blocks if block["type"] == "tool_use"]


def run_claude(
    gateway: RunningGateway,
    folder: Path,
    prompt: str,
    *arguments: str,
    environment: str = "",
    common: Sequence[str] = kit.COMMON_TOOLS,
    watch: Callable[[bytes], None] = lambda _: None,
) -> ClaudeRun:
    """Runs `claude -p` with the exports of the app, and holds each answer that it got to the protocol.

    `environment`: further lines for its shell; `common`: the tools that may run without asking; `watch` is told each
    part of an answer.
    """
    with Recorder(lambda _: gateway.address.url, watch) as front:
        exports = render_exports("bash", front.url, GLM_4_7, needs_server_key=False)
        session = kit.Session(folder / "home", folder / "work")
        done = session.run(f"{exports}\n{environment}", prompt, *arguments, common=common)
        answers = tuple(passage for passage in front.passages if passage.path == "/v1/messages")
    for answer in answers:
        check_answer(answer)
    return ClaudeRun(done.returncode, done.stdout.strip(), done.stderr, answers, session.work)


def calls(name: str, call_id: Any = "call_0", **arguments: Any) -> Reply:
    """A model that calls one tool."""
    return stream(whole_call(name, arguments, call_id), finish("tool_calls"), usage(10, 3))


def runs(command: str) -> Reply:
    """A model that runs a command."""
    return calls("Bash", command=command, description="A step")


def says(words: str) -> Reply:
    """A model that says something, and is done."""
    return stream(text(words), finish(), usage(10, 3))
