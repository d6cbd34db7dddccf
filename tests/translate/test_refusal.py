"""What NVIDIA's errors become, as a table."""

from __future__ import annotations

import re

import pytest

from tests.validators import check_error
from tray_app.catalog import GLM_4_7, GPT_OSS_20B
from tray_app.translate.refusal import explain_refusal, explain_stream_error, read_detail

KEY = "nvapi-AbCdEfGhIjKlMnOpQrStUvWxYz0123456789"

RETIRED = (
    b'{"type":"about:blank","status":410,"title":"Gone",'
    b'"detail":"The model \'z-ai/glm4.7\' has reached its end of life on 2026-05-14 and is no longer available."}'
)
NOT_FOUND = b'{"status":404,"title":"Not Found","detail":"Function \'0a1b\': Not found for account \'acc_9\'"}'
DEGRADED = b'{"status":400,"title":"Bad Request","detail":"Function id \'0a1b\': DEGRADED function cannot be invoked"}'
TOO_LONG = (
    b'{"object":"error","message":"This model\'s maximum context length is 131072 tokens. However, you requested '
    b'140000 tokens (131808 in the messages, 8192 in the completion). Please reduce the length.","code":400}'
)
TOO_LONG_TOO = (
    b'{"error":{"message":"This model\'s maximum context length is 131072 tokens. However, your request has 140000 '
    b'input tokens. Please reduce the length of the input messages.","type":"BadRequestError","code":400}}'
)
AT_LEAST = (
    b'{"error":{"message":"This model\'s maximum context length is 131072 tokens. However, you requested 8192 '
    b'output tokens and your prompt contains at least 122881 input tokens, for a total of at least 131073 tokens."}}'
)
CHARACTERS = (
    b'{"error":{"message":"This model\'s maximum context length is 131072 tokens. However, your prompt contains '
    b'900000 characters (more than 800000 characters, which is the upper bound for 131071 input tokens).","code":400}}'
)
NO_ROOM = b'{"error":{"message":"max_tokens must be at least 1, got -936.","type":"BadRequestError","code":400}}'
WINDOW_FULL = (
    b"{\"error\":{\"message\":\"'max_tokens' or 'max_completion_tokens' is too large: 100000. This model's maximum "
    b'context length is 8192 tokens and your request has 23 input tokens (100000 > 8192 - 23).","code":400}}'
)
WITH_KEY = b'{"detail":"Authorization: Bearer ' + KEY.encode() + b" and " + KEY.encode() + b' are bad"}'
HTML = b"<!DOCTYPE html><html><head><title>502 Bad Gateway</title></head><body>nginx</body></html>"

TABLE: list[tuple[int, bytes, int, str, str]] = [
    # what NVIDIA says                                     what the client gets
    (410, RETIRED, 400, "billing_error", r"^NVIDIA retired GLM 4\.7 on 2026-05-14\. Choose another model"),
    (410, b"", 400, "billing_error", r"^NVIDIA retired GLM 4\.7\. Choose another model"),
    (400, RETIRED, 400, "billing_error", r"^NVIDIA retired GLM 4\.7 on 2026-05-14\."),
    (404, NOT_FOUND, 400, "billing_error", r"^NVIDIA does not serve GLM 4\.7 to your API key\."),
    (404, b"404 page not found", 400, "billing_error", r"^NVIDIA does not serve GLM 4\.7 to your API key\."),
    (401, b'{"status":401,"title":"Unauthorized"}', 400, "billing_error", r"^NVIDIA refused your API key\. .*set-key"),
    (401, WITH_KEY, 400, "billing_error", r"^NVIDIA refused your API key\."),
    (403, b'{"status":403,"title":"Forbidden"}', 400, "billing_error", r"^NVIDIA refused your API key for GLM 4\.7\."),
    (429, b'{"status":429,"title":"Too Many Requests"}', 429, "rate_limit_error", r"rate limit for GLM 4\.7"),
    (429, b"", 429, "rate_limit_error", r"rate limit for GLM 4\.7"),
    (400, DEGRADED, 529, "overloaded_error", r"^NVIDIA is overloaded: GLM 4\.7 answered with HTTP 400\.$"),
    (400, TOO_LONG, 400, "invalid_request_error", r"^prompt is too long: 140000 tokens > 131072 maximum$"),
    (400, TOO_LONG_TOO, 400, "invalid_request_error", r"^prompt is too long: 140000 tokens > 131072 maximum$"),
    (400, AT_LEAST, 400, "invalid_request_error", r"context limit: 122881 \+ 8192 > 131072$"),
    (400, CHARACTERS, 400, "invalid_request_error", r"^prompt is too long: 131073 tokens > 131072 maximum$"),
    (400, NO_ROOM, 400, "invalid_request_error", r"^prompt is too long: 132008 tokens > 131072 maximum$"),
    (
        400,
        WINDOW_FULL,
        400,
        "invalid_request_error",
        r"^input length and `max_tokens` exceed context limit: 23 \+ 100000 > 8192$",
    ),
    (
        400,
        b'{"detail":"Validation: Unsupported parameter(s): top_k, seed"}',
        400,
        "invalid_request_error",
        r"^NVIDIA refused the request: Validation: Unsupported parameter\(s\): top_k, seed$",
    ),
    (400, b"", 400, "invalid_request_error", r"^NVIDIA refused the request: HTTP 400, without a reason$"),
    (400, HTML, 400, "invalid_request_error", r"^NVIDIA refused the request: HTTP 400, without a reason$"),
    (400, WITH_KEY, 400, "invalid_request_error", r"Bearer \[hidden\] and nvapi-\[hidden\] are bad"),
    (413, b"Payload Too Large", 400, "invalid_request_error", r"Payload Too Large$"),
    (
        422,
        b'{"detail":[{"type":"missing","loc":["body","messages"],"msg":"Field required"}]}',
        400,
        "invalid_request_error",
        r"Field required$",
    ),
    (500, b'{"error":{"message":"Internal Server Error"}}', 529, "overloaded_error", r"answered with HTTP 500\.$"),
    (502, HTML, 529, "overloaded_error", r"^NVIDIA is overloaded: GLM 4\.7 answered with HTTP 502\.$"),
    (503, b"ResourceExhausted: Worker local total request limit reached", 529, "overloaded_error", r"HTTP 503"),
    (400, b'{"detail":"ResourceExhausted"}', 529, "overloaded_error", r"HTTP 400"),
    (504, b"", 529, "overloaded_error", r"HTTP 504"),
    (202, b"", 502, "api_error", r"^NVIDIA answered with HTTP 202, which is no answer to a chat request\.$"),
    (302, b"", 502, "api_error", r"HTTP 302"),
]


@pytest.mark.parametrize(
    ("row", "status", "kind", "sentence"),
    [
        pytest.param((status, body), *told, id=f"{number}: {status} {body[:50]!r}")
        for number, (status, body, *told) in enumerate(TABLE)
    ],
)
def test_a_refusal_is_explained(row: tuple[int, bytes], status: int, kind: str, sentence: str) -> None:
    error = explain_refusal(*row, GLM_4_7)
    assert (error.status, error.type) == (status, kind)
    assert re.search(sentence, error.message), error.message
    assert KEY not in error.message
    assert "acc_9" not in error.message
    check_error(error.body("req_1"))


@pytest.mark.parametrize(("status", "body"), [(410, RETIRED), (404, NOT_FOUND)])
def test_a_model_that_is_gone_names_its_successor_where_there_is_one(status: int, body: bytes) -> None:
    sentence = explain_refusal(status, body, GLM_4_7).message
    assert 'in the tray menu, or set "model" to "z-ai/glm-5.2" (GLM 5.2) in the settings file' in sentence
    assert "settings file" not in explain_refusal(status, body, GPT_OSS_20B).message


def test_a_rate_limit_says_when_to_come_back_within_what_clients_wait_for() -> None:
    error = explain_refusal(429, b"", GLM_4_7)
    assert 1 <= int(error.headers()["retry-after"]) <= 60


@pytest.mark.parametrize(
    ("body", "detail"),
    [
        (b'{"detail":"a"}', "a"),
        (b'{"error":{"message":"a","code":1}}', "a"),
        (b'{"error":"a"}', "a"),
        (b'{"message":"a","title":"b"}', "a"),
        (b'{"title":"b"}', "b"),
        (b'[{"message":"a"}]', "a"),
        (b'"a"', "a"),
        (b"a\n  b", "a b"),
        (b"", ""),
        (b"  <html>x</html>", ""),
        (b"{}", ""),
        (b"5", ""),
        (b'{"error":{"error":{"error":{}}}}', ""),
        (b"\xff", "\ufffd"),
        (b"x" * 1000, "x" * 300),
        (b" " * 60_000 + b"x", "x"),
        (b'{"detail":"a\\u001b[2Jb\\u009b1m\\u202ec\\u200bd\\u2028e\\ud83df"}', "a [2Jb 1m c d e f"),
        (b'{"error":' * 9 + b'"a"' + b"}" * 9, "a"),
        (b'{"error":' * 900 + b'"a"' + b"}" * 900, ""),
    ],
    ids=lambda value: repr(value)[:40],
)
def test_the_reason_is_found_in_any_shape(body: bytes, detail: str) -> None:
    assert read_detail(body) == detail


def test_a_body_that_is_nested_too_deeply_is_read_as_text() -> None:
    assert read_detail(b"[" * 100_000 + b"]" * 100_000) == "[" * 300


@pytest.mark.parametrize(
    ("error", "status", "sentence"),
    [
        ("busy", 529, "NVIDIA broke off the answer: busy"),
        ({"message": f"key {KEY}"}, 529, "NVIDIA broke off the answer: key nvapi-[hidden]"),
        ({"message": "", "code": 500}, 529, "NVIDIA broke off the answer: no reason given"),
        (True, 529, "NVIDIA broke off the answer: no reason given"),
        (" \n\x1b", 529, "NVIDIA broke off the answer: no reason given"),
        ("\x1b]0;x\x07busy\r\n\u202e", 529, "NVIDIA broke off the answer: ]0;x busy"),
    ],
    ids=repr,
)
def test_an_error_object_is_explained(error: object, status: int, sentence: str) -> None:
    explained = explain_stream_error(error)
    assert (explained.status, explained.message) == (status, sentence)


def test_an_error_that_is_nested_too_deeply_gives_no_reason() -> None:
    error: object = "busy"
    for _ in range(100_000):
        error = [error]
    assert explain_stream_error(error).message == "NVIDIA broke off the answer: no reason given"
