"""Tools that are added and removed in mid conversation, where the request is not what it should be."""

from __future__ import annotations

from typing import Any

import pytest

from tests.translate.rows import ask
from tray_app.errors import InvalidRequest
from tray_app.translate.request.tokens import estimate_body
from tray_app.translate.request.tool_changes import effective_tools

BOAT = {"name": "Boat", "description": "A boat " * 50, "input_schema": {"type": "object"}}
REMOVAL = {"type": "tool_removal", "tool": {"type": "tool_reference", "name": "Boat"}}
ADDITION = {"type": "tool_addition", "tool": {"type": "tool_definition", "definition": BOAT}}


def system(*blocks: Any) -> dict[str, Any]:
    return {"role": "system", "content": list(blocks)}


@pytest.mark.parametrize("messages", [None, 5, "x", [], [None], [{"content": 5}], [{"content": [5, {}]}]], ids=repr)
def test_a_request_without_changes_keeps_its_tools(messages: object) -> None:
    tools = [BOAT]
    assert effective_tools({"tools": tools, "messages": messages}) is tools


@pytest.mark.parametrize("tools", [5, "Boat", {"name": "Boat"}], ids=repr)
def test_tools_that_are_no_list_are_left_for_the_reader_to_refuse(tools: object) -> None:
    assert effective_tools({"tools": tools, "messages": [system(REMOVAL)]}) is tools


@pytest.mark.parametrize("tool", [None, 5, {}, {"type": "tool_reference"}, {"type": "tool_definition"}], ids=repr)
def test_a_change_that_names_no_tool_changes_nothing(tool: object) -> None:
    for kind in ("tool_addition", "tool_removal"):
        assert effective_tools({"tools": [BOAT, 5], "messages": [system({"type": kind, "tool": tool})]}) == [BOAT, 5]


def test_every_declaration_of_a_removed_name_is_removed() -> None:
    assert effective_tools({"tools": [BOAT, BOAT], "messages": [system(REMOVAL)]}) == []


def test_a_definition_that_is_wrong_is_told() -> None:
    wrong = {"type": "tool_addition", "tool": {"type": "tool_definition", "definition": {**BOAT, "input_schema": 5}}}
    with pytest.raises(InvalidRequest, match=r"^tools\.0\.input_schema: "):
        ask(messages=[{"role": "user", "content": "hi"}, system(wrong)])


def test_tools_are_counted_as_they_are_offered() -> None:
    hi = {"role": "user", "content": "hi"}
    with_boat = estimate_body({"messages": [hi], "tools": [BOAT]}).tokens()
    assert estimate_body({"messages": [hi, system(REMOVAL)], "tools": [BOAT]}).tokens() < with_boat / 2
    assert estimate_body({"messages": [hi, system(ADDITION)]}).tokens() >= with_boat
