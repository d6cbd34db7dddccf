"""The real Claude Code, while upstream refuses, stalls, breaks off, or is as strict as NVIDIA's front end."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.support.client import fold, story
from tests.support.fault_gate import Cut, Fault, FaultGate, Hold, Refuse
from tests.support.kit import GLM, say, script, start_nim_gate, with_both_models
from tests.support.stage import Stage, set_stage

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


def log_step(name: str) -> tuple[str, dict[str, Any]]:
    """A call that leaves a line each time it runs."""
    return "Bash", {"command": f"echo {name} >> steps", "description": "A step"}


@contextmanager
def set_faulty_stage(tmp_path: Path, vllm: str, *faults: Fault) -> Iterator[tuple[Stage, FaultGate]]:
    """The app before these faults, before NVIDIA's strictness, before vLLM."""
    with (
        start_nim_gate(vllm, *STRICT) as strict,
        FaultGate(strict, *faults) as gate,
        set_stage(tmp_path, upstreams={GLM: gate.url}) as stage,
    ):
        yield stage, gate


def test_claude_code_works_through_a_task_in_spite_of_faults(vllms: dict[str, str], tmp_path: Path) -> None:
    faults: list[Fault] = [LONG_WAIT, DEGRADED, None, CUT_IN_TEXT, None, TOO_MANY, TOO_MANY]
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
        assert cut.texts("text")
        assert cut.error is not None
        assert cut.error["type"] == "overloaded_error"
        assert len(answers[3].request["messages"]) == len(answers[2].request["messages"]), "it was asked again, whole"


@pytest.mark.parametrize(
    ("refusal", "sentence"),
    [
        pytest.param(RETIRED, "NVIDIA retired GLM 4.7 on 2026-05-14. Choose another model", id="retired"),
        pytest.param(NOT_SERVED, "NVIDIA does not serve GLM 4.7 to your API key. Choose another", id="not served"),
        pytest.param(KEY_REFUSED, "NVIDIA refused your API key. Check the key on build.nvidia.com", id="key refused"),
    ],
)
def test_claude_code_shows_at_once_what_only_the_user_can_mend(refusal: Refuse, sentence: str, tmp_path: Path) -> None:
    refused_for_good = [refusal] * 20
    with (
        FaultGate("http://127.0.0.1:9", *refused_for_good) as gate,
        set_stage(tmp_path, upstreams={GLM: gate.url}) as stage,
    ):
        done = stage.session.run(stage.exports(), "Say hello.")
        assert done.returncode != 0
        assert sentence in done.stdout, stage.explain(done)
        assert "of-nobody" not in done.stdout, "upstream's internals"
        assert len(stage.answers()) == 1
        assert gate.met == [refusal]


def test_a_finished_call_of_a_broken_answer_runs_once(vllms: dict[str, str], tmp_path: Path) -> None:
    """Claude Code does not ask for that answer again: it runs what is whole, and the model reads the result."""
    both = say("Both.", "", log_step("first"), log_step("second"))
    with set_faulty_stage(tmp_path, vllms[GLM], CUT_IN_SECOND_CALL) as (stage, gate):
        assert "THE TASK IS FINISHED" in stage.run(script("Two steps.", both, say("", "THE TASK IS FINISHED")))
        assert (stage.work / "steps").read_text() == "first\n"
        assert gate.met == [CUT_IN_SECOND_CALL, None]
        *_, call, result = stage.chat_requests()[-1]["messages"]
        assert len(call["tool_calls"]) == 1
        assert result["tool_call_id"] == call["tool_calls"][0]["id"]


def test_what_the_model_refuses_is_left_out_from_then_on(vllms: dict[str, str], tmp_path: Path) -> None:
    """In the words of two releases of NVIDIA's front end."""
    unsupported = "Validation: Unsupported parameter(s): `chat_template_kwargs`"
    refuse_switch = Refuse(400, {"error": {"message": unsupported, "type": "Bad Request", "code": 400}})
    detail = "body -> stream_options\n  Extra inputs are not permitted (type=extra_forbidden)"
    refuse_usage = Refuse(422, {"title": "Unprocessable Entity", "status": 422, "detail": detail})
    with set_faulty_stage(tmp_path, vllms[GLM], refuse_switch, refuse_usage) as (stage, gate):
        task = script("One step.", say("A step.", "", log_step("first")), say("", "THE TASK IS FINISHED"))
        assert "THE TASK IS FINISHED" in stage.run(task)
        assert gate.met == [refuse_switch, refuse_usage, None, None]
        assert [passage.status for passage in stage.answers()] == [200, 200]
        asked, again, *later = stage.chat_requests()
        assert asked.keys() - again.keys() == {"chat_template_kwargs"}
        for request in later:
            assert asked.keys() - request.keys() == {"chat_template_kwargs", "stream_options"}


@with_both_models
def test_claude_code_works_with_an_upstream_as_strict_and_odd_as_nvidias(
    model: str, vllms: dict[str, str], tmp_path: Path
) -> None:
    """Deltas that hold all at once, names that come again, usage that nobody asked for, and no field too many."""
    switches = (*STRICT, "--name-every-chunk", "--merge", "3")
    with (
        start_nim_gate(vllms[model], *switches) as gate,
        set_stage(tmp_path, upstreams={model: gate}, model=model) as stage,
    ):
        two_steps = say("Two at once.", "Both.", log_step("first"), log_step("second"))
        printed = stage.run(
            script("Three steps.", two_steps, say("One more.", "", log_step("third")), say("Done.", "FINISHED"))
        )
        assert printed.strip() == "FINISHED"
        assert sorted((stage.work / "steps").read_text().split()) == ["first", "second", "third"]
        assert [passage.status for passage in stage.back.passages] == [200] * 3
        deltas = [choice["delta"] for chunk in stage.back.passages[0].chunks for choice in chunk["choices"]]
        assert any("reasoning_content" in delta for delta in deltas)
        calls = [part["function"] for delta in deltas for part in delta.get("tool_calls") or ()]
        assert len([call for call in calls if call.get("name")]) > 2, "the gate repeats the names"


def test_refusals_for_too_many_requests_slow_the_gateway_down_and_not_claude_code(
    vllms: dict[str, str], tmp_path: Path
) -> None:
    """An upstream that takes three requests in each of its minutes, which last eight seconds here."""
    with (
        start_nim_gate(vllms[GLM], "--rpm", "3", minute_s=8) as gate,
        set_stage(tmp_path, upstreams={GLM: gate}) as stage,
    ):
        steps = [say("A step.", "", log_step(name)) for name in ("first", "second", "third", "fourth")]
        assert "THE TASK IS FINISHED" in stage.run(script("Steps.", *steps, say("", "THE TASK IS FINISHED")))
        assert (stage.work / "steps").read_text().split() == ["first", "second", "third", "fourth"]
        assert [passage.status for passage in stage.answers()] == [200] * 5
        statuses = [passage.status for passage in stage.back.passages]
        assert 429 in statuses
        assert statuses.count(200) == 5
        assert f"{GLM} takes 20 requests a minute for the time being" in stage.app.folder.log
