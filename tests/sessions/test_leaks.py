"""Calls in a markup that upstream's own parser does not know: text to the gateway, and executed all the same."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.kit import GLM, MINIMAX, say, script
from tests.support.stage import set_stage

pytestmark = [pytest.mark.desktop, pytest.mark.kit]

# `timeout` is a number: Claude Code refuses the string that stands in the markup
COMMAND = "echo it ran > proof"
GLM_CALL = (
    f"<tool_call>Bash<arg_key>command</arg_key><arg_value>{COMMAND}</arg_value>"
    "<arg_key>timeout</arg_key><arg_value>5000</arg_value></tool_call>"
)
MINIMAX_CALL = (
    f'<minimax:tool_call>\n<invoke name="Bash">\n<parameter name="command">{COMMAND}</parameter>\n'
    '<parameter name="timeout">5000</parameter>\n</invoke>\n</minimax:tool_call>'
)
HERMES_CALL = f'<tool_call>\n{{"name": "Bash", "arguments": {{"command": "{COMMAND}", "timeout": 5000}}}}\n</tool_call>'

IN_TEXT = "I think.</think>I call.\n"
IN_THINKING = "I think.\n"

LEAKS = [
    pytest.param(GLM, IN_TEXT + MINIMAX_CALL, id="glm says it as minimax does"),
    pytest.param(GLM, IN_THINKING + MINIMAX_CALL, id="glm thinks it as minimax does"),
    pytest.param(MINIMAX, IN_TEXT + GLM_CALL, id="minimax says it as glm does"),
    pytest.param(MINIMAX, IN_TEXT + HERMES_CALL, id="minimax says it as hermes does"),
    pytest.param(MINIMAX, IN_THINKING + GLM_CALL, id="minimax thinks it as glm does"),
]


@pytest.mark.parametrize(("model", "raw"), LEAKS)
def test_a_leaked_call_is_executed(model: str, raw: str, vllms: dict[str, str], tmp_path: Path) -> None:
    with set_stage(tmp_path, upstreams=vllms, model=model) as stage:
        printed = stage.run(script("Prove it.", {"raw": raw}, say("It ran.", "THE PROOF IS WRITTEN")))
        assert "</" not in printed
        assert "THE PROOF IS WRITTEN" in printed
        assert (stage.work / "proof").read_text() == "it ran\n"

        # vLLM took it for text, and the history tells it as the call that it is
        deltas = [choice["delta"] for chunk in stage.back.passages[0].chunks for choice in chunk["choices"]]
        assert not any(delta.get("tool_calls") for delta in deltas)
        _, _, call, result = stage.chat_requests()[-1]["messages"]
        assert [part["function"]["name"] for part in call["tool_calls"]] == ["Bash"]
        assert "tool_call>" not in call["content"] + call["reasoning_content"]
        assert result["role"] == "tool"


@pytest.mark.parametrize(("model", "call"), [(GLM, MINIMAX_CALL), (MINIMAX, GLM_CALL)], ids=["glm", "minimax"])
def test_a_quoted_call_is_shown_and_not_executed(model: str, call: str, vllms: dict[str, str], tmp_path: Path) -> None:
    example = f"A call looks like this:\n```\n{call}\n```\nThat is all."
    with set_stage(tmp_path, upstreams=vllms, model=model) as stage:
        assert example in stage.run(script("How do you call?", say("I show it.", example), say("", "IT RAN")))
        assert not (stage.work / "proof").exists()
