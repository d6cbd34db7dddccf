"""The test kit's strict validators of both APIs, which know nothing of this project.

Each function raises AssertionError with the broken rules, and does nothing on a machine without the kit. The validators
need the official SDK and its schemas, so they run in a Python of their own, one process for a whole test session.
"""

from __future__ import annotations

import atexit
import functools
import json
import os
import subprocess
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

# read once, since tests may set another home folder later
KIT = Path(os.environ.get("GATEWAY_KIT") or Path(__file__).resolve().parents[3] / "shared" / "kit")
KIT_HOME = Path(os.environ.get("KIT_HOME") or Path("~/.cache/gateway-kit").expanduser())
_PYTHON = KIT_HOME / "venv-check" / "bin" / "python"

# The kit only notes these, as Anthropic's API does send them; a gateway that does so breaks the client's next turn.
_BAD_NOTES = {"block.text-blank", "block.text-empty", "think.signature-nonempty", "id.msg"}


def check_stream(raw: bytes, *, tools: Sequence[str] | None = None, thinking: bool | None = None) -> None:
    """The bytes of one streamed answer. `tools`: names that were offered; `thinking`: whether it was asked for."""
    _check("stream", raw.decode("latin-1"), {"tools": tools and list(tools), "thinking": thinking})


def check_body(body: object, *, tools: Sequence[str] | None = None, thinking: bool | None = None) -> None:
    """An answer that was not streamed: a message, or a count of tokens."""
    _check("body", body, {"tools": tools and list(tools), "thinking": thinking})


def check_error(body: object) -> None:
    """An error body."""
    _check("body", body, {"kind": "error"})


def check_chat_request(body: object, *, family: str | None = None) -> None:
    """What goes upstream; `family` (glm, minimax) adds what that model's chat template cannot take."""
    _check("chat request", body, {"family": family})


class _Worker:
    def __init__(self) -> None:
        command = [_PYTHON, Path(__file__).with_name("validator_worker.py"), KIT / "check"]
        environment = {**os.environ, "KIT_HOME": str(KIT_HOME)}
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment, text=True, encoding="ascii"
        )
        self._turn = threading.Lock()  # one question at a time, whichever thread asks
        atexit.register(self._end)

    def ask(self, question: dict[str, Any]) -> dict[str, list[tuple[str, str]]]:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        with self._turn:
            self._process.stdin.write(json.dumps(question) + "\n")
            self._process.stdin.flush()
            line = self._process.stdout.readline()
        assert line, "the validators' process has ended; standard error says why"
        report: dict[str, list[tuple[str, str]]] = json.loads(line)
        return report

    def _end(self) -> None:
        self._process.communicate()


@functools.cache
def _start_worker() -> _Worker | None:
    if not (KIT / "check").is_dir():
        return None
    if not _PYTHON.exists():
        if os.environ.get("CI"):
            pytest.fail(f"the kit's validators are not set up: run {KIT / 'check' / 'setup.sh'}")
        return None
    return _Worker()


def _check(what: str, value: object, options: dict[str, Any]) -> None:
    worker = _start_worker()
    if worker is None:
        return
    report = worker.ask({"check": what, "value": value, "options": options})
    broken = report["errors"] + [note for note in report["notes"] if note[0] in _BAD_NOTES]
    if broken:
        rules = "\n".join(f"  {rule}: {text}" for rule, text in broken)
        raise AssertionError(f"the {what} breaks rules:\n{rules}\n{value if isinstance(value, str) else ''}".rstrip())
