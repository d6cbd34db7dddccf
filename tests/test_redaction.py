"""What may not be written down."""

from __future__ import annotations

from typing import Any

import pytest

from tray_app.redaction import hide_secrets, show_body

DATA = "iVBORw0KGgoAAAANSUhEUg=="


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("nothing to hide", "nothing to hide"),
        ("key nvapi-AbC_123-xyz!", "key nvapi-[hidden]!"),
        ("key sk-ant-api03-abcdef", "key sk-[hidden]"),
        ("Authorization: Bearer abc.def.ghi", "Authorization: Bearer [hidden]"),
        ('{"Authorization": "Bearer abcdef123"}', '{"Authorization": "Bearer [hidden]"}'),
        ("the secret word", "the [hidden] word"),
        ("secretsecret", "[hidden][hidden]"),
        ("secret-and-more", "[hidden]"),
        ("a risk-averse task-oriented model", "a risk-averse task-oriented model"),
        ("nvapi-short", "nvapi-short"),
        ("Bearer of bad news", "Bearer of bad news"),
    ],
)
def test_keys_are_hidden(text: str, shown: str) -> None:
    assert hide_secrets(text, {"secret", "secret-and-more"}) == shown


@pytest.mark.parametrize(
    ("body", "shown"),
    [
        ({"a": [1, None, "Grüße"]}, '{"a": [1, null, "Grüße"]}'),
        (
            {"type": "base64", "media_type": "image/png", "data": DATA},
            '{"type": "base64", "media_type": "image/png", "data": "[24 characters of base64]"}',
        ),
        (
            {"image_url": {"url": f"data:image/png;base64,{DATA}"}},
            '{"image_url": {"url": "data:image/png;base64,[46 characters]"}}',
        ),
        (
            [f"<img src='data:image/svg+xml;base64,{DATA}'>"],
            "[\"<img src='data:image/svg+xml;base64,[50 characters]'>\"]",
        ),
        ({"data": "no image"}, '{"data": "no image"}'),
        ({"type": "base64", "data": 5}, '{"type": "base64", "data": 5}'),
        ({"key": "nvapi-abcdefghij"}, '{"key": "nvapi-[hidden]"}'),
    ],
)
def test_a_body_is_shown_without_image_data(body: Any, shown: str) -> None:
    assert show_body(body, 1_000) == shown


def test_a_long_body_is_cut_and_says_how_long_it_is() -> None:
    assert show_body({"text": "x" * 100}, 12) == '{"text": "xx… (112 characters)'


def test_showing_a_body_does_not_change_it() -> None:
    body = {"source": {"type": "base64", "data": DATA}}
    show_body(body, 100)
    assert body == {"source": {"type": "base64", "data": DATA}}


def test_a_secret_is_hidden_before_the_cut() -> None:
    for limit in range(60):
        assert "wor" not in show_body({"text": "pass-word pass-word"}, limit, ["pass-word"])
