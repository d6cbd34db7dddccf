"""Anthropic's Agent SDK, which starts Claude Code and gives it tools of its own process, on the running app."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from tests.sdk.sdks import NodeSdk, Sdk
from tests.sdk.test_sdks import pieces
from tests.support import kit
from tests.support.chunks import finish, text, usage, whole_call
from tests.support.fake_upstream import FakeUpstream, Reply, stream
from tray_app.catalog import GLM_4_7
from tray_app.claude_code.exports import NO_KEY_TOKEN, list_variables

pytestmark = pytest.mark.kit

TIDES = "mcp__harbour__tides"


def answer(body: dict[str, Any]) -> Reply:
    """A model that calls the tool and tells what it said. Claude Code also has a title made, without any tool."""
    if not body.get("tools"):
        return stream(text("High water"), finish(), usage(10, 3))
    *_, last = body["messages"]
    if last["role"] == "tool":
        return stream(text(f"I am told: {last['content']}"), finish(), usage(10, 3))
    return stream(whole_call(f"functions.{TIDES}", {"place": "Kiel", "days": None}), finish("tool_calls"), usage(10, 3))


@pytest.mark.parametrize("sdk", [NodeSdk("@anthropic-ai/claude-agent-sdk", "agent.mjs")], indirect=True, ids=["agent"])
def test_a_tool_of_the_agent_sdk_is_called_and_its_result_told(
    sdk: Sdk, url: str, upstream: FakeUpstream, tmp_path: Path
) -> None:
    kit.need_kit(kit.CLAUDE)
    upstream.default = answer
    environment = {
        **list_variables(url, GLM_4_7, GLM_4_7.id),
        "ANTHROPIC_AUTH_TOKEN": NO_KEY_TOKEN,
        "DISABLE_AUTOUPDATER": "1",
        "HOME": str(tmp_path),
        "PATH": os.environ["PATH"],
    }
    options = {"claude": str(kit.CLAUDE), "folder": str(tmp_path), "environment": environment}
    lines = list(sdk.play("ask", "", prompt="When is high water at Kiel?", **options))

    assert pieces(lines, "ran") == [{"place": "Kiel"}]
    blocks = [block for content in pieces(lines, "said") for block in content]
    (called,) = (block for block in blocks if block["type"] == "tool_use")
    assert (called["name"], called["input"]) == (TIDES, {"place": "Kiel"})
    assert pieces(lines, "result") == [["success", "I am told: High water at Kiel is at noon."]]
