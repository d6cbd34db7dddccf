"""Tools that are not Claude Code's own: loaded when wanted, and under names that are too long for OpenAI's API."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.support.client import fold
from tests.support.kit import say, script, with_both_models
from tests.support.stage import Stage, set_stage
from tray_app.translate.request.tools import upstream_name

pytestmark = [pytest.mark.desktop, pytest.mark.kit]

SERVER = "mcp__harbour"
TIDES = f"{SERVER}__tides"
LONG = f"{SERVER}__the_weather_of_a_place_with_all_that_a_sailor_may_want_to_know"
ASKED = {"place": "Kiel", "days": 3}


def offer(*tools: str) -> tuple[str, str]:
    """Claude Code's arguments for a server that offers these tools."""
    names = [tool.removeprefix(f"{SERVER}__") for tool in tools]
    server = {"command": sys.executable, "args": [str(Path(__file__).with_name("mcp_server.py")), *names]}
    return "--mcp-config", json.dumps({"mcpServers": {"harbour": server}})


def names_offered(request: dict[str, Any]) -> set[str]:
    return {tool["function"]["name"] for tool in request["tools"]}


@with_both_models
def test_a_tool_is_loaded_by_tool_search_and_called(model: str, vllms: dict[str, str], tmp_path: Path) -> None:
    """Tool search is on with the exports as they are: MCP tools are named to the model, and offered once loaded."""
    with set_stage(tmp_path, upstreams=vllms, model=model) as stage:
        task = script(
            "When is high water?",
            say("I load it.", "", ("ToolSearch", {"query": f"select:{TIDES}", "max_results": 5})),
            say("I ask it.", "", (TIDES, ASKED)),
            say("So that is it.", "HIGH WATER IS AT NOON"),
        )
        assert "HIGH WATER IS AT NOON" in stage.run(task, *offer(TIDES, LONG), allowed=["ToolSearch", SERVER])

        before, *after = stage.chat_requests()
        assert names_offered(before) == names_offered(after[-1]) - {TIDES}
        assert TIDES in names_offered(after[0])
        assert "DeferredToolPlaceholder" not in names_offered(before)
        assert stage.results() == [
            f"Tool {TIDES} is now loaded.",
            f"tides was asked {json.dumps(ASKED, sort_keys=True)}",
        ]


@with_both_models
def test_a_tool_with_a_name_over_64_characters_is_called(model: str, vllms: dict[str, str], tmp_path: Path) -> None:
    """OpenAI's API takes 64 characters at most: it goes out under an alias, and comes back under its name."""
    assert len(LONG) > 64
    alias = upstream_name(LONG)
    with set_stage(tmp_path, upstreams=vllms, model=model) as stage:
        task = script("How is the weather?", say("I ask.", "", (alias, ASKED)), say("So it is.", "THE WIND IS FAIR"))
        printed = stage.run(task, *offer(LONG), exports="export ENABLE_TOOL_SEARCH=false", allowed=[SERVER])
        assert "THE WIND IS FAIR" in printed

        assert called_by_client(stage) == [LONG]
        for request in stage.chat_requests():
            assert alias in names_offered(request)
            assert all(re.fullmatch("[a-zA-Z0-9_-]{1,64}", name) for name in names_offered(request))
        _, _, call, _ = stage.chat_requests()[-1]["messages"]
        assert [part["function"]["name"] for part in call["tool_calls"]] == [alias]
        [result] = stage.results()
        assert result == f"{LONG.removeprefix(f'{SERVER}__')} was asked {json.dumps(ASKED, sort_keys=True)}"


def called_by_client(stage: Stage) -> list[str]:
    """The names under which Claude Code was told to call tools."""
    answers = [fold(passage.answer) for passage in stage.answers()]
    return [block["name"] for answer in answers for block in answer.content if block["type"] == "tool_use"]
