"""Names and definitions of tools, in cases that the request cases do not contain."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.translate.bounded import bounded
from tests.translate.rows import read
from tray_app.catalog import GLM_4_7
from tray_app.errors import InvalidRequest
from tray_app.translate.request.tool_changes import effective_tools
from tray_app.translate.request.tools import ToolChoice, read_choice, read_tools, upstream_name
from tray_app.translate.schema.limits import MAX_DEPTH


@bounded
@given(st.text(min_size=1) | st.text("ab.", min_size=60, max_size=70))
def test_a_sent_name_is_valid_for_openai_and_depends_on_the_name_alone(name: str) -> None:
    sent = upstream_name(name)
    assert re.fullmatch(r"[a-zA-Z0-9_-]{1,64}", sent)
    assert upstream_name(name) == sent
    assert upstream_name(sent) == sent


@pytest.mark.parametrize("name", ["Bash", "mcp__a-b__c", "x" * 64])
def test_a_valid_name_is_sent_unchanged(name: str) -> None:
    assert upstream_name(name) == name


def test_names_that_differ_only_in_replaced_characters_stay_different() -> None:
    names = ["a.b", "a_b", "a b", "a/b", "x" * 65, "x" * 66, "ä", "ö", "\ud83d", "Bash\n"]
    assert len({upstream_name(name) for name in names}) == len(names)


def test_the_client_name_of_every_sent_tool_is_known() -> None:
    names = ["Bash", "mcp.with.dots", "y" * 100]
    offer = read_tools([{"name": name, "input_schema": {"type": "object"}} for name in names])
    assert [offer.tools[tool["function"]["name"]].name for tool in offer.functions] == names


def test_a_tool_with_a_type_of_anthropic_and_its_own_schema_is_sent() -> None:
    offer = read_tools([{"type": "memory_20250818", "name": "memory", "input_schema": {"type": "object"}}])
    assert list(offer.tools) == ["memory"]


@pytest.mark.parametrize("tools", [None, []], ids=repr)
def test_a_request_without_tools_offers_none(tools: object) -> None:
    offer = read_tools(effective_tools(read(tools=tools, messages=[{"role": "user", "content": "hi"}])))
    assert offer.functions == []
    assert read_choice({"type": "any"}, offer, GLM_4_7) == ToolChoice({}, "", frozenset())


def test_a_choice_without_a_name_is_refused() -> None:
    with pytest.raises(InvalidRequest, match=r"^tool_choice\.name: there is no tool named None in tools$"):
        read_choice({"type": "tool"}, read_tools([{"name": "T"}]), GLM_4_7)


@pytest.mark.parametrize("name", [5, True, ["T"], {"name": "T"}], ids=repr)
def test_a_choice_whose_name_is_no_text_is_refused(name: object) -> None:
    with pytest.raises(InvalidRequest, match=r"^tool_choice\.name: Input should be a valid string$"):
        read_choice({"type": "tool", "name": name}, read_tools([{"name": "T"}, {"name": "5"}]), GLM_4_7)


def test_a_schema_that_is_too_deep_is_refused_by_the_place_of_its_tool() -> None:
    deep: dict[str, Any] = {}
    for _ in range(MAX_DEPTH):
        deep = {"items": deep}
    with pytest.raises(InvalidRequest, match=r"^tools\.1\.input_schema: The schema is nested too deeply\."):
        read_tools([{"name": "A", "input_schema": {}}, {"name": "B", "input_schema": deep}])
    body = {"output_config": {"format": {"type": "json_schema", "schema": deep}}}
    with pytest.raises(InvalidRequest, match=r"^output_config\.format\.schema: The schema is nested too deeply\."):
        read(messages=[{"role": "user", "content": "hi"}], **body)
