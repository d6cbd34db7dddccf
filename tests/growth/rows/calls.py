"""Rows for ids and names of calls, think tags of every family, blocks without end, left-out null, and bare JSON."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from tests.growth.measure import Growth, Load

SCHEMA = {"type": "object", "properties": {"command": {"type": "string"}, "n": {"type": "integer"}}}
SCHEMAS = {"Bash": SCHEMA}


def read_markup(load: Load, pieces: list[str]) -> object:
    """Returns what is found in the text of an answer that the model has ended itself."""
    reader = load("tray_app.translate.markup.reader").MarkupReader(SCHEMAS)
    found = []
    for piece in pieces:
        if not reader.passes(piece):
            found += reader.feed(piece)
    return found, reader.flush(is_whole=True), reader.unclosed


def in_pieces(make: Callable[[int], str], size: int) -> Callable[[int], list[str]]:
    def cut(n: int) -> list[str]:
        text = make(n)
        return [text[place : place + size] for place in range(0, len(text), size)]

    return cut


def markup(name: str, make: Callable[[int], str], small: int = 2_000) -> list[Growth]:
    return [
        Growth(f"markup at the end, in one piece: {name}", lambda n: [make(n)], read_markup, small=small),
        Growth(f"markup at the end, in small pieces: {name}", in_pieces(make, 7), read_markup, small=small),
    ]


def repeat(text: str, before: str = "", after: str = "") -> Callable[[int], str]:
    return lambda n: before + text * (n // len(text)) + after


def find_names(load: Load, names: list[str]) -> object:
    """Looks up every name among all names, as it is and a little changed."""
    known = load("tray_app.translate.tool_names").ToolNames((name, name) for name in names)
    return [
        (known.find(name), known.find(f"functions.{name.upper()}"), known.may_begin_with(name[:3])) for name in names
    ]


def find_name(load: Load, written: str) -> object:
    known = load("tray_app.translate.tool_names").ToolNames([("Bash", "Bash")])
    return known.find(written), known.may_begin_with(written)


def converse(n: int) -> list[dict[str, Any]]:
    """Returns a conversation of n calls."""
    turns: list[dict[str, Any]] = []
    for k in range(n):
        use = {"type": "tool_use", "id": f"call_{k}", "name": "Bash", "input": {}}
        result = {"type": "tool_result", "tool_use_id": f"call_{k}", "content": "x"}
        turns += {"role": "assistant", "content": [use]}, {"role": "user", "content": [result]}
    return turns


def track(load: Load, messages: list[dict[str, Any]]) -> object:
    """Translates an answer whose calls have the ids of the conversation."""
    module, part = load("tray_app.translate.answer.calls"), load("tray_app.translate.answer.chunk").ToolCallPart
    request = load("tray_app.translate.request.validation").read_request({"model": "any", "messages": messages})
    used = frozenset(load("tray_app.translate.call_ids").read_used_ids(request.newest_blocks()))
    tracker = module.CallTracker("toolu_1", used)
    return [tracker.find(part(index=k, id=one), k).tool_id for k, one in enumerate(used)]


def read_arguments(load: Load, fragments: list[str]) -> object:
    parameters = load("tray_app.translate.schema.schema").Parameters(SCHEMA)
    reader = load("tray_app.translate.arguments.reader").ArgumentsReader(parameters)
    return [reader.feed(fragment) for fragment in fragments] + [reader.finish()]


def restore(load: Load, value: Any) -> object:
    schema = {"properties": {"list": {"type": "array", "items": SCHEMA}}}
    return load("tray_app.translate.schema.schema").Parameters(schema).restore("list", value)


def unite(load: Load, options: list[dict[str, Any]]) -> object:
    """Returns a parameter that may have the properties of any of these options."""
    parameters = load("tray_app.translate.schema.schema").Parameters({"properties": {"p": {"anyOf": options}}})
    return [parameters.restore("p", {name: "5" for one in options for name in one["properties"]}), parameters.sent]


def bare(load: Load, pieces: list[str]) -> object:
    reader = load("tray_app.translate.answer.bare_json").BareJson("{[")
    return [reader.feed(piece) for piece in pieces] + [reader.flush()]


def both(name: str, make: Callable[[int], str]) -> list[Growth]:
    return [
        Growth(f"bare JSON, in one piece: {name}", lambda n: [make(n)], bare),
        Growth(f"bare JSON, one character per piece: {name}", lambda n: list(make(n)), bare),
    ]


GLM_VALUE = "<tool_call>Bash<arg_key>command</arg_key><arg_value>"

ROWS = [
    *markup("think tags in lines that never close", repeat("\n<think>", "So.")),
    *markup("think tags of two families in lines that never close", repeat("\n<think>\n<mm:think>", "So.")),
    *markup("think tags in lines", repeat("\n<think>hm</think>", "So.")),
    *markup("think tags in mid sentence", repeat("a <think> and </think> ", "So ")),
    *markup("closing think tags that the thinking quotes", repeat('"</think>"', "<think>")),
    *markup("thinking that never closes", repeat("hm <", "<seed:think>")),
    *markup("thinking of gpt-oss that something else ends", repeat("<|channel|>analysis hm<|channel|>final so\n")),
    *markup("channels of gpt-oss that are none", repeat("<|channel|>commentary", "So.")),
    *markup("channels of gpt-oss without a call", repeat("<|channel|>analysis to=functions.Bash ", "So.")),
    *markup("white space at the beginning", repeat("\n ")),
    *markup(
        "a block of JSON without its end", repeat('"x", ', '<tool_call>{"name": "Bash", "arguments": {"a": [', "1]}}")
    ),
    *markup(
        "a block of JSON without its end, and wrong",
        repeat('"x", ', '<tool_call>{"name": "Bash", "arguments": {"a": ['),
    ),
    *markup("blocks of JSON that never end", repeat('<tool_call>{"name": "Bash", "arguments": {"a": "')),
    *markup("calls with JSON behind a name", repeat('<tool_call>Bash{"a": "')),
    *markup("openers in values, and JSON behind them", repeat(GLM_VALUE, after='</arg_value></tool_call>{"a": "x"')),
    *markup(
        "openers in the values of a call, and another call with JSON behind it",
        lambda n: (
            "<tool_call>"
            + "<function=Bash><parameter=n>" * (n // 60)
            + '</parameter></function><function=Bash>{"a": "'
            + "x" * (n // 2)
        ),
    ),
    *markup("a call of many arguments without its end", repeat("<parameter=n>1</parameter>", "<function=Bash>")),
    *markup("many calls in a block without its end", repeat("<function=Bash></function>", "<tool_call>")),
    *markup("many calls in JSON, one behind another", repeat('{"name": "Bash"}\n', "<tool_call>", "</tool_call>")),
    *markup("closing tags behind a call", repeat("</tool_call>", "<function=Bash></function>")),
    *markup("long names", repeat("Bash_", "<tool_call>")),
    *markup("what may be names", repeat("<tool_call>functions.Bas")),
    Growth("names of many tools, a little off", lambda n: [f"tool_{k}" for k in range(n // 10)], find_names),
    Growth("a name that is very long", lambda n: "functions." * (n // 10), find_name),
    Growth("ids of a long conversation", converse, track, small=200),
    Growth(
        "arguments: null again and again",
        lambda n: list('{"n": null' + ', "n": null' * (n // 11) + "}"),
        read_arguments,
    ),
    Growth("values: null in the objects of a list", lambda n: [{"n": None, "command": None}] * (n // 10), restore),
    Growth(
        "schema: many options with properties",
        lambda n: [{"properties": {f"p{k}": {"type": "integer"}}, "required": [f"p{k}"]} for k in range(n // 10)],
        unite,
    ),
    *both("prose", repeat("word ")),
    *both("brackets that begin nothing", repeat("[ {x ")),
    *both("a bracket and white space", repeat(" ", "{")),
    *both("line ends", repeat("\n")),
    *both("a long object", lambda n: "```json\n" + json.dumps({"a": ["x"] * (n // 5)}) + "\n```" + " so" * (n // 9)),
    *both("a string", repeat("x", '{"a": "', '"}')),
    Growth(
        "schema: the types of an answer",
        lambda n: {"anyOf": [{"type": "object"}] * (n // 10)},
        lambda load, schema: load("tray_app.translate.request.output").find_brackets(schema),
    ),
]
