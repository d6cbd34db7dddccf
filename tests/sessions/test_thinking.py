"""Interleaved thinking: what a model thought before each call is before its eyes at the next one."""

from __future__ import annotations

import itertools
import json
import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.support import kit
from tests.support.kit import MINIMAX, say, script
from tests.support.recorder import Passage
from tests.support.stage import set_stage

pytestmark = [pytest.mark.desktop, pytest.mark.kit]

CACHE_BLOCK_TOKENS = 128
"""vLLM on a CPU keeps prompts in blocks of this size; only whole blocks are found again."""

WITHOUT_MESSAGES = {"messages": None}


def run(command: str) -> tuple[str, dict[str, Any]]:
    return "Bash", {"command": command, "description": "A step"}


STEPS = (
    say("\n  First a look around.\n\tIndented, and then \r\n two line ends.", "  I look.\n", run("echo one")),
    say("Then é, 漢, 😀 and a line separator:\u2028here.", "", run("echo two")),
    say("", "No thought at all this time.", run("echo three")),
    say('Quotes " and \\n, <b>tags</b>, {"braces": []}', "", run("echo four"), run("echo five")),
    say("All is done.", "THE STEPS ARE DONE"),
)


@dataclass(frozen=True)
class Recording:
    """What passed between the gateway and upstream: the user's first turn in five steps, then a second turn."""

    model: str
    url: str
    first: tuple[Passage, ...]
    second: tuple[Passage, ...]


@pytest.fixture(scope="module", params=list(kit.FAMILIES), ids=list(kit.FAMILIES.values()))
def recording(
    request: pytest.FixtureRequest, vllms: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> Recording:
    model = request.param
    with set_stage(tmp_path_factory.mktemp("steps"), upstreams=vllms, model=model) as stage:
        assert "THE STEPS ARE DONE" in stage.run(script("Take five steps.", *STEPS))
        first = stage.back.passages
        stage.run(script("And one more.", say("One more?", "", run("echo six")), say("", "DONE")), "--continue")
        return Recording(model, vllms[model], first, stage.back.passages[len(first) :])


def test_earlier_thinking_reaches_the_model_unmodified(recording: Recording) -> None:
    passages = recording.first + recording.second
    given = [read_turn(passage) for passage in passages]
    assert [turn["reasoning_content"].strip() for turn in given[:5]] == [str(step["think"]).strip() for step in STEPS]
    assert [assistant_turns(passage.request) for passage in passages] == [given[:n] for n in range(len(passages))]

    # and the vendor's template puts it before the model's eyes
    conversation = read_conversation(recording.url, recording.first[-1].request)
    for turn in given[:4]:
        assert turn["reasoning_content"].strip() in conversation


def test_a_conversation_grows_at_its_end_alone(recording: Recording) -> None:
    """So that upstream has read all but the newest turn before."""
    passages = recording.first + recording.second
    for before, after in itertools.pairwise(passage.request for passage in passages):
        assert before["messages"] == after["messages"][: len(before["messages"])]
        assert before | WITHOUT_MESSAGES == after | WITHOUT_MESSAGES
    # upstream's own figures; its template for MiniMax leaves out the thinking of the user's earlier turns
    usages = [passage.chunks[-1]["usage"] for passage in (recording.first if recording.model == MINIMAX else passages)]
    for before, after in itertools.pairwise(usages):
        known = after["prompt_tokens_details"]["cached_tokens"]
        assert known > before["prompt_tokens"] - CACHE_BLOCK_TOKENS


@kit.with_both_models
def test_a_reminder_beside_a_result_does_not_make_the_model_forget_its_thinking(
    model: str, vllms: dict[str, str], tmp_path: Path
) -> None:
    """Claude Code adds reminders of its own between two calls; here a hook of the user does."""
    reminder = {"hookSpecificOutput": {"hookEventName": "PostToolUse", "additionalContext": "The tide turns at noon."}}
    hook = {"type": "command", "command": f"printf %s {shlex.quote(json.dumps(reminder))}"}
    settings = {"hooks": {"PostToolUse": [{"matcher": "Bash", "hooks": [hook]}]}}
    task = script("Look.", say("I ponder the tide.", "", run("echo one")), say("", "DONE"))
    with set_stage(tmp_path, upstreams=vllms, model=model) as stage:
        stage.run(task, "--settings", json.dumps(settings))
        conversation = read_conversation(vllms[model], stage.chat_requests()[-1])
        assert "The tide turns at noon." in conversation
        assert "I ponder the tide." in conversation


def read_conversation(url: str, request: dict[str, Any]) -> str:
    """What the model reads of a chat request behind the script."""
    return kit.read_prompt(url, request).rpartition("@@")[2]


def read_turn(passage: Passage) -> dict[str, Any]:
    """What vLLM gave, in the form in which it has to come back."""
    deltas = [choice["delta"] for chunk in passage.chunks for choice in chunk["choices"]]
    calls: dict[int, list[str]] = {}
    for part in (part for delta in deltas for part in delta.get("tool_calls") or ()):
        call = calls.setdefault(part["index"], ["", ""])
        call[0] += part["function"].get("name") or ""
        call[1] += part["function"].get("arguments") or ""
    return {
        "reasoning_content": "".join(delta.get("reasoning") or "" for delta in deltas),
        "content": "".join(delta.get("content") or "" for delta in deltas),
        "calls": [(name, json.loads(arguments)) for name, arguments in calls.values()],
    }


def assistant_turns(request: dict[str, Any]) -> list[dict[str, Any]]:
    """The assistant's turns of a chat request, in the form of `read_turn`."""
    return [
        {
            "reasoning_content": message.get("reasoning_content", ""),
            "content": message["content"],
            "calls": [
                (call["function"]["name"], json.loads(call["function"]["arguments"]))
                for call in message.get("tool_calls", ())
            ],
        }
        for message in request["messages"]
        if message["role"] == "assistant"
    ]
