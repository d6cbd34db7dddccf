"""A context that is full in the middle of a task, which upstream says only inside a stream that began with a 200."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.sessions.test_compaction import HOOKS
from tests.support.fault_gate import Fault, FaultGate, RefuseInStream
from tests.support.kit import GLM, say, script
from tests.support.stage import set_stage

pytestmark = [pytest.mark.desktop, pytest.mark.kit]

PAGES = 2
READ_A_PAGE = {"command": "printf 'word %.0s' {1..500}", "description": "Read a page"}
TASK = script("Read all pages, then sign.", *(say(f"Page {n}.", "", ("Bash", READ_A_PAGE)) for n in range(PAGES)))

FULL = RefuseInStream(
    {
        "message": "You passed 140000 input tokens and requested 8192 output tokens. However, the model's context "
        "length is only 131072 tokens, resulting in a maximum input length of 122880 tokens. (parameter=input_tokens, "
        "value=140000)",
        "type": "BadRequestError",
        "param": "input_tokens",
        "code": 400,
    }
)


def test_claude_code_compacts_after_a_refusal_inside_a_stream_and_finishes(
    vllms: dict[str, str], tmp_path: Path
) -> None:
    faults: list[Fault] = [*[None] * PAGES, FULL]
    with (
        FaultGate(vllms[GLM], *faults) as gate,
        set_stage(tmp_path, upstreams={GLM: gate.url}) as stage,
    ):
        printed = stage.run(TASK, "--settings", json.dumps({"hooks": HOOKS}))
        assert "THE TASK IS FINISHED" in printed
        assert "Error" not in printed
        assert (stage.work / "signature").read_text() == "signed\n"

        assert gate.met == [*faults, *[None] * 3], "upstream was asked once for what it refused"
        answers = stage.answers()
        assert [passage.status for passage in answers] == [200] * PAGES + [400] + [200] * 3
        sentence = json.loads(answers[PAGES].answer)["error"]["message"]
        assert sentence == "prompt is too long: 140000 tokens > 131072 maximum"

        # what follows begins with the summary, in the place of the task
        last = stage.chat_requests()[-1]["messages"]
        assert "ALL PAGES ARE READ" in last[1]["content"]
        assert "Read all pages, then sign." not in json.dumps(last)
