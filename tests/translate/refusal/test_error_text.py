"""The reasons in the bodies of errors are read."""

from __future__ import annotations

import json

import pytest

from tray_app.translate.refusal.error_body import read_error_body
from tray_app.translate.refusal.quirk import adapt, find_quirks

FRONT_END = {"error": {"message": "Validation: Unsupported parameter(s): `top_k`", "type": "Bad Request", "code": 400}}
PROBLEM = {
    "type": "urn:inference-service:problem-details:unprocessable-entity",
    "title": "Unprocessable Entity",
    "status": 422,
    "detail": "body -> top_k\n  Extra inputs are not permitted (type=extra_forbidden)",
    "instance": "/v2/nvcf/pexec/functions/0a1b",
}
OPENAI = {
    "error": {
        "message": "Invalid value: 'max'. Supported values are: 'low' and 'high'.",
        "type": "invalid_request_error",
        "param": "reasoning_effort",
        "code": "invalid_value",
    }
}
FASTAPI = {
    "detail": [
        {
            "type": "extra_forbidden",
            "loc": ["body", "top_k"],
            "msg": "Extra inputs are not permitted",
            "input": "secret",
        },
        {
            "type": "extra_forbidden",
            "loc": ["body", "seed"],
            "msg": "Extra inputs are not permitted",
            "ctx": {"a": "b"},
        },
    ]
}
PYTHON = {
    "error": "[{'type': 'extra_forbidden', 'loc': ('body', 'top_k'), "
    "'msg': 'Extra inputs are not permitted', 'input': 'main'}]"
}


@pytest.mark.parametrize(
    ("answer", "error_text"),
    [
        (FRONT_END, "Validation: Unsupported parameter(s): `top_k`"),
        (PROBLEM, "body -> top_k Extra inputs are not permitted (type=extra_forbidden)"),
        (OPENAI, "Invalid value: 'max'. Supported values are: 'low' and 'high'. (parameter=reasoning_effort)"),
        (
            FASTAPI,
            "body.top_k: Extra inputs are not permitted; body.seed: Extra inputs are not permitted",
        ),
        (PYTHON, PYTHON["error"]),
        ({"message": "a", "detail": "b"}, "b; a"),
        ({"title": "Bad Request", "status": 400}, ""),
        ("a\n  b", "a b"),
        ([], ""),
        (5, ""),
    ],
    ids=lambda value: json.dumps(value)[:60],
)
def test_every_reason_is_read_with_its_field(answer: object, error_text: str) -> None:
    assert read_error_body(json.dumps(answer).encode()).error_text == error_text


@pytest.mark.parametrize(
    ("answer", "error_text"),
    [
        (b"temperature must be 1\n", "temperature must be 1"),
        (b" <html>top_p is not supported</html>", ""),
        (b"", ""),
        (b"\xff", "\ufffd"),
        (b"x" * 100_000, "x" * 4_000),
        (b"[" * 100_000 + b"]" * 100_000, "[" * 4_000),
        (b'{"error":' * 900 + b'"a"' + b"}" * 900, None),
    ],
    ids=["text", "web page", "nothing", "no text", "endless", "too deep to read", "deep"],
)
def test_an_answer_that_is_no_error_body_is_read_as_text(answer: bytes, error_text: str | None) -> None:
    assert read_error_body(answer).error_text == error_text or error_text is None


@pytest.mark.parametrize("answer", [FRONT_END, PROBLEM, PYTHON], ids=["front end", "problem details", "Python"])
def test_the_short_reason_for_users_is_enough_to_find_the_field_that_it_names(answer: object) -> None:
    body = {"messages": [], "top_k": 40, "temperature": 1}
    assert adapt(body, find_quirks(read_error_body(json.dumps(answer).encode()).detail, body)) == {
        "messages": [],
        "temperature": 1,
    }
