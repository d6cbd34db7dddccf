"""A name that a model wrote a little differently still finds the offered tool."""

from __future__ import annotations

import pytest

from tray_app.translate.tool_names import MOST_NAME_CHARS, ToolNames

NAMES = ToolNames([("Read", "Read"), ("read_file", "read_file")])


@pytest.mark.parametrize(
    ("written", "offered"),
    [
        ("Read", "Read"),
        (" read ", "Read"),
        ("functions.Read", "Read"),
        ("READ_FILE", "read_file"),
        ("Write", ""),
        ("", ""),
    ],
)
def test_a_name_finds_the_tool_that_was_meant(written: str, offered: str) -> None:
    assert (NAMES.find(written) or "") == offered


def test_a_text_that_is_longer_than_any_name_cannot_become_one() -> None:
    assert NAMES.may_begin_with("Rea")
    assert not NAMES.may_begin_with("Read" + "x" * MOST_NAME_CHARS)
    assert not NAMES.find("Read" + "x" * MOST_NAME_CHARS)
