"""Rows for the arguments of one call: JSON as a model writes it, broken or not, in fragments of any size."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from tests.growth.measure import SMALL_DEPTH, Growth, Load

SCHEMA = {
    "type": "object",
    "properties": {
        "content": {"type": "string"},
        "n": {"type": ["integer", "null"]},
        "items": {"type": "array", "items": {"type": "string"}},
    },
}


def read(load: Load, fragments: list[str]) -> object:
    """Returns the object. After each fragment it asks what the gateway asks about a streamed call."""
    parameters = load("tray_app.translate.schema.schema").Parameters(SCHEMA)
    reader = load("tray_app.translate.arguments.reader").ArgumentsReader(parameters)
    pieces = []
    for fragment in fragments:
        pieces.append(reader.feed(fragment))
        _ = reader.is_complete, reader.is_truncated, reader.is_runaway, reader.take_extra()
    _ = reader.unmended, reader.unmended
    return "".join([*pieces, reader.finish()])


def read_cut(load: Load, fragments: list[str]) -> object:
    """Returns the arguments of an answer that ran out of tokens."""
    reader = load("tray_app.translate.arguments.reader").ArgumentsReader()
    return [reader.feed(fragment) for fragment in fragments] + [reader.finish(is_cut=True)]


def read_again(load: Load, fragments: list[str]) -> object:
    """Reads a call that broke off, and that a second answer completes."""
    reader = load("tray_app.translate.arguments.reader").ArgumentsReader()
    pieces = [reader.feed(fragment) for fragment in fragments]
    assert reader.restart("".join(fragments) + '"}')
    return [*pieces, reader.finish(), *(reader.feed(fragment) for fragment in fragments), reader.take_extra()]


def split(load: Load, text: str) -> object:
    """Reads the objects that are glued into one text, each as a call of its own."""
    module = load("tray_app.translate.arguments.reader")
    reader = module.ArgumentsReader()
    pieces = [reader.feed(text)]
    while extra := reader.take_extra():
        pieces.append(reader.finish())
        reader = module.ArgumentsReader()
        pieces.append(reader.feed(*extra))
    return [*pieces, reader.finish()]


def write(load: Load, keys: list[str]) -> object:
    """Writes an object of many members, of which every second one was not written before the JSON broke."""
    parameters = load("tray_app.translate.schema.schema").Parameters(SCHEMA)
    writer = load("tray_app.translate.arguments.object_writer").ObjectWriter(parameters)
    for key in keys[::2]:
        writer.end_member(key, "1")
        _ = writer.take(), writer.is_awaited(key)
    writer.write_meant(dict.fromkeys(keys, "x"))
    return writer.take()


def scan(load: Load, fragments: list[str]) -> object:
    scanner = load("tray_app.translate.arguments.json_value").ValueScanner()
    return [scanner.scan(fragment, 0) for fragment in fragments]


def mend(load: Load, text: str) -> object:
    """Returns the meaning of a text, with and without the names of the tool's parameters."""
    module = load("tray_app.translate.arguments.mending")
    return module.mend(text), module.mend(text, lambda key: key in SCHEMA["properties"])


def mend_within(load: Load, text: str) -> object:
    """Reads a text that only the library can read. Beyond its budget it does not try."""
    module = load("tray_app.translate.arguments.mending")
    return module.mend_within(module.LibraryBudget(), text, None)


def mend_briefly(load: Load, texts: list[str]) -> object:
    """Reads many short texts of one answer that only the library can read. They share its budget."""
    module = load("tray_app.translate.arguments.mending")
    budget = module.LibraryBudget()
    return [module.mend_within(budget, text, None) for text in texts]


def read_input(load: Load, text: str) -> object:
    return load("tray_app.translate.answer.message").read_input(text)


def in_ones(make: Callable[[int], str]) -> Callable[[int], list[str]]:
    """Cuts a text into fragments of one character."""
    return lambda n: list(make(n))


def in_fours(make: Callable[[int], str]) -> Callable[[int], list[str]]:
    """Cuts a text into fragments of four characters, which is about the size of a token."""

    def cut(n: int) -> list[str]:
        text = make(n)
        return [text[place : place + 4] for place in range(0, len(text), 4)]

    return cut


def write_code(n: int) -> str:
    """Returns the arguments of a call that writes a file of code. The first quote in the code is not escaped."""
    code = "".join(f'    print("line {number}", row[\'a\'], {{"k": [1, 2]}})\n' for number in range(n // 50))
    return json.dumps({"content": code}).replace('\\"', '"', 1)


def repeat_all_so_far(n: int) -> list[str]:
    """Returns twelve fragments, each of which repeats all that came before it."""
    text = '{"content": "' + "x" * n + '"}'
    return [text[: len(text) * part // 12] for part in range(2, 13)]


def both(name: str, make: Callable[[int], str], **fields: Any) -> list[Growth]:
    return [
        Growth(f"arguments, one character per fragment: {name}", in_ones(make), read, **fields),
        Growth(f"arguments, four characters per fragment: {name}", in_fours(make), read, **fields),
    ]


ROWS = [
    # whole
    *both("a string", lambda n: '{"content": "' + "x" * n + '"}'),
    *both("a string of escapes", lambda n: '{"content": "' + "\\u00fc\\n" * (n // 8) + '"}'),
    *both("a long list", lambda n: '{"items": [' + "1, " * (n // 3) + "1]}"),
    *both("a list of strings", lambda n: '{"items": [' + '"a\\"b", ' * (n // 8) + '"c"]}'),
    *both("a long key", lambda n: '{"' + "k" * n + '": 1}'),
    *both("many members", lambda n: json.dumps({f"key{number}": number for number in range(n // 14)})),
    *both("a value nested deeply", lambda depth: '{"a": ' * depth + "1" + "}" * depth, small=SMALL_DEPTH),
    *both("a value nested deeply that is broken", lambda n: '{"a": ' * (n // 6) + "x" + "}" * (n // 6)),
    *both("a number of many digits", lambda n: '{"n": ' + "1" * n + "}", small=5_000),
    *both("white space between values", lambda n: '{"n": 1' + " " * n + "}"),
    *both("white space in a string of a list", lambda n: '{"items": ["' + " " * n),
    *both("opening braces", lambda n: "{" * n),
    Growth("arguments that are repeated in every chunk", repeat_all_so_far, read),
    Growth("arguments glued together", lambda n: '{"a":1} ' * (n // 8), split),
    Growth("arguments that were cut", in_fours(lambda n: '{"a": [' + "1, " * (n // 3)), read_cut),
    Growth("arguments that broke off", in_fours(lambda n: '{"content": "' + "x" * n), read_again),
    Growth("members written to a client", lambda n: [f"key{number}" for number in range(n // 7)], write),
    Growth("the end of a value", in_ones(lambda n: '[{"a": "\\"b"}, ' * (n // 15) + "]" * n), scan),
    Growth("the input of a call: a number of many digits", lambda n: '{"n": ' + "1" * n + "}", read_input, small=5_000),
    Growth("the input of a call: nested deeply", lambda n: '{"a":' * n + "1" + "}" * n, read_input, small=SMALL_DEPTH),
    Growth("the input of a call: nested deeply and broken", lambda n: '{"a":' * n + "x" + "}" * n, read_input),
    # broken
    *both("code with a quote that is not escaped", write_code),
    *both("white space behind the place where it broke", lambda n: '{"n": 1 x' + " " * n + "}"),
    *both("white space in broken text", lambda n: '{"content": "a "b"' + " " * n + 'c"}'),
    *both("quotes", lambda n: '{"content": "a ' + '"' * n),
    *both("a list that is broken", lambda n: '{"items": [1, "a" b' + '["' * (n // 2)),
    Growth("broken text: what may end a string", lambda n: '{"a": "b" c' + '", "d": 1' * (n // 9) + "x", mend),
    Growth("broken text: what may end it, but opens a list", lambda n: '{"a": "' + '", "d": ["' * (n // 10), mend),
    Growth(
        "broken text: quotes and white space",
        lambda n: '{"a": "b" c' + f'"{" " * 200},' * (n // 202),
        mend,
        small=4_000,
    ),
    Growth("broken text: quotes and a comma", lambda n: '{"a": "b" c' + '","' * (n // 3), mend),
    Growth("broken text: quotes and braces", lambda n: '{"a": "b" c' + '"}' * (n // 2) + "d", mend),
    Growth("broken text: half keys", lambda n: '{"a": "b" c' + ("\", '" + "k" * 200) * (n // 204) + "x", mend),
    Growth("broken text: backslashes", lambda n: '{"a": "b" c' + "\\" * n, mend),
    Growth("broken text: escapes that JSON does not know", lambda n: '{"a": "b" c' + "\\q" * (n // 2) + '"}', mend),
    Growth("broken text: lists with a comma too many", lambda n: "{" + '"a": [1,],' * (n // 10), mend),
    Growth("broken text: lists that stay open", lambda n: '{"a": [1,' + '["b", ' * (n // 6), mend),
    Growth("broken text: objects that stay open", lambda n: '{"a": ' * (n // 6) + "x", mend),
    Growth("broken text: strings of a list", lambda n: '{"a": [' + '"b" c", ' * (n // 8) + "]", mend),
    Growth("broken text: a brace too many, again and again", lambda n: "{" + '"a": "b"}, ' * (n // 11), mend),
    Growth("broken text: Python's quotes", lambda n: "{" + "'a': 'it\\'s', " * (n // 14) + "}", mend),
    Growth("broken text: nested deeply", lambda n: '{"a":' * (n // 5), mend),
    Growth("broken text: encoded twice", lambda n: json.dumps(write_code(n)), mend),
    Growth("text that only the library can read", lambda n: "{" + "a b: c, " * (n // 8), mend_within),
    Growth("many texts that only the library can read", lambda n: ['{a: b c "'] * (n // 9), mend_briefly, small=4_000),
]
