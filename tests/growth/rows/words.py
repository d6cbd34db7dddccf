"""Rows for text from upstream and clients that goes to clients and to the log: hiding, cutting, escaping, learning."""

from __future__ import annotations

import base64
import json
import logging
from collections.abc import Callable
from functools import partial
from typing import Any
from urllib.parse import quote

from tests.growth.measure import SMALL_DEPTH, Growth, Load

KEY = "nvapi-Q7_xK2vLm-9Rt4WzPd8Yc3Hn6JbS1fGaUe5oTiN0wXq"
KEYS = (KEY, "correct-horse-battery-staple")
BODY: dict[str, Any] = {
    "model": "m",
    "messages": [{"role": "user", "content": "Go on."}],
    "max_tokens": 9,
    "temperature": 0.5,
    "top_p": 0.9,
    "tool_choice": "required",
    "chat_template_kwargs": {"enable_thinking": True},
}


def repeat(unit: str, size: int) -> str:
    return (unit * (size // len(unit) + 1))[:size]


# ---- keys


def hide(load: Load, text: str) -> object:
    return load("tray_app.redaction").hide_secrets(text, KEYS)


def log_line(load: Load, text: str) -> object:
    formatter = load("tray_app.app.log_file").RedactingFormatter()
    formatter.secrets = frozenset(KEYS)
    return formatter.format(logging.makeLogRecord({"msg": "upstream said: %s", "args": (text,), "levelname": "INFO"}))


def tell_client(load: Load, text: str) -> object:
    error = load("tray_app.errors").InvalidRequest(text)
    error.hide(KEYS)
    return error.body("req_1")


SECRETS = {
    "words": "some words of a text, as they come. ",
    "beginnings of keys": KEY[:8],
    "keys but for the last character": KEY[:-1] + "~",
    "keys": f"{KEY} ",
    "keys split by spaces": " ".join(KEY),
    "keys in percents": quote(KEY, safe="").replace("a", "%61"),
    "escaped keys": "".join(f"\\u{ord(character):04x}" for character in KEY),
    "keys in base64": base64.b64encode(KEY.encode()).decode(),
    "keys in hex": KEY.encode().hex(),
    "shapes that are too short": "nvapi-x ",
    "Bearer and blanks": "Bearer" + " " * 100,
    "backslashes": "\\",
    "percents": "%",
    "blanks": " ",
    "invisible characters": "\u200b",
    "ESC": "\x1b[2J",
    "line ends": "\r\n",
}

# ---- bodies


def make_pieces(unit: str, size: int) -> list[bytes]:
    """The JSON of a request in pieces of 1,000 bytes."""
    data = json.dumps({"messages": [repeat(unit, size)]}).encode()
    return [data[start : start + 1_000] for start in range(0, len(data), 1_000)]


def show_all(load: Load, pieces: list[bytes]) -> object:
    """With a limit just below the size, at which most of it is looked at."""
    return load("tray_app.redaction").show_json(pieces, sum(map(len, pieces)) - 10, KEYS)


def show_ends(load: Load, pieces: list[bytes]) -> object:
    return load("tray_app.redaction").show_json(pieces, 300, KEYS)


BODIES = {
    "words": SECRETS["words"],
    "data URLs": "data:image/png;base64,iVBORw0KGgo= ",
    "beginnings of data URLs": "data:",
    "long types of data URLs": "data:image/" + "a" * 100,
    "runs that are nearly long enough": "Ab3" * 66 + " ",
    "runs of one letter": "A" * 300 + " ",
    "one run": "Ab3",
    "data fields": '"data": "',
}

# ---- what upstream's complaints teach


def read(load: Load, answer: bytes) -> object:
    error_text = load("tray_app.translate.refusal.error_body").read_error_body(answer).error_text
    refusal = load("tray_app.translate.refusal.refusal")
    return (
        error_text,
        load("tray_app.translate.refusal.error_body").read_error_body(answer).detail,
        str(refusal.explain_stream_error({"message": error_text}, load("tray_app.catalog").GLM_4_7)),
    )


def understand(load: Load, text: str) -> object:
    error_text = load("tray_app.translate.refusal.error_text")
    plain = error_text.make_plain(text)
    return (
        *(error_text.find_rejection(plain, name) for name in BODY),
        error_text.find_allowed(plain),
        error_text.find_places(text),
        error_text.find_marked(text),
        error_text.is_about_content(text),
        load("tray_app.translate.refusal.quirk").find_quirks(text, BODY),
    )


def learn_in_trials(load: Load, times: int) -> object:
    """Many requests, each refused once, every second in vain."""
    quirks = load("tray_app.proxy.upstream.learned_quirks").Quirks()
    for n in range(times):
        try:
            with quirks.trial("m") as trial:
                body = {**BODY, "temperature": n}
                trial.take(trial.read(f"temperature must be between 2 and 3, got {n}", body), body)
                if n % 2:
                    raise ValueError
        except ValueError:
            pass
    return quirks.adapt("m", BODY)


def cut(load: Load, texts: tuple[str, list[bytes]]) -> object:
    return load("tray_app.translate.refusal.quotes").cut_quotes(*texts)


def make_request_with_quote(size: int) -> tuple[str, list[bytes]]:
    page = "Unsupported parameter(s): temperature, says the page, and that is not supported. "
    return f"Wrong: {page * 3}", make_pieces(f"{page} {repeat('other text ', 500)}", size)


def make_request_full_of_quotes(size: int) -> tuple[str, list[bytes]]:
    """Each word of the error text stands in the request, but not beside the one that it stands beside there."""
    words = [f"Hippopotamus {'gqzjkv'[n % 6] * 3} {'lmwsyo'[n // 6 % 6] * 3} swims slowly; " for n in range(36)]
    return "".join(words) * 3, make_pieces("".join(words[::-1]), size)


def make_request_of_the_same(size: int) -> tuple[str, list[bytes]]:
    return "z" * 4_000, make_pieces("z" * 1_000, size)


ERROR_TEXTS = {
    "words": "word ",
    "places of pydantic's": "'loc': (",
    "places of pydantic's, with a quote": "'loc': ('",
    "messages of pydantic's": "'loc': 'x', 'msg': \"",
    "entries of pydantic's": "'loc': 'x', 'msg': 'a', 'input': ",
    "echoes": "input_value=",
    "dots": ".",
    "paths": "a.b",
    "indices": "a[b",
    "names": "temperature ",
    "names of names": "unsupported parameter: a, ",
    "a list of names": "a, ",
    "a list that never ends": "field and ",
    "single quotes": "' ",
    "quotes and letters": "'a b c",
    "double quotes": '" a',
    "backslashes": "'\\",
    "marks": "(parameter=a",
    "limits": "temperature must be ",
    "what is expected": "expected ",
    "what is not supported": "does not support the ",
}
ANSWERS: dict[str, Callable[[int], bytes]] = {
    "text": lambda size: repeat("a b", size).encode(),
    "blanks": lambda size: b" " * size,
    "a web page": lambda size: b"<html>" + b"<" * size,
    "lists in lists without an end": lambda size: b"[" * size,
    "objects in objects without an end": lambda size: b'{"error":' * size,
    "a long text, deep": lambda size: b'{"error":' * 9 + b'"' + b"a" * size + b'"' + b"}" * 9,
    "a place of many names": lambda size: json.dumps({"loc": ["a"] * size, "detail": ["b"] * size}).encode(),
    "a place with a long name": lambda size: json.dumps({"loc": ["a" * size], "detail": ["b"] * size}).encode(),
    "many reasons": lambda size: json.dumps({"detail": [{"msg": "", "param": "a"}] * size}).encode(),
}
NESTED_ANSWERS: dict[str, Callable[[int], bytes]] = {
    "lists in lists": lambda depth: b"[" * depth + b"]" * depth,
    "objects in objects": lambda depth: b'{"error":' * depth + b"1" + b"}" * depth,
}

ROWS = [
    *(Growth(f"keys hidden in {name}", partial(repeat, unit), hide) for name, unit in SECRETS.items()),
    *(Growth(f"line of the log with {name}", partial(repeat, unit), log_line) for name, unit in SECRETS.items()),
    *(Growth(f"error sentence with {name}", partial(repeat, unit), tell_client) for name, unit in SECRETS.items()),
    *(Growth(f"body for the log, {name}", partial(make_pieces, unit), show_all) for name, unit in BODIES.items()),
    *(Growth(f"ends of a body, {name}", partial(make_pieces, unit), show_ends) for name, unit in BODIES.items()),
    Growth(
        "value for the log",
        lambda size: {"messages": [repeat("text ", size)] * 3},
        lambda load, body: load("tray_app.redaction").show_json((json.dumps(body).encode(),), 300, KEYS),
    ),
    Growth(
        "beginning of a text for the log",
        partial(repeat, KEY),
        lambda load, text: load("tray_app.redaction").show_start(text, len(text) // 2, KEYS),
    ),
    Growth(
        "margin for keys",
        lambda count: [KEY] * count,
        lambda load, keys: load("tray_app.redaction").find_margin_chars(keys),
    ),
    *(Growth(f"error body, {name}", make, read, small=4_000) for name, make in ANSWERS.items()),
    *(Growth(f"error body, {name}", make, read, small=SMALL_DEPTH) for name, make in NESTED_ANSWERS.items()),
    *(Growth(f"error text of {name}", partial(repeat, unit), understand, 900) for name, unit in ERROR_TEXTS.items()),
    Growth("quote of a page", make_request_with_quote, cut, small=20_000),
    Growth("quotes of everything", make_request_full_of_quotes, cut, small=20_000),
    Growth("quotes of one letter", make_request_of_the_same, cut, small=20_000),
    Growth("refusals that teach, in trials", lambda times: times, learn_in_trials, small=200),
]
