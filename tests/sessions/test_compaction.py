"""A conversation that outgrows the model's window: Claude Code is told so in words that make it compact and go on."""

from __future__ import annotations

import json
import shlex
from pathlib import Path
from typing import Any

import pytest

from tests.support.kit import VLLM_WINDOW_TOKENS, say, script, with_both_models
from tests.support.stage import set_stage

pytestmark = [pytest.mark.desktop, pytest.mark.kit]

PAGES = 3
READ_A_PAGE = {"command": "printf '漢%.0s' {1..2700}", "description": "Read a page"}
"""8,000 tokens in vLLM's small vocabulary; a tenth by Claude Code's estimate, so it does not compact by itself."""

TASK = script("Read all pages, then sign.", *(say(f"Page {n}.", "", ("Bash", READ_A_PAGE)) for n in range(PAGES)))
SUMMARY = script(
    "Be brief.", say("I sum up.", "<analysis>Three pages.</analysis><summary>ALL PAGES ARE READ</summary>")
)
SIGN = script(
    "Go on.",
    say("Now I sign.", "", ("Bash", {"command": "echo signed > signature", "description": "Sign"})),
    say("That was all.", "THE TASK IS FINISHED"),
)


def show(text: str) -> dict[str, Any]:
    """A hook that shows the model a text."""
    return {"hooks": [{"type": "command", "command": f"printf %s {shlex.quote(text)}"}]}


HOOKS = {"PreCompact": [show(SUMMARY)], "SessionStart": [{"matcher": "compact", **show(SIGN)}]}
"""Where the scripts of the summary, and of what follows it, come into the conversation."""


@with_both_models
def test_claude_code_compacts_after_an_overflow_and_finishes(model: str, vllms: dict[str, str], tmp_path: Path) -> None:
    with set_stage(tmp_path, upstreams=vllms, model=model) as stage:
        printed = stage.run(TASK, "--settings", json.dumps({"hooks": HOOKS}))
        assert "THE TASK IS FINISHED" in printed
        assert (stage.work / "signature").read_text() == "signed\n"

        # vLLM's own refusal, once, and what became of it
        statuses = [passage.status for passage in stage.back.passages]
        assert statuses == [200] * PAGES + [400] + [200] * 3
        refusal = stage.answers()[PAGES]
        assert refusal.status == 400
        sentence = json.loads(refusal.answer)["error"]["message"]
        assert sentence.startswith("prompt is too long: ")
        assert sentence.endswith(f" tokens > {VLLM_WINDOW_TOKENS} maximum")

        # what follows begins with the summary, in the place of the task
        last = stage.chat_requests()[-1]["messages"]
        assert "ALL PAGES ARE READ" in last[1]["content"]
        assert "Read all pages, then sign." not in json.dumps(last)
