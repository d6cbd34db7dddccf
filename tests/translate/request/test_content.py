"""Content blocks become text, also in shapes that the request cases do not contain."""

from __future__ import annotations

from typing import Any

import pytest

from tray_app.translate.request.content import (
    NO_IMAGES_NOTE,
    flatten,
    join_parts,
    read_system,
    to_parts,
    to_text,
)
from tray_app.translate.request.tools import upstream_name


@pytest.mark.parametrize(
    ("block", "text"),
    [
        ({"type": "text", "text": "a"}, "a"),
        ({"type": "text"}, "[There was content of the type text here. This model cannot read it.]"),
        ({"type": "image"}, NO_IMAGES_NOTE),
        ({"type": "tool_reference", "tool_name": "T"}, "Tool T is now loaded."),
        ({"type": "document"}, '[There was a document here, "document" (None). This model cannot read it.]'),
        (
            {"type": "document", "source": {"type": "file", "file_id": "f"}},
            '[There was a document here, "document" (f). This model cannot read it.]',
        ),
        (
            {"type": "document", "title": "t", "source": {"type": "content", "content": "abc"}},
            '<document title="t">\nabc\n</document>',
        ),
        ({"type": "mcp_tool_use", "name": "x"}, "[The tool x of the MCP server None was called with {}.]"),
        ({"type": "mid_2027_block", "name": "x"}, "[There was content of the type mid_2027_block here. "),
        ({"type": "bash_note", "text": "kept"}, "kept"),
    ],
    ids=repr,
)
def test_a_block_is_its_text_or_a_note(block: dict[str, Any], text: str) -> None:
    assert to_text(block).startswith(text)


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (None, ""),
        ("a", "a"),
        ([], ""),
        ([{"type": "text", "text": "a"}, {"type": "image"}, {"type": "text", "text": "b"}], f"a\n{NO_IMAGES_NOTE}\nb"),
        (5, "5"),
    ],
    ids=repr,
)
def test_each_block_of_a_content_value_begins_a_line(content: object, text: str) -> None:
    assert flatten(content) == text


@pytest.mark.parametrize("source", [None, "x", {}, {"type": "file", "file_id": "f"}], ids=repr)
def test_an_image_without_data_or_address_becomes_a_note_even_for_a_model_that_takes_images(source: object) -> None:
    [part] = to_parts([{"type": "image", "source": source}], takes_images=True)
    assert part == {"type": "text", "text": NO_IMAGES_NOTE}


def test_parts_without_images_are_one_string() -> None:
    assert join_parts([{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]) == "a\n\nb"
    assert join_parts([]) == ""


def test_a_missing_system_prompt_is_empty() -> None:
    assert read_system(None) == ""
    assert read_system([]) == ""


def test_only_a_billing_header_at_the_very_start_is_dropped() -> None:
    text = "About x-anthropic-billing-header: keep me."
    assert read_system(text) == text
    assert read_system("x-anthropic-billing-header: cch=1;") == ""


def test_a_loaded_tool_has_the_name_that_is_sent_upstream() -> None:
    name = "mcp__server.with.dots__" + "x" * 80
    assert to_text({"type": "tool_reference", "tool_name": name}) == f"Tool {upstream_name(name)} is now loaded."
