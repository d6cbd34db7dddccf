"""A sub-agent of Claude Code: its own conversation through the gateway, beside the one that sent it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.support.kit import say, script, with_both_models
from tests.support.stage import Stage, set_stage

pytestmark = [pytest.mark.desktop, pytest.mark.kit]

ORDERS = "You are the scout of this ship."


def send_scout(stage: Stage, **how: Any) -> str:
    """Has the model send a sub-agent, whose system prompt carries the script of its own answers."""
    scout = script(
        ORDERS,
        say("I look around.", "", ("Bash", {"command": "echo gulls ahead", "description": "Look"})),
        say("Gulls mean land.", "THE SCOUT SEES LAND"),
    )
    agents = {"scout": {"description": "Looks around", "prompt": scout}}
    order = {"description": "Look around", "prompt": "Look around and report.", "subagent_type": "scout", **how}
    task = script("Is there land?", say("I send the scout.", "", ("Agent", order)), say("So it is.", "LAND AHOY"))
    return stage.run(task, "--agents", json.dumps(agents), allowed=["Agent"])


@with_both_models
def test_the_answer_of_a_sub_agent_comes_back_as_a_result(model: str, vllms: dict[str, str], tmp_path: Path) -> None:
    with set_stage(tmp_path, upstreams=vllms, model=model) as stage:
        assert "LAND AHOY" in send_scout(stage, run_in_background=False)
        check_scout_worked(stage)
        [report] = stage.results()
        assert "THE SCOUT SEES LAND" in report


@with_both_models
def test_a_sub_agent_in_the_background_reports_when_it_is_done(
    model: str, vllms: dict[str, str], tmp_path: Path
) -> None:
    with set_stage(tmp_path, upstreams=vllms, model=model) as stage:
        assert "LAND AHOY" in send_scout(stage)
        check_scout_worked(stage)
        [launched] = stage.results()
        assert "THE SCOUT SEES LAND" not in launched
        told = [message["content"] for message in stage.chat_requests()[-1]["messages"] if message["role"] == "user"]
        assert "THE SCOUT SEES LAND" in told[-1]


def check_scout_worked(stage: Stage) -> None:
    """Its own two requests: the look around, and the report on what it saw."""
    asked, seen = (request["messages"] for request in stage.chat_requests() if is_scouts(request))
    assert [message["role"] for message in asked] == ["system", "user"]
    [look] = [message["content"] for message in seen if message["role"] == "tool"]
    assert look.startswith("gulls ahead")
    assert not is_scouts(stage.chat_requests()[-1])  # the main conversation has the last word


def is_scouts(request: dict[str, Any]) -> bool:
    return ORDERS in request["messages"][0]["content"]
