"""NVIDIA's errors and the client's errors that they become, as a table."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import Any

import pytest

from tests.support.validators import check_error
from tests.translate.rows import ask
from tray_app.catalog import GLM_4_7, GPT_OSS_20B
from tray_app.errors import (
    InvalidRequest,
    KeyRefused,
    ModelUnavailable,
    Overloaded,
    ProxyError,
    RateLimited,
    UpstreamFault,
    UpstreamUnusable,
    UserActionNeeded,
)
from tray_app.translate.answer.chunk import decode_chunk
from tray_app.translate.refusal.error_body import read_error_body
from tray_app.translate.refusal.refusal import explain_malformed, explain_refusal, explain_stream_error

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
MALFORMED = "NVIDIA's answer is malformed: a part of it is no chat completion. Please try again."
HTML = b"<!DOCTYPE html><html><head><title>502 Bad Gateway</title></head><body>nginx</body></html>"

TABLE: list[tuple[int, bytes, int, str, str]] = [
    # NVIDIA's error                                       the client's error
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
    (
        402,
        b'{"detail":"Cloud credits expired"}',
        400,
        "billing_error",
        r"^NVIDIA wants to be paid for GLM 4\.7: .*build",
    ),
    (
        429,
        b'{"error":{"message":"You exceeded your quota","type":"insufficient_quota","code":"insufficient_quota"}}',
        400,
        "billing_error",
        r"^NVIDIA wants to be paid for GLM 4\.7: ",
    ),
    (
        451,
        b"",
        400,
        "billing_error",
        r"^NVIDIA does not offer GLM 4\.7 where you are, for legal reasons \(HTTP 451\)\.",
    ),
    (405, b'{"detail":"Method Not Allowed"}', 502, "api_error", r"HTTP 405, .* Method Not Allowed$"),
    (408, b"", 502, "api_error", r"HTTP 408"),
    (202, b"", 502, "api_error", r"^NVIDIA answered with HTTP 202, which is no answer to a chat request\.$"),
    (302, b"", 502, "api_error", r"HTTP 302, a redirect to another place, .*\"nvidia_url\" in the settings\.$"),
]


@pytest.mark.parametrize(
    ("row", "status", "kind", "sentence"),
    [
        pytest.param((status, body), *told, id=f"{number}: {status} {body[:50]!r}")
        for number, (status, body, *told) in enumerate(TABLE)
    ],
)
def test_a_refusal_becomes_the_error_for_the_client(
    row: tuple[int, bytes], status: int, kind: str, sentence: str
) -> None:
    error = explain_refusal(*row, GLM_4_7)
    assert (error.status, error.type) == (status, kind)
    assert re.search(sentence, error.message), error.message
    assert KEY not in error.message
    assert "acc_9" not in error.message
    check_error(error.body("req_1"))


@pytest.mark.parametrize(("status", "body"), [(410, RETIRED), (404, NOT_FOUND)])
def test_the_error_for_a_retired_model_names_its_successor(status: int, body: bytes) -> None:
    sentence = explain_refusal(status, body, GLM_4_7).message
    assert 'in the tray menu, or set "model" to "z-ai/glm-5.3-flash" (GLM 5.3 Flash) in the settings file' in sentence
    assert "settings file" not in explain_refusal(status, body, GPT_OSS_20B).message


def test_the_pause_after_a_rate_limit_is_one_that_clients_accept() -> None:
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
    assert read_error_body(body).detail == detail


def test_a_body_that_is_nested_too_deeply_is_read_as_text() -> None:
    assert read_error_body(b"[" * 100_000 + b"]" * 100_000).detail == "[" * 300


# ---- a full context, whatever the status and the place

FULL = {
    "vLLM 2024": TOO_LONG,
    "vLLM 2025": TOO_LONG_TOO,
    "vLLM 2026": b'{"error":{"message":"You passed 140000 input tokens and requested 8192 output tokens. However, the '
    b"model's context length is only 131072 tokens, resulting in a maximum input length of 122880 tokens.\","
    b'"type":"BadRequestError","param":"input_tokens","code":400}}',
    "FastAPI": b'{"detail":"Input length 140000 exceeds the maximum allowed input length of 131072 tokens."}',
    "problem+json": b'{"status":500,"title":"Server Error","detail":"The decoder prompt (length 140000) is longer '
    b'than the maximum model length of 131072."}',
    "Triton": b'{"error":"in ensemble, Prompt length (140000) exceeds maximum input length (131072)"}',
    "llama.cpp": b'{"error":{"code":400,"message":"the request exceeds the available context size, try increasing it",'
    b'"type":"exceed_context_size_error","n_prompt_tokens":140000,"n_ctx":131072}}',
    "TGI": b'{"error":"Input validation error: `inputs` must have less than 131072 tokens. Given: 140000",'
    b'"error_type":"validation"}',
    "a list": b'[{"error":{"message":"prompt is too long: 140000 tokens > 131072 maximum"}}]',
    "text": b"Prompt contains 140000 tokens, too large for model with 131072 maximum context length",
}
PERMANENT = (401, 402, 403, 404, 410, 429, 451)


@pytest.mark.parametrize("status", [400, 413, 422, 500, 502, 503])
@pytest.mark.parametrize("body", FULL.values(), ids=list(FULL))
def test_a_prompt_that_is_too_long_is_recognised_with_any_status(body: bytes, status: int) -> None:
    error = explain_refusal(status, body, GLM_4_7)
    assert (error.status, error.type) == (400, "invalid_request_error")
    assert error.message == "prompt is too long: 140000 tokens > 131072 maximum"
    assert not error.is_transient
    assert not error.error_text, "there is nothing to learn"


@pytest.mark.parametrize("status", PERMANENT)
def test_these_statuses_are_never_about_the_length_of_a_prompt(status: int) -> None:
    assert "prompt is too long" not in explain_refusal(status, TOO_LONG, GLM_4_7).message


@pytest.mark.parametrize("body", [body for name, body in FULL.items() if name not in ("text", "a list")])
def test_a_prompt_that_is_too_long_is_recognised_in_a_stream(body: bytes) -> None:
    error = decode_chunk(body).error
    explained = explain_stream_error(error, GLM_4_7)
    assert explained.status == 400
    assert explained.message == "prompt is too long: 140000 tokens > 131072 maximum"


@pytest.mark.parametrize("body", [FULL["text"], FULL["a list"], b"error: " + FULL["text"]])
def test_a_prompt_that_is_too_long_is_recognised_in_a_payload_that_is_no_chunk(body: bytes) -> None:
    assert explain_malformed(body, GLM_4_7).message == "prompt is too long: 140000 tokens > 131072 maximum"


@pytest.mark.parametrize(
    "error",
    [
        {"code": "context_length_exceeded"},
        {"error": {"code": "context_length_exceeded", "message": "Please look at our website."}},
        {"error": {"type": "context_length_exceeded"}},
        {"error": {"message": "no"}, "code": "context_length_exceeded"},
        {"error": "no", "type": "context_length_exceeded", "status": 500},
    ],
    ids=repr,
)
def test_the_code_of_the_error_is_enough_to_recognise_a_prompt_that_is_too_long(error: dict[str, Any]) -> None:
    sentence = "prompt is too long: 131073 tokens > 131072 maximum"
    assert explain_stream_error(error, GLM_4_7).message == sentence
    for status in (400, 413, 500):
        assert explain_refusal(status, json.dumps(error).encode(), GLM_4_7).message == sentence


def test_the_estimate_replaces_a_missing_number_of_tokens() -> None:
    chat = replace(ask(), input_tokens=150_000)
    explained = explain_stream_error({"code": "context_length_exceeded"}, GLM_4_7, chat)
    assert explained.message == "prompt is too long: 150000 tokens > 131072 maximum"


def test_a_quote_about_a_prompt_that_is_too_long_is_ignored() -> None:
    said = "This model's maximum context length is 131072 tokens. However, you requested 140000 tokens."
    chat = ask(messages=[{"role": "user", "content": f"What does that mean: {said}"}])
    error = explain_refusal(422, json.dumps({"message": f"No number: {said}"}).encode(), GLM_4_7, chat)
    assert error.message.startswith("NVIDIA refused the request: No number: ")
    assert explain_refusal(422, json.dumps({"message": said}).encode(), GLM_4_7, ask()).message.startswith("prompt is")


# ---- errors in a stream, or in a 200

EOL = "The model 'z-ai/glm4.7' has reached its end of life on 2026-05-14 and is no longer available."


@pytest.mark.parametrize(
    ("error", "kind", "status", "sentence"),
    [
        ({"message": "bad key", "code": 401}, KeyRefused, 400, r"^NVIDIA refused your API key\. "),
        ({"error": {"message": "no", "code": 403}}, KeyRefused, 400, r"^NVIDIA refused your API key for GLM 4\.7\. "),
        ({"error": {"message": "no", "code": "402"}}, UserActionNeeded, 400, r"^NVIDIA wants to be paid"),
        ({"error": {"message": "no", "code": 404}}, ModelUnavailable, 400, r"^NVIDIA does not serve GLM 4\.7"),
        (
            {"status": 404, "title": "Not Found", "detail": "x"},
            ModelUnavailable,
            400,
            r"^NVIDIA does not serve GLM 4\.7",
        ),
        ({"error": {"message": EOL, "code": 410}}, ModelUnavailable, 400, r"^NVIDIA retired GLM 4\.7 on 2026-05-14"),
        ({"error": EOL}, ModelUnavailable, 400, r"^NVIDIA retired GLM 4\.7 on 2026-05-14"),
        ({"error": "slow down", "status_code": 429}, RateLimited, 429, r"rate limit for GLM 4\.7"),
        ({"object": "error", "message": "top_p", "code": 400}, InvalidRequest, 400, r"refused the request: top_p$"),
        ({"object": "error", "message": "top_p", "code": "400"}, InvalidRequest, 400, r"refused the request: top_p$"),
        ({"error": {"message": "no", "code": "HTTP 422"}}, InvalidRequest, 400, r"refused the request: no$"),
        ({"error": {"message": "no"}, "status": 422}, InvalidRequest, 400, r"refused the request: no$"),
        ({"detail": [{"loc": ["body", "n"], "msg": "no"}], "status": 422}, InvalidRequest, 400, r"the request: no$"),
        ({"error": {"message": "no", "code": 405}}, UpstreamUnusable, 502, r"HTTP 405"),
        ({"error": {"message": "no", "code": 409}}, UpstreamFault, 502, r"HTTP 409"),
        # the error has a name
        ({"error": {"message": "no", "type": "AuthenticationError"}}, KeyRefused, 400, r"key\. "),
        ({"error": {"message": "no", "code": "invalid_api_key"}}, KeyRefused, 400, r"key\. "),
        ({"error": {"message": "no", "type": "permission_error"}}, KeyRefused, 400, r"key for"),
        ({"error": {"message": "no", "code": "model_not_found"}}, ModelUnavailable, 400, r"does not serve"),
        ({"error": {"message": "no", "type": "rate_limit_error"}}, RateLimited, 429, r"rate limit"),
        ({"error": {"message": "no", "type": "TooManyRequests"}}, RateLimited, 429, r"rate limit"),
        ({"error": {"message": "no", "code": "insufficient_quota"}}, UserActionNeeded, 400, r"wants to be paid"),
        ({"error": {"message": "no", "type": "invalid_request_error", "code": None}}, InvalidRequest, 400, r": no$"),
        ({"object": "error", "message": "no", "type": "BadRequestError"}, InvalidRequest, 400, r": no$"),
        # a number takes precedence over a name
        ({"error": {"message": "no", "type": "BadRequestError", "code": 500}}, Overloaded, 529, r"answer: no$"),
        ({"error": {"message": "no", "type": "BadRequestError", "code": 429}}, RateLimited, 429, r"rate limit"),
        # the error is transient or unknown
        ({"message": "Function id 'x': DEGRADED function", "code": 400}, Overloaded, 529, r"answered with HTTP 400\.$"),
        ({"message": "no", "code": 503}, Overloaded, 529, r"answer: no$"),
        ({"message": "no", "code": "500"}, Overloaded, 529, r"answer: no$"),
        ({"message": "no", "code": 3}, Overloaded, 529, r"answer: no$"),
        ({"message": "no", "code": 40001}, Overloaded, 529, r"answer: no$"),
        ({"message": "no", "code": "1234"}, Overloaded, 529, r"answer: no$"),
        ({"message": "no", "code": True}, Overloaded, 529, r"answer: no$"),
        ({"message": "no", "type": "ModuleNotFoundError"}, Overloaded, 529, r"answer: no$"),
        ({"message": "no", "type": "server_error"}, Overloaded, 529, r"answer: no$"),
        ({"detail": "no"}, Overloaded, 529, r"answer: no$"),
    ],
    ids=repr,
)
def test_an_error_in_a_stream_counts_like_its_http_status(
    error: object, kind: type[ProxyError], status: int, sentence: str
) -> None:
    explained = explain_stream_error(error, GLM_4_7)
    assert type(explained) is kind
    assert explained.status == status
    assert re.search(sentence, explained.message), explained.message
    assert explained.is_transient == (kind in (Overloaded, RateLimited, UpstreamFault))
    check_error(explained.body("req_1"))
    check_error(explained.event_body("req_1"))


def test_an_error_in_a_stream_keeps_its_text_for_learning() -> None:
    error = {"error": {"message": "Validation: Unsupported parameter(s): `top_p`", "code": 400}}
    assert explain_stream_error(error, GLM_4_7).error_text == "Validation: Unsupported parameter(s): `top_p`"


@pytest.mark.parametrize(
    ("payload", "sentence"),
    [
        (b"", "NVIDIA's answer is empty. Please try again."),
        (b"<html>prompt is too long</html>", MALFORMED),
        (b"nonsense", MALFORMED),
        (b"[1]", MALFORMED),
        (b'{"choices":5}', MALFORMED),
        (b'[{"error":{"code":403}}]', "NVIDIA refused your API key for GLM 4.7. "),
        (b'"prompt is too long"', "prompt is too long: 131073 tokens > 131072 maximum"),
        (b"x" * 70_000 + b" prompt is too long", MALFORMED),
        (b"[" * 70_000, MALFORMED),
        (b"\xff\xfe", MALFORMED),
    ],
    ids=lambda value: repr(value[:40]),
)
def test_a_payload_that_is_no_chunk_becomes_an_error(payload: bytes, sentence: str) -> None:
    assert explain_malformed(payload, GLM_4_7).message.startswith(sentence)


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
def test_an_error_object_becomes_an_error_for_the_client(error: object, status: int, sentence: str) -> None:
    explained = explain_stream_error(error, GLM_4_7)
    assert (explained.status, explained.message) == (status, sentence)


def test_an_error_that_is_nested_too_deeply_gives_no_reason() -> None:
    error: object = "busy"
    for _ in range(100_000):
        error = [error]
    assert explain_stream_error(error, GLM_4_7).message == "NVIDIA broke off the answer: no reason given"
