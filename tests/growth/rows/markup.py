"""Rows for calls and think tags that a model wrote as text, for stop sequences, and for blank text."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from tests.growth.measure import Growth, Load

SCHEMAS = {"Bash": {"type": "object", "properties": {"command": {"type": "string"}}}}
GLM = "<tool_call>Bash<arg_key>command</arg_key><arg_value>"
MINIMAX = '<minimax:tool_call><invoke name="Bash"><parameter name="command">'
HERMES = '<tool_call>{"name": "'
INVOKE = '<invoke name="Bash"><parameter name="command">'
FUNCTION = "<function=Bash><parameter=command>"
KIMI = '<|tool_calls_section_begin|><|tool_call_begin|>functions.Bash:0<|tool_call_argument_begin|>{"a": "'
HARMONY = '<|channel|>commentary to=functions.Bash <|constrain|>json<|message|>{"a": "'

# what a text begins with, what it repeats, and what it ends with
TEXTS: dict[str, tuple[str, str, str]] = {
    "prose": ("", "word ", ""),
    "signs that begin no tag": ("", "<", ""),
    "tags that hold others": ("", "<tool_call<tool_call>", ""),
    "openers of calls": ("", "<tool_call>", ""),
    "openers with a name": ("", "<tool_call>Bash\n<arg_key>", ""),
    "openers of GLM values": ("", GLM, ""),
    "openers of GLM values, and a wrong end": ("", GLM, "</arg_value><arg_key><"),
    "openers of MiniMax calls": ("", '<minimax:tool_call><invoke name="Bash">', ""),
    "openers of MiniMax values": ("", MINIMAX, ""),
    "openers of MiniMax values, and a wrong end": ("", MINIMAX, '</parameter></invoke><invoke name="x">'),
    "openers of Hermes calls": ("", HERMES, ""),
    "openers of Hermes calls, each in a string of the one before": ("", '<tool_call>{"a": "', ""),
    "openers of Hermes calls in strings of the first": (HERMES, '<tool_call>{",":"', ""),
    "openers of calls without a block": ("", INVOKE + FUNCTION, ""),
    "blocks and calls without a block": ("", MINIMAX + "<tool_call>" + FUNCTION + INVOKE + "<function_calls>", ""),
    "calls without a block in a block that is none": ("<tool_call>", "<function=Bash></function>", ""),
    "openers of Kimi's calls": ("", KIMI, ""),
    "Kimi's calls without an end": (
        "<|tool_calls_section_begin|>",
        "<|tool_call_begin|>functions.Bash:0<|tool_call_argument_begin|>{}<|tool_call_end|>",
        "",
    ),
    "openers of gpt-oss's calls": ("", HARMONY, ""),
    "lists of calls": ("", '<TOOLCALL>[{"a": "', ""),
    "openers of all families": ("", GLM + MINIMAX + HERMES + INVOKE + FUNCTION + KIMI + HARMONY, ""),
    "openers of all families, in another order": ("", HERMES + MINIMAX + GLM + "</arg_value>", ""),
    "an open GLM value": (GLM, "word ", ""),
    "closers of calls in a GLM value": (GLM, "</tool_call>", ""),
    "closers of values in a GLM value": (GLM, "</arg_value> </tool_call", ""),
    "blanks behind a GLM value": (GLM + "</arg_value>", " ", ""),
    "keys in a GLM value": (GLM, "</arg_value><arg_key", ""),
    "a GLM key": ("<tool_call>Bash<arg_key>", "key ", ""),
    "blanks before a name": ("<tool_call>", "\n", "Bash"),
    "a name that nobody has": ("<tool_call>", "B", ""),
    "an open MiniMax value": (MINIMAX, "word ", ""),
    "closers of calls in a MiniMax value": (MINIMAX, "</invoke>", ""),
    "closers of values and calls in a MiniMax value": (MINIMAX, "</parameter></invoke> ", ""),
    "MiniMax calls without arguments": ("<minimax:tool_call>", '<invoke name="Bash"></invoke>', ""),
    "an open Hermes string": (HERMES, "word ", ""),
    "escapes in a Hermes string": (HERMES, "\\n", ""),
    "strings in a Hermes call": (HERMES, '", "', ""),
    "closers of calls in a Hermes string": (HERMES, "</tool_call>", ""),
    "closers of calls in Hermes strings": (HERMES, '"</tool_call>"', ""),
    "brackets in a Hermes call": ('<tool_call>{"a": ', "[", "</tool_call>"),
    "calls": ("", "<tool_call>Bash</tool_call>", ""),
    "calls with an argument": ("", GLM + "ls</arg_value></tool_call>", ""),
    "arguments": (
        "<tool_call>Bash",
        "<arg_key>command</arg_key><arg_value>ls</arg_value>",
        "</tool_call>",
    ),
    "think tags": ("", "<think></think>", ""),
    "think tags with text": ("", "<think>a</think>\nb", ""),
    "openers of thinking": ("", "<think>", ""),
    "closers of thinking": ("", "a</think>\n", ""),
    "closers of thinking between calls": ("", "<tool_call>Bash</tool_call></think>", ""),
    "line ends behind thinking": ("<think>a</think>", "\n", ""),
    "signs in thinking": ("<think>", "</", ""),
    "control tokens": ("", "<|user|>", ""),
    "backticks": ("", "`", ""),
    "tags in backticks": ("", "`<tool_call>`", ""),
    "tags in a fence": ("```", "<tool_call>", ""),
}


def _make(start: str, repeated: str, end: str) -> Callable[[int], str]:
    return lambda n: start + repeated * (n // len(repeated)) + end


def _read(size: int) -> Callable[[Load, str], None]:
    """Reads a text in chunks of `size` characters."""

    def read(load: Load, text: str) -> None:
        reader = load("tray_app.translate.markup.reader").MarkupReader(SCHEMAS)
        for start in range(0, len(text), size):
            chunk = text[start : start + size]
            if not reader.passes(chunk):
                reader.feed(chunk)
        reader.flush()

    return read


def _watch(size: int) -> Callable[[Load, tuple[list[str], str]], None]:
    """Watches a text in chunks of `size` characters for stop sequences."""

    def watch(load: Load, argument: tuple[list[str], str]) -> None:
        stops, text = argument
        watcher = load("tray_app.translate.answer.stops").StopWatcher(stops)
        for start in range(0, len(text), size):
            watcher.feed(text[start : start + size])
        watcher.flush()

    return watch


def _answer(load: Load, deltas: list[dict[str, str]]) -> None:
    """Translates an answer that streams in chunks of these deltas."""
    tools = [{"name": name, "input_schema": schema} for name, schema in SCHEMAS.items()]
    body = {"messages": [{"role": "user", "content": "hi"}], "tools": tools}
    request = load("tray_app.translate.request.validation").read_request({"model": "any", **body})
    chat = load("tray_app.translate.request.chat").to_chat(request, load("tray_app.catalog").GLM_4_7)
    translator = load("tray_app.translate.answer.stream").StreamTranslator(chat, "msg_1")
    for fields in deltas:
        chunk = json.dumps({"choices": [{"index": 0, "delta": fields}]}).encode()
        translator.answer.feed(load("tray_app.translate.answer.chunk").decode_chunk(chunk))
        translator.take()
    translator.finish()


CUTS = {"whole": 10**9, "by 1 character": 1}
"""Name -> the characters in a chunk."""

STOPS: dict[str, Callable[[int], tuple[list[str], str]]] = {
    "many stop sequences": lambda n: ([f"stop {number}" for number in range(n // 10)], "word stop " * (n // 10)),
    "a long stop sequence that nearly comes": lambda n: (["a" * (n // 2) + "b"], "a" * n),
    "stop sequences that nearly come": lambda n: (["a" * length + "b" for length in range(1, 40)], "a" * n),
    "stop sequences within each other": lambda n: (["a" * n + "b", "a" * (n // 2) + "c"], ("a" * (n // 2) + "d") * 2),
}
ANSWERS: dict[str, Callable[[int], list[dict[str, Any]]]] = {
    "blank text": lambda n: [{"content": " "}] * n,
    "blank thinking": lambda n: [{"reasoning_content": " "}] * n,
    "calls in content and in thinking that goes on": lambda n: (
        [
            {"content": "<tool_call>Bash</tool_call>"},
            {"reasoning_content": "<tool_call>Bash</tool_call>"},
            {"reasoning_content": "word"},
        ]
        * n
    ),
    "blank text between thoughts": lambda n: [{"content": " "}, {"reasoning_content": "a"}] * n,
}

ROWS = [
    *(
        # enough repetitions that each family has given up once
        Growth(f"markup: {name}, {cut}", _make(*parts), _read(size), small=max(600, 10 * len(parts[1])))
        for name, parts in TEXTS.items()
        for cut, size in CUTS.items()
    ),
    *(
        Growth(f"stops: {name}, {cut}", make, _watch(size), small=600)
        for name, make in STOPS.items()
        for cut, size in CUTS.items()
    ),
    *(Growth(f"answer: {name}", make, _answer, small=200) for name, make in ANSWERS.items()),
]
