"""Background requests are recognised. The requests are those of Claude Code 2.1.332, reduced to the relevant fields."""

from __future__ import annotations

from typing import Any

import pytest
from multidict import CIMultiDict

from tests.translate.rows import read
from tray_app.translate.request.background import is_background
from tray_app.translate.request.kinds import find_kind

TOOLS = [{"name": "Bash", "description": "Runs a command", "input_schema": {"type": "object"}}]
TURN: dict[str, Any] = {
    "model": "z-ai/glm4.7",
    "stream": True,
    "max_tokens": 32000,
    "thinking": {"type": "adaptive"},
    "output_config": {"effort": "high"},
    "tools": TOOLS,
    "messages": [{"role": "user", "content": "Fix the tests"}],
}
SIDE: dict[str, Any] = {
    "model": "z-ai/glm4.7",
    "stream": True,
    "tools": [],
    "messages": [{"role": "user", "content": "<session>Fix the tests</session>"}],
}
CLASSIFIER: dict[str, Any] = {
    "model": "z-ai/glm4.7",
    "max_tokens": 2112,
    "stop_sequences": ["</block>"],
    "messages": [{"role": "user", "content": "Is this command safe?"}],
}
PROBE: dict[str, Any] = {
    "model": "minimaxai/minimax-m2.1",
    "max_tokens": 1,
    "messages": [{"role": "user", "content": "Hi"}],
}
SESSION = {"X-Claude-Code-Session-Id": "fd36f9bb"}
SUB_AGENT = {**SESSION, "X-Claude-Code-Agent-Id": "ac47dee45ce13be0b"}


def answer_with(*names: str) -> dict[str, Any]:
    schema = {"type": "object", "properties": {name: {"type": "string"} for name in names}, "required": list(names)}
    return {"output_config": {"effort": "high", "format": {"type": "json_schema", "schema": schema}}}


CASES = {
    "a turn": (TURN, SESSION, False),
    "a turn of another client": (TURN, {}, False),
    "a sub-agent, its model the same": (TURN, SUB_AGENT, True),
    "a turn whose tier is not mapped": ({**TURN, "model": "claude-opus-5-5"}, SESSION, False),
    "the small tier": ({**TURN, "model": "claude-haiku-5-5"}, SESSION, True),
    "the small tier in other letters": ({**TURN, "model": "Claude-Haiku"}, {}, True),
    "the title of a session": ({**SIDE, **answer_with("title")}, SESSION, True),
    "the name of a session": ({**SIDE, **answer_with("name")}, SESSION, True),
    "a turn whose answer must fit a schema": ({**TURN, **answer_with("title")}, SESSION, False),
    "an answer by schema for another client": ({**SIDE, **answer_with("title", "summary")}, {}, False),
    "a plain question without tools": (SIDE, {}, False),
    "a schema without properties": (
        {**SIDE, "output_config": {"format": {"type": "json_schema", "schema": {"type": "string"}}}},
        {},
        False,
    ),
    "an output_config without a format": ({**SIDE, "output_config": None}, {}, False),
    "auto mode's classifier": (CLASSIFIER, SESSION, False),
    "auto mode's classifier, asked of the small tier": ({**CLASSIFIER, "model": "claude-haiku-5-5"}, SESSION, False),
    "auto mode's classifier for a sub-agent": (CLASSIFIER, SUB_AGENT, False),
    "the classifier's stop sequence beside tools": ({**CLASSIFIER, "tools": TOOLS}, SUB_AGENT, True),
    "the same stop sequence in a stream": ({**CLASSIFIER, "stream": True}, SESSION, False),
    "another stop sequence": ({**CLASSIFIER, "stop_sequences": ["STOP"]}, SESSION, False),
    "no stop sequences": ({**CLASSIFIER, "stop_sequences": None}, SESSION, False),
    "the probe of /model": (PROBE, SESSION, False),
    "/compact, which has all tools": ({**TURN, "thinking": {"type": "disabled"}}, SESSION, False),
}


@pytest.mark.parametrize(("body", "headers", "expected"), CASES.values(), ids=CASES)
def test_background_requests_are_distinguished_from_turns(
    body: dict[str, Any], headers: dict[str, str], expected: bool
) -> None:
    request = read(**body)
    assert is_background(request, find_kind(request, CIMultiDict(headers))) is expected
