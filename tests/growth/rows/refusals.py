"""Rows for upstream's errors, for refusals that name a full context, and for the end of an answer."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from typing import Any

from tests.growth.measure import SMALL_DEPTH, Growth, Load


def repeat(unit: str, size: int) -> str:
    return (unit * (size // len(unit) + 1))[:size]


def ask(load: Load, prompt: str = "Go on.") -> Any:
    body = {"messages": [{"role": "user", "content": prompt}]}
    request = load("tray_app.translate.request.validation").read_request({"model": "any", **body})
    return load("tray_app.translate.request.chat").to_chat(request, load("tray_app.catalog").GLM_4_7)


def look_for_overflow(load: Load, text: str) -> object:
    overflow = load("tray_app.translate.refusal.overflow")
    no_counts = load("tray_app.translate.refusal.counts").NO_COUNTS
    return overflow.find_overflow(text, (), no_counts, 131_072, 1_000)


def compare_with_request(load: Load, prompt: str) -> object:
    """Explains a refusal. Each of its sentences is looked for in the whole request."""
    said = "The prompt has 140000 tokens. The context window is full at 131072 tokens. " * 20
    error, chat = {"message": f"Cannot read: {said}", "code": 400}, ask(load, prompt)
    return load("tray_app.translate.refusal.refusal").explain_stream_error(error, chat.model, chat)


def explain_everywhere(load: Load, body: bytes) -> object:
    refusal, model = load("tray_app.translate.refusal.refusal"), load("tray_app.catalog").GLM_4_7
    return (
        str(refusal.explain_refusal(422, body, model)),
        str(refusal.explain_malformed(body, model)),
        load("tray_app.translate.refusal.error_body").read_error_body(body).detail,
    )


def decode_and_explain(load: Load, body: bytes) -> object:
    """Reads an event of a stream, or the body of a 200."""
    refusal, model = load("tray_app.translate.refusal.refusal"), load("tray_app.catalog").GLM_4_7
    try:
        error = load("tray_app.translate.answer.chunk").decode_chunk(body).error
    except ValueError:
        return str(refusal.explain_malformed(body, model))
    return error and str(refusal.explain_stream_error(error, model))


def read_named(load: Load, names: list[str]) -> object:
    body = load("tray_app.translate.refusal.error_body")
    error = [{"type": name, "code": name, "message": "no"} for name in names]
    told = body.read_error(error)
    return told.named_status, told.is_about_money, body.is_error({"errors": error}, is_chunk=False)


def count(load: Load, times: int) -> object:
    """Takes usage in every chunk, under changing names."""
    reported = load("tray_app.translate.answer.reported_usage")
    tokens = load("tray_app.translate.answer.usage").TokenCount()
    for n in range(times):
        tokens.take(reported.Usage(prompt_tokens=n, input_tokens=n, cached_tokens=n, output_tokens=n))
    return tokens.to_usage(1_000, 50)


def finish_again_and_again(load: Load, times: int) -> object:
    module = load("tray_app.translate.answer.finish")
    finish = module.Finish(["END"])
    for n in range(times):
        reason = ("stop", "length", "stop_sequence", f"reason {n}")[n % 4]
        module.check_reason(reason)
        finish.take(reason)
    return finish.stop_reason(has_calls=False), finish.excuses_silence


WORDINGS = {
    "words": "word ",
    "prompts": "prompt ",
    "prompts with sizes": "prompt (length 1) ",
    "inputs that exceed": "input tokens exceed ",
    "limits": "maximum context length ",
    "what is exceeded": "exceeds the allowed ",
    "numbers": "140000 ",
    "numbers with separators": "1,000,",
    "one number": "1",
    "counts": "(140000 in the messages, 9 in the completion) ",
    "totals": "requested 140000 ",
    "shortages": "max_tokens must be at least 1, got ",
    "single quotes": "' ",
    "double quotes": '" a b',
    "backticks": "` a (",
    "apostrophes": "model's ",
    "quotes that are no words": "'a'b",
    "messages in messages": "'message': '",
    "echoes": "input_value=",
    "parentheses": "(",
    "marks": "_`'\"",
}
BODIES: dict[str, Callable[[int], bytes]] = {
    "words": lambda size: json.dumps({"message": repeat("prompt too long ", size)}).encode(),
    "errors in errors without an end": lambda size: b'{"error":' * (size // 10),
    "errors in lists without an end": lambda size: b'[{"error":' * (size // 12),
    "many errors": lambda size: json.dumps({"errors": [{"message": "no", "code": "a"}] * (size // 30)}).encode(),
    "many fields": lambda size: json.dumps({f"field {n}": "a" for n in range(size // 16)}).encode(),
    "a long name": lambda size: json.dumps({"type": "a" * size, "code": "b" * size, "message": "no"}).encode(),
    "a long number": lambda size: b'{"message":"no","code":"' + b"4" * size + b'"}',
}
NESTED_BODIES: dict[str, Callable[[int], bytes]] = {
    "errors in errors": lambda depth: b'{"error":' * depth + b"1" + b"}" * depth,
    "errors in lists": lambda depth: b'[{"error":' * (depth // 2) + b"1" + b"}]" * (depth // 2),
}
TEXTS: dict[str, Callable[[int], bytes]] = {
    "text": lambda size: repeat("the input is too long ", size).encode(),
    "a web page": lambda size: b"<html>" + b"<p>word</p>" * (size // 11),
    "half of an object": lambda size: b'{"message":"' + b"a" * size,
    "brackets": lambda size: b"[" * size,
}

ROWS = [
    *(
        Growth(f"full context, {name}", partial(repeat, unit), look_for_overflow, small=900)
        for name, unit in WORDINGS.items()
    ),
    Growth(
        "full context, compared with the request",
        partial(repeat, "The prompt has 140000 tokens "),
        compare_with_request,
    ),
    *(
        Growth(f"{kind}, {name}", make, run, small)
        for kind, run in (("error", explain_everywhere), ("event as error", decode_and_explain))
        for bodies, small in ((BODIES, 4_000), (NESTED_BODIES, SMALL_DEPTH))
        for name, make in bodies.items()
    ),
    *(Growth(f"error, {name}", make, explain_everywhere, small=4_000) for name, make in TEXTS.items()),
    Growth("error with many names", lambda n: ["InsufficientQuotaError"] * n, read_named, small=200),
    Growth("usage in every chunk", lambda n: n, count, small=200),
    Growth("finish in every chunk", lambda n: n, finish_again_and_again, small=200),
]
