"""What a request is for. The requests are those of Claude Code 2.1.332, reduced to the relevant fields."""

from __future__ import annotations

from typing import Any

import pytest
from multidict import CIMultiDict

from tests.translate.rows import read, read_loosely
from tray_app.translate.request.kinds import Kind, count_turns, find_kind

TOOLS = [{"name": "Bash", "description": "Runs a command", "input_schema": {"type": "object"}}]
SESSION = {"X-Claude-Code-Session-Id": "fd36f9bb"}
SUB_AGENT = {**SESSION, "X-Claude-Code-Agent-Id": "ac47dee45ce13be0b"}

REMINDER = {"type": "text", "text": "<system-reminder>\nAttribution for git commits\n</system-reminder>\n"}
ENVIRONMENT = {"role": "system", "content": "# Environment\nYou have been invoked in the following environment"}
MONITOR = "You are a security monitor for autonomous AI coding agents.\n\n## Context"
SUM_UP = (
    "CRITICAL: Respond with TEXT ONLY. Do NOT call any tools.\n\n"
    "- Your entire response must be plain text: an <analysis> block followed by a <summary> block.\n\n"
    "Your task is to create a detailed summary of the conversation so far\n\n"
    "Additional Instructions:\nkeep the names\n\nREMINDER: Do NOT call any tools."
)


def says(text: str) -> dict[str, Any]:
    return {"type": "text", "text": text}


def user(*blocks: dict[str, Any]) -> dict[str, Any]:
    return {"role": "user", "content": list(blocks)}


CALL = {"role": "assistant", "content": [{"type": "tool_use", "id": "toolu_1", "name": "Bash", "input": {}}]}
RESULT = user({"type": "tool_result", "tool_use_id": "toolu_1", "content": "done"})
ANSWER = {"role": "assistant", "content": "It is done."}

FIRST = [user(REMINDER, says("Fix the tests")), ENVIRONMENT]
IN_WORK = [*FIRST, CALL, RESULT]
NOTIFIED = [*IN_WORK, ANSWER, user(says("<system-reminder>\n[SYSTEM NOTIFICATION - NOT USER INPUT]"))]
SECOND = [*IN_WORK, ANSWER, {"role": "user", "content": "and now?"}]
SUMMED_UP = [*SECOND, ANSWER, {"role": "user", "content": SUM_UP}]
AFTER_SUMMARY = [
    {"role": "user", "content": "This session is being continued from a previous conversation that ran out of context"},
    ANSWER,
    user(
        REMINDER,
        says("<local-command-caveat>The command below was run directly in Claude Code</local-command-caveat>"),
        says("<command-name>/compact</command-name>\n            <command-args>keep the names</command-args>"),
        says("<local-command-stdout>Compacted</local-command-stdout>\n"),
        says("after it"),
    ),
    ENVIRONMENT,
]


def answer_with(*names: str) -> dict[str, Any]:
    schema = {"type": "object", "properties": {name: {"type": "string"} for name in names}, "required": list(names)}
    return {"output_config": {"format": {"type": "json_schema", "schema": schema}}}


def turn(messages: list[dict[str, Any]] = FIRST, **fields: Any) -> dict[str, Any]:
    return {"tools": TOOLS, "max_tokens": 32000, "messages": messages, **fields}


def plain(**fields: Any) -> dict[str, Any]:
    return {"max_tokens": 2112, "messages": [{"role": "user", "content": "A question"}], **fields}


KINDS = {
    "a first turn": (turn(), SESSION, Kind.TURN),
    "a turn after a tool call": (turn(IN_WORK), SESSION, Kind.TURN),
    "a turn of another client": (plain(), {}, Kind.TURN),
    "a sub-agent": (turn(), SUB_AGENT, Kind.SUB_AGENT),
    "the title of a session": (plain(**answer_with("title")), SESSION, Kind.TITLE),
    "the name of a session": (plain(**answer_with("name")), SESSION, Kind.TITLE),
    "a turn whose answer must fit a schema": (turn(**answer_with("title")), SESSION, Kind.TURN),
    "a compaction": (turn(SUMMED_UP), SESSION, Kind.COMPACTION),
    "a compaction, with the environment after it": (turn([*SUMMED_UP, ENVIRONMENT]), SESSION, Kind.COMPACTION),
    "a turn after a compaction": (turn(AFTER_SUMMARY), SESSION, Kind.TURN),
    "a turn of a user who quotes the order": (turn([user(says(f"What means {SUM_UP}"))]), SESSION, Kind.TURN),
    "the check of auto mode": (plain(stop_sequences=["</block>"]), SESSION, Kind.CHECK),
    "the second check of auto mode": (plain(system=[says(MONITOR)]), SESSION, Kind.CHECK),
    "the second check of auto mode for a sub-agent": (plain(system=MONITOR), SUB_AGENT, Kind.CHECK),
    "the check of auto mode for a sub-agent": (plain(stop_sequences=["</block>"]), SUB_AGENT, Kind.CHECK),
    "the probe of /model": (plain(max_tokens=1), SESSION, Kind.OTHER),
    "the review of a sub-agent": (turn(max_tokens=0), SESSION, Kind.OTHER),
}


@pytest.mark.parametrize(("body", "headers", "kind"), KINDS.values(), ids=KINDS)
def test_the_kind_of_a_request_is_recognised(body: dict[str, Any], headers: dict[str, str], kind: Kind) -> None:
    assert find_kind(read(**body), CIMultiDict(headers)) is kind


def test_a_web_search_is_none_of_the_kinds() -> None:
    assert find_kind(read(**turn()), SESSION, is_search=True) is Kind.OTHER


TURNS = {
    "the first": (FIRST, 1),
    "still the first": (IN_WORK, 1),
    "a notification is no turn": (NOTIFIED, 1),
    "the second": (SECOND, 2),
    "a compaction is no turn": (SUMMED_UP, 2),
    "after a compaction it begins anew": (AFTER_SUMMARY, 1),
    "an image alone is no words": ([user({"type": "image"})], 0),
    "odd blocks are no words": ([user({"type": "text"}, {"type": "text", "text": 5}, says(""))], 0),
}


@pytest.mark.parametrize(("messages", "count"), TURNS.values(), ids=TURNS)
def test_the_turns_of_the_user_are_counted(messages: list[dict[str, Any]], count: int) -> None:
    assert count_turns(read_loosely(messages=messages)) == count
