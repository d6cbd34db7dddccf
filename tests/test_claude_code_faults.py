"""The real Claude Code, while upstream refuses, stalls, breaks off, or is as strict as NVIDIA's front end."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.client import fold, story
from tests.fault_gate import Cut, Fault, FaultGate, Hold, Refuse
from tests.kit import GLM, say, script, start_nim_gate
from tests.stage import Stage, set_stage

pytestmark = [pytest.mark.desktop, pytest.mark.kit]

TOO_MANY = Refuse(429, {"status": 429, "title": "Too Many Requests"})
DEGRADED = Refuse(
    400,
    {
        "type": "urn:inference-service:problem-details:bad-request",
        "title": "Bad Request",
        "status": 400,
        "detail": "Function id '6f3c9a51-0000-4000-8000-000000000001': DEGRADED function cannot be invoked",
    },
)
RETIRED = Refuse(
    410,
    {
        "title": "Gone",
        "status": 410,
        "detail": f"The model '{GLM}' has reached its end of life on 2026-05-14 and is no longer available.",
    },
)
NOT_SERVED = Refuse(
    404,
    {
        "status": 404,
        "title": "Not Found",
        "detail": "Function '6f3c9a51-0000-4000-8000-000000000001': Not found for account 'of-nobody'",
    },
)
KEY_REFUSED = Refuse(401, {"status": 401, "title": "Unauthorized", "detail": "Authentication failed"})

LONG_WAIT = Hold(12)
"""Longer than the gateway lets a client wait in silence."""
CUT_IN_TEXT = Cut(re.compile(rb'(?:"content": "[^"].*?){8}', re.DOTALL))
CUT_IN_SECOND_CALL = Cut(re.compile(rb'"index": 1, .*?"arguments": "[^"]', re.DOTALL))

STRICT = ("--reasoning-content", "--require-reasoning", "--unsolicited-usage", "--problem422")


def run(command: str) -> tuple[str, dict[str, Any]]:
    return "Bash", {"command": command, "description": "A step"}


def log_step(name: str) -> tuple[str, dict[str, Any]]:
    """A call that leaves a line each time it runs."""
    return run(f"echo {name} >> steps")


@contextmanager
def set_faulty_stage(
    tmp_path: Path, vllm: str, *faults: Fault, switches: tuple[str, ...] = STRICT
) -> Iterator[tuple[Stage, FaultGate]]:
    """The app before these faults, before NVIDIA's strictness, before vLLM."""
    with (
        start_nim_gate(vllm, *switches) as strict,
        FaultGate(strict, *faults) as gate,
        set_stage(tmp_path, upstreams={GLM: gate.url}) as stage,
    ):
        yield stage, gate


def test_claude_code_works_through_a_task_in_spite_of_faults(vllms: dict[str, str], tmp_path: Path) -> None:
    faults = [LONG_WAIT, DEGRADED, None, CUT_IN_TEXT, None, TOO_MANY, TOO_MANY]
    with set_faulty_stage(tmp_path, vllms[GLM], *faults) as (stage, gate):
        task = script(
            "Please do the task.",
            say("First a file.", "", ("Write", {"file_path": str(stage.work / "steps"), "content": "written\n"})),
            say("Now a step.", "I take the first step.", log_step("first")),
            say("And one more.", "I take the second step, and tell at length how I do it.", log_step("second")),
            say("All is done.", "THE TASK IS FINISHED"),
        )
        printed = stage.run(task)
        assert "THE TASK IS FINISHED" in printed
        assert "Error" not in printed
        assert (stage.work / "steps").read_text() == "written\nfirst\nsecond\n"  # each ran, and once

        assert gate.met == [*faults, None]
        answers = stage.answers()
        assert [passage.status for passage in answers] == [200] * 5  # four, and the one that was cut
        assert story(answers[0].answer)[0] == "ping"
        cut = fold(answers[2].answer)
        assert cut.error is not None
        assert cut.error["type"] == "overloaded_error"
        assert cut.texts("text")
