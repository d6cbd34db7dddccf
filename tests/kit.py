"""The test kit beside the checkout: the real Claude Code and the real vLLM. Where it is absent, its tests skip."""

from __future__ import annotations

import os
import signal
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.ports import free_port

FOLDER = Path(os.environ.get("GATEWAY_KIT", Path(__file__).resolve().parents[2] / "shared" / "kit"))
HOME = Path(os.environ.get("KIT_HOME", Path.home() / ".cache" / "gateway-kit"))
CLAUDE = HOME / "claude-code" / "node_modules" / ".bin" / "claude"

_VLLM_START_S = 240
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


@contextmanager
def start_vllm(family: str, log: Path) -> Iterator[str]:
    """A real vLLM with the parsers of `glm` or `minimax`; yields its base URL."""
    need_kit(HOME / "venv-vllm" / "bin" / "vllm")
    port = free_port()
    with log.open("wb") as out:
        process = subprocess.Popen(
            [FOLDER / "upstream" / f"start_vllm_{family}.sh", str(port)],
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=out,
            start_new_session=True,  # vLLM has child processes; they end together
        )
    try:
        url = f"http://127.0.0.1:{port}"
        _wait_until_it_answers(f"{url}/health", process, log)
        yield url
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def _wait_until_it_answers(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline_s = time.monotonic() + _VLLM_START_S
    while time.monotonic() < deadline_s and process.poll() is None:
        try:
            urllib.request.urlopen(url, timeout=2).close()
            return
        except (urllib.error.URLError, OSError):
            time.sleep(0.3)  # between two looks; the deadline decides
    pytest.fail(f"vLLM did not start:\n{log.read_text(errors='replace')[-2000:]}")


@dataclass(frozen=True)
class Session:
    """A throwaway home and working folder for Claude Code; runs in one of them share their conversation."""

    home: Path
    work: Path

    def run(self, exports: str, prompt: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        """`claude -p` in a bash that evaluates `exports` first, as a user would, bare of all else."""
        need_kit(CLAUDE)
        for folder in (self.home, self.work):
            folder.mkdir(parents=True, exist_ok=True)
        environment = {
            "HOME": str(self.home),
            "PATH": "/usr/local/bin:/usr/bin:/bin",
            "TERM": "dumb",
            "LANG": "C.UTF-8",
            "SHELL": "/bin/bash",
            "DISABLE_AUTOUPDATER": "1",
        }
        script = f'{exports}\nexec "$0" -p "$@"'
        tools = ["--allowedTools", "Bash", "Read", "Write", "Edit", "Glob"]
        return subprocess.run(
            ["/bin/bash", "-c", script, str(CLAUDE), prompt, *arguments, *tools],
            cwd=self.work,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=_CLAUDE_S,
        )
