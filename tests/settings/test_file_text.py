"""The error for a settings file that is no JSON explains the mistake without quoting the file."""

from __future__ import annotations

import pytest

from tray_app.settings.file_text import Damaged, decode_settings

COMMENT = "JSON has no comments"
QUOTES = "names and texts stand in straight double quotes"


@pytest.mark.parametrize(
    ("text", "line", "column", "mistake"),
    [
        ('{\n  "a": 1\n  "b": 2\n}', 3, 3, "a comma is missing before this place"),
        ('{"a": [1 2]}', 1, 10, "a comma is missing before this place"),
        ('// mine\n{"a": 1}', 1, 1, COMMENT),
        ('{"a": 1, // mine\n "b": 2}', 1, 10, COMMENT),
        ('{"a": 1 /* mine */}', 1, 9, COMMENT),
        ('{\n# mine\n"a": 1}', 2, 1, COMMENT),
        ('{"a": 1} # mine', 1, 10, COMMENT),
        ("{'a': 1}", 1, 2, QUOTES),
        ("{“a”: 1}", 1, 2, QUOTES),
        ("{\"a\": 'x'}", 1, 7, QUOTES),
        ("{a: 1}", 1, 2, "a name in double quotes belongs here"),
        ('{"a" 1}', 1, 6, "a colon is missing before this place"),
        ('{"a": "C:\\x"}', 1, 10, r"a backslash in a text stands twice: \\"),
        ('{"a": "x,\n"b": 1}', 1, 10, "a text does not end on its line: a double quote is missing"),
        ('{"a": "x', 1, 7, "the text that starts here has no end: a double quote is missing"),
        ('{"a": 1}}', 1, 9, "the object has ended before this place"),
        ('{"a": 1', 1, 8, "it ends too early"),
        ("", 1, 1, "it is empty"),
        (" \n", 2, 1, "it is empty"),
        ('{"a": True}', 1, 7, ""),
    ],
)
def test_the_place_of_a_mistake_is_named_and_a_common_mistake_is_explained(
    text: str, line: int, column: int, mistake: str
) -> None:
    with pytest.raises(Damaged) as caught:
        decode_settings(text.encode())
    wanted = f"is not valid JSON, line {line}, column {column}"
    assert str(caught.value) == (f"{wanted} ({mistake})" if mistake else wanted)


@pytest.mark.parametrize("text", ['{\n  "a": 1,\n}', '{"a": [1, 2, ]}'], ids=["object", "list"])
def test_a_surplus_comma_is_named(text: str) -> None:
    """Python 3.13 and newer name the place of the comma; older ones name that of the bracket."""
    with pytest.raises(Damaged, match=r"^is not valid JSON, line \d, column \d+ \(the comma before the bracket is one"):
        decode_settings(text.encode())


@pytest.mark.parametrize(
    ("data", "error_text"),
    [
        ("{}".encode("utf-16"), "is no text in UTF-8"),
        (b'{"a": "\xff"}', "is no text in UTF-8"),
        (b"[]", "holds no JSON object"),
        (b"null", "holds no JSON object"),
        (b"[" * 100_000, "is not valid JSON"),
        (b"1" * 5_000, "is not valid JSON"),
    ],
    ids=["UTF-16", "Latin", "list", "null", "too deep", "too long a number"],
)
def test_a_text_that_is_not_an_object_is_reported(data: bytes, error_text: str) -> None:
    with pytest.raises(Damaged) as caught:
        decode_settings(data)
    assert str(caught.value) == error_text


def test_nothing_of_a_damaged_text_is_quoted() -> None:
    with pytest.raises(Damaged) as caught:
        decode_settings(b'{"nvidia_key": "nvapi-secret", "server_api_key": word, "nvidia_url": "https://me:pw@host"}')
    assert caught.value.__cause__ is None
    for secret in ("nvapi", "word", "pw"):
        assert secret not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "is_ours"),
    [
        ('{"nvidia_url": "https://', True),
        ('{"log_bodies" : true,}', True),
        ('{"model": "x",}', False),
        ("alias nvidia_url=x", False),
        ("", False),
    ],
)
def test_a_text_is_ours_if_it_names_a_setting_that_only_this_program_has(text: str, is_ours: bool) -> None:
    with pytest.raises(Damaged) as caught:
        decode_settings(text.encode())
    assert caught.value.looks_like_ours is is_ours
