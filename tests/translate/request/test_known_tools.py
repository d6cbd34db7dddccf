"""Tools that clients name by their type alone, in cases that the request cases do not contain."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.support.chunks import call, finish
from tests.support.validators import check_stream
from tests.translate.rows import ask
from tests.translate.upstream import join, plain, stream
from tray_app.errors import InvalidRequest
from tray_app.translate.request.known_tools import MOST_KNOWN_TOOLS
from tray_app.translate.request.tools import read_tools
from tray_app.translate.schema.json_types import fits

BASH = {"type": "bash_20250124", "name": "bash"}
EDITOR = {"type": "text_editor_20250728", "name": "str_replace_based_edit_tool"}
MEMORY = {"type": "memory_20250818", "name": "memory"}
COMPUTER = {"type": "computer_20250124", "name": "computer", "display_width_px": 800, "display_height_px": 600}

CALLS: list[tuple[dict[str, Any], dict[str, Any]]] = [
    (BASH, {"command": "ls"}),
    (BASH, {"restart": True}),
    (EDITOR, {"command": "view", "path": "/a.py", "view_range": [1, -1]}),
    (EDITOR, {"command": "create", "path": "/a.py", "file_text": "x = 1"}),
    (EDITOR, {"command": "str_replace", "path": "/a.py", "old_str": "1", "new_str": "2"}),
    (EDITOR, {"command": "insert", "path": "/a.py", "insert_line": 0, "insert_text": "y = 2"}),
    (MEMORY, {"command": "view", "path": "/memories"}),
    (MEMORY, {"command": "view", "path": "/memories/a.md", "view_range": [1, 2]}),
    (MEMORY, {"command": "create", "path": "/memories/a.md", "file_text": "rain"}),
    (MEMORY, {"command": "str_replace", "path": "/memories/a.md", "old_str": "rain", "new_str": "sun"}),
    (MEMORY, {"command": "insert", "path": "/memories/a.md", "insert_line": 1, "insert_text": "wind"}),
    (MEMORY, {"command": "delete", "path": "/memories/a.md"}),
    (MEMORY, {"command": "rename", "old_path": "/memories/a.md", "new_path": "/memories/b.md"}),
    (COMPUTER, {"action": "screenshot"}),
    (COMPUTER, {"action": "left_click", "coordinate": [1, 2], "text": "ctrl"}),
    (COMPUTER, {"action": "scroll", "coordinate": [1, 2], "scroll_direction": "down", "scroll_amount": 3}),
    (COMPUTER, {"action": "left_click_drag", "start_coordinate": [1, 2], "coordinate": [3, 4]}),
    (COMPUTER, {"action": "wait", "duration": 1.5}),
]


@pytest.mark.parametrize(("tool", "arguments"), CALLS, ids=[f"{tool['name']} {call}" for tool, call in CALLS])
def test_each_command_matches_the_schema_and_is_restored_unchanged(
    tool: dict[str, Any], arguments: dict[str, Any]
) -> None:
    [function] = read_tools([tool]).functions
    schema = function["function"]["parameters"]
    assert set(schema.get("required", ())) <= set(arguments)
    for name, value in arguments.items():
        parameter = schema["properties"][name]
        assert fits(value, {parameter["type"]})
        assert value in parameter.get("enum", [value])
        assert not isinstance(value, list) or len(value) == parameter["minItems"] == parameter["maxItems"]
    chunks = [call(0, "c", tool["name"], json.dumps(arguments)), finish("tool_calls")]
    [block] = plain(join(chunks), ask(tools=[tool]))["content"]
    assert block == {"type": "tool_use", "id": "c", "name": tool["name"], "input": arguments}
    check_stream(stream(chunks, ask(tools=[tool])), tools=[tool["name"]], thinking=True)


@pytest.mark.parametrize(
    ("tool", "name"),
    [
        ({"type": "bash_20241022"}, "bash"),
        ({"type": "bash_20300101", "name": "shell"}, "shell"),
        ({"type": "text_editor_20241022", "name": None}, "str_replace_editor"),
        ({"type": "text_editor_20250429"}, "str_replace_based_edit_tool"),
        ({"type": "text_editor_20300101"}, "str_replace_based_edit_tool"),
        ({"type": "memory_20300101"}, "memory"),
        ({"type": "computer_20241022"}, "computer"),
    ],
    ids=repr,
)
def test_every_version_is_known_and_needs_no_name(tool: dict[str, Any], name: str) -> None:
    assert list(read_tools([tool]).tools) == [name]


@pytest.mark.parametrize(
    "kind",
    [
        *("web_search_20250305", "web_fetch_20250910", "code_execution_20250825", "tool_search_tool_regex_20251119"),
        *("advisor_20260301", "mcp_toolset", "computer_toolset_20260801", "browser_toolset_20260801"),
        *("bash", "bash_", "bash_new", "_20250124", "", "mid_2027"),
    ],
)
def test_a_tool_of_another_type_is_left_out(kind: str) -> None:
    assert read_tools([{"type": kind, "name": "x"}]).functions == []


def test_a_request_cannot_grow_by_naming_known_tools_again_and_again() -> None:
    tools = [{"type": "memory_20250818", "name": f"memory_{n}"} for n in range(MOST_KNOWN_TOOLS + 1)]
    assert len(read_tools(tools[:-1]).functions) == MOST_KNOWN_TOOLS
    with pytest.raises(InvalidRequest, match=r"^tools: at most 20 of the tools may be named by their type alone$"):
        read_tools(tools)


def test_only_the_newest_text_editor_has_a_field_for_the_text_to_insert() -> None:
    def parameters(version: str) -> dict[str, Any]:
        [function] = read_tools([{"type": f"text_editor_{version}", "name": "edit"}]).functions
        properties: dict[str, Any] = function["function"]["parameters"]["properties"]
        return properties

    versions = ["20241022", "20250124", "20250429", "20250728"]
    assert ["insert_text" in parameters(version) for version in versions] == [False, False, False, True]
    assert ["undo_edit" in parameters(version)["command"]["enum"] for version in versions] == [True, True, False, False]
