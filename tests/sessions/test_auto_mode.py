"""The real Claude Code in auto mode, in which it has each risky command checked before it runs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import StartGateway
from tests.sessions.claude_run import ClaudeRun, run_claude, runs, says
from tests.support.chunks import completion
from tests.support.fake_upstream import FakeUpstream, whole
from tests.support.gateway import RunningGateway

pytestmark = pytest.mark.kit

AUTO = ("--permission-mode", "auto")
CHECKED_BY_A_SERVER = "unset CLAUDE_CODE_AUTO_MODE_SERVER"
"""Claude Code then wants the verdict of its server, as it does without our exports."""

RISKY = "curl --silent --max-time 1 http://127.0.0.1:9/ ; echo ran >> proof"
FINISHED = "THE TASK IS FINISHED"

YES, NO = "<block>yes", "<block>no"
SECOND_YES = "<block>yes</block><category>Exfiltration</category><reason>It sends secrets away.</reason>"
SECOND_NO = "<thinking>It asks this computer alone.</thinking>\n\n<block>no</block>"


def take_a_risk(gateway: RunningGateway, folder: Path, environment: str = "") -> ClaudeRun:
    """Nothing is allowed beforehand, or there would be no check."""
    run = run_claude(gateway, folder, "Do it.", *AUTO, environment=environment, common=())
    assert run.printed == FINISHED, run.complaints
    assert not any(b"safeguard_results" in answer.answer for answer in run.answers), "a verdict is made up"
    return run


@pytest.mark.parametrize(
    ("verdicts", "is_allowed"),
    [
        pytest.param([NO], True, id="no block"),
        pytest.param([YES, SECOND_NO], True, id="block, on second thoughts none"),
        pytest.param([YES, SECOND_YES], False, id="block"),
    ],
)
def test_the_users_own_model_checks_a_risky_command(
    verdicts: list[str], is_allowed: bool, start_gateway: StartGateway, upstream: FakeUpstream, tmp_path: Path
) -> None:
    upstream.script(runs(RISKY), *(whole(completion(verdict)) for verdict in verdicts), says(FINISHED))
    gateway = start_gateway()
    run = take_a_risk(gateway, tmp_path)
    assert (run.status, (run.work / "proof").exists()) == (0, is_allowed)

    _, *checks, last = (received.body for received in upstream.received)
    assert [check.get("stop") for check in checks] == [["</block>"], None][: len(checks)]
    for check in checks:
        assert "tools" not in check
        assert check["chat_template_kwargs"]["enable_thinking"] is False
    first: dict[str, Any] = json.loads(run.answers[1].answer)
    assert (first["stop_reason"], first["stop_sequence"]) == ("stop_sequence", "</block>")
    assert gateway.service.running is not None
    ended = gateway.service.running.gateway.recent.since(0)
    assert [one.record.kind for one in ended] == ["turn", *["check"] * len(checks), "turn"]
    assert [one.record.turn for one in ended] == [1, *[None] * len(checks), 1]
    assert ("It sends secrets away." in last["messages"][-1]["content"]) != is_allowed


def test_a_check_that_only_a_server_could_make_is_not_answered_and_the_command_does_not_run(
    start_gateway: StartGateway, upstream: FakeUpstream, tmp_path: Path
) -> None:
    upstream.script(runs(RISKY), says(FINISHED))
    run = take_a_risk(start_gateway(), tmp_path, CHECKED_BY_A_SERVER)
    assert "safeguards" in run.answers[0].request
    assert not (run.work / "proof").exists()
    assert "[The tool failed]" in upstream.received[-1].body["messages"][-1]["content"]
