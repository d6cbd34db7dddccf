"""Tools that messages add and remove, also in malformed requests."""

from __future__ import annotations

from typing import Any

import pytest

from tests.translate.rows import ask, read, read_loosely
from tray_app.errors import InvalidRequest
from tray_app.translate.request.tokens import estimate_request
from tray_app.translate.request.tool_changes import effective_tools

BOAT = {"name": "Boat", "description": "A boat " * 50, "input_schema": {"type": "object"}}
REMOVAL = {"type": "tool_removal", "tool": {"type": "tool_reference", "name": "Boat"}}
ADDITION = {"type": "tool_addition", "tool": {"type": "tool_definition", "definition": BOAT}}


def system(*blocks: Any) -> dict[str, Any]:
    return {"role": "system", "content": list(blocks)}


@pytest.mark.parametrize("messages", [[], [{"role": "user", "content": 5}], [system(5, {})]], ids=repr)
def test_a_request_without_changes_keeps_its_tools(messages: object) -> None:
    request = read_loosely(tools=[BOAT], messages=messages)
    assert effective_tools(request) is request.tools


@pytest.mark.parametrize("tools", [5, "Boat", {"name": "Boat"}], ids=repr)
def test_tools_that_are_no_list_are_refused(tools: object) -> None:
    with pytest.raises(InvalidRequest, match=r"^tools: Input should be a list$"):
        read(tools=tools, messages=[system(REMOVAL)])


@pytest.mark.parametrize("tool", [None, 5, {}, {"type": "tool_reference"}, {"type": "tool_definition"}], ids=repr)
def test_a_change_that_names_no_tool_changes_nothing(tool: object) -> None:
    for kind in ("tool_addition", "tool_removal"):
        request = read(tools=[BOAT, {}], messages=[system({"type": kind, "tool": tool})])
        assert effective_tools(request) == [BOAT, {}]


def test_every_declaration_of_a_removed_name_is_removed() -> None:
    assert effective_tools(read(tools=[BOAT, BOAT], messages=[system(REMOVAL)])) == []


def test_an_added_tool_with_a_wrong_schema_is_refused() -> None:
    wrong = {"type": "tool_addition", "tool": {"type": "tool_definition", "definition": {**BOAT, "input_schema": 5}}}
    with pytest.raises(InvalidRequest, match=r"^tools\.0\.input_schema: "):
        ask(messages=[{"role": "user", "content": "hi"}, system(wrong)])


def test_tools_are_counted_as_they_are_offered() -> None:
    hi = {"role": "user", "content": "hi"}
    with_boat = estimate_request(read(messages=[hi], tools=[BOAT])).tokens()
    assert estimate_request(read(messages=[hi, system(REMOVAL)], tools=[BOAT])).tokens() < with_boat / 2
    assert estimate_request(read(messages=[hi, system(ADDITION)])).tokens() >= with_boat
