"""The test kit beside the checkout: the real Claude Code and the real vLLM. Where it is absent, its tests skip."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.support.ports import free_port

FOLDER = Path(os.environ.get("GATEWAY_KIT", Path(__file__).resolve().parents[3] / "shared" / "kit"))
HOME = Path(os.environ.get("KIT_HOME", Path.home() / ".cache" / "gateway-kit"))
CLAUDE = Path(os.environ.get("CLAUDE_CODE", HOME / "claude-code" / "node_modules" / ".bin" / "claude"))
"""The real Claude Code. The variable names another version of it."""

GLM, MINIMAX = "z-ai/glm4.7", "minimaxai/minimax-m2.1"
FAMILIES = {GLM: "glm", MINIMAX: "minimax"}
"""The models that vLLM serves, and what the kit calls them."""

with_both_models = pytest.mark.parametrize("model", list(FAMILIES), ids=list(FAMILIES.values()))

VLLM_WINDOW_TOKENS = 40_960
"""Smaller than the models' own, so that a story overflows it in seconds. Claude Code's first request takes 17,000."""

COMMON_TOOLS = ("Bash", "Read", "Write", "Edit", "Glob")
"""Tools that run without asking in most stories."""

Turn = dict[str, Any]

_VLLM_START_S = 240
_GATE_START_S = 20
_CLAUDE_S = 170


def need_kit(*parts: Path) -> None:
    """Skips the test where there is no kit. Where there is one, CI wants it set up; elsewhere the test skips."""
    if not FOLDER.is_dir():
        pytest.skip("the test kit is not beside this checkout")
    missing = [str(part) for part in parts if not part.exists()]
    if missing:
        reason = f"the test kit is not set up (its README says how); missing: {', '.join(missing)}"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)


class _Vllm:
    """A starting or running vLLM with the parsers of one family."""

    def __init__(self, family: str, log: Path) -> None:
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        self._log = log
        with log.open("wb") as out:
            self._process = subprocess.Popen(
                [FOLDER / "upstream" / f"start_vllm_{family}.sh", str(port), "--enable-prompt-tokens-details"],
                env=os.environ | {"MAXLEN": str(VLLM_WINDOW_TOKENS)},
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                start_new_session=True,  # vLLM has child processes; they end together
            )

    def wait_until_it_answers(self) -> None:
        deadline_s = time.monotonic() + _VLLM_START_S
        while time.monotonic() < deadline_s and self._process.poll() is None:
            try:
                urllib.request.urlopen(f"{self.url}/health", timeout=2).close()
            except (urllib.error.URLError, OSError):
                time.sleep(0.3)  # between two looks; the deadline decides
            else:
                return
        pytest.fail(f"vLLM did not start:\n{self._log.read_text(errors='replace')[-2000:]}")

    def end(self) -> None:
        os.killpg(self._process.pid, signal.SIGTERM)
        try:
            self._process.wait(20)
        except subprocess.TimeoutExpired:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()


@contextmanager
def start_vllms(logs: Path) -> Iterator[dict[str, str]]:
    """A real vLLM for each model, all starting at once; yields model -> base URL."""
    need_kit(CLAUDE, HOME / "venv-vllm" / "bin" / "vllm")
    with ExitStack() as stack:
        servers: dict[str, _Vllm] = {}
        for model, family in FAMILIES.items():
            servers[model] = _Vllm(family, logs / f"{family}.log")
            stack.callback(servers[model].end)
        for server in servers.values():
            server.wait_until_it_answers()
        yield {model: server.url for model, server in servers.items()}


@contextmanager
def start_nim_gate(upstream: str, *switches: str, minute_s: float = 60) -> Iterator[str]:
    """NVIDIA's reported strictness in front of a base URL; yields its own. `minute_s`: how long its minutes last."""
    port = free_port()
    clock = f"import runpy, time; now = time.time; time.time = lambda: now() * {60 / minute_s}"
    run = "import sys; del sys.argv[0]; sys.dont_write_bytecode = True; runpy.run_path(sys.argv[0])"
    gate = str(FOLDER / "upstream" / "nim_gate.py")
    process = subprocess.Popen([sys.executable, "-c", f"{clock}; {run}", gate, str(port), upstream, *switches])
    try:
        deadline_s = time.monotonic() + _GATE_START_S
        while not _is_listening(port):
            assert process.poll() is None, "the gate has ended"
            assert time.monotonic() < deadline_s, "the gate does not listen"
            time.sleep(0.05)  # between two looks; the deadline decides
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait()


def _is_listening(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def say(think: str, text: str = "", *tools: tuple[str, dict[str, Any]]) -> Turn:
    """One scripted answer of the model behind vLLM."""
    return {"think": think, "text": text, "tools": [{"name": name, "args": arguments} for name, arguments in tools]}


def script(task: str, *turns: Turn) -> str:
    """A prompt whose marker makes vLLM give these answers, one after another. The last marker of a prompt decides."""
    return f"{task} @@{json.dumps(turns, separators=(',', ':'))}@@"


def read_prompt(url: str, request: dict[str, Any]) -> str:
    """The text that a model reads for a chat request: what the vendor's chat template, in vLLM, makes of it."""
    asked = {name: value for name, value in request.items() if not name.startswith("stream")}
    answer = _post(f"{url}/v1/chat/completions", asked | {"max_tokens": 1, "return_token_ids": True})
    return str(_post(f"{url}/detokenize", {"model": asked["model"], "tokens": answer["prompt_token_ids"]})["prompt"])


def _post(url: str, body: dict[str, Any]) -> dict[str, Any]:
    request = urllib.request.Request(url, json.dumps(body).encode(), {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=60) as response:
        answer: dict[str, Any] = json.load(response)
    return answer


@dataclass(frozen=True)
class Session:
    """A throwaway home and working folder for Claude Code; runs in one of them share their conversation."""

    home: Path
    work: Path

    def __post_init__(self) -> None:
        for folder in (self.home, self.work):
            folder.mkdir()

    def run(
        self,
        exports: str,
        prompt: str,
        *arguments: str,
        allowed: Sequence[str] = (),
        common: Sequence[str] = COMMON_TOOLS,
    ) -> subprocess.CompletedProcess[str]:
        """`claude -p` in a bash that evaluates `exports` first, as a user would, bare of all else.

        `allowed`: tools that may run without asking, beside the `common` ones.
        """
        need_kit(CLAUDE)
        environment = {
            "HOME": str(self.home),
            "PATH": "/usr/local/bin:/usr/bin:/bin",
            "TERM": "dumb",
            "LANG": "C.UTF-8",
            "SHELL": "/bin/bash",
            "DISABLE_AUTOUPDATER": "1",
        }
        script = f'{exports}\nexec "$0" -p "$@"'
        tools = ["--allowedTools", *common, *allowed] if common or allowed else []
        return subprocess.run(
            ["/bin/bash", "-c", script, str(CLAUDE), prompt, *arguments, *tools],
            cwd=self.work,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=_CLAUDE_S,
        )
