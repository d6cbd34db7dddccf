"""Tests the repair of broken arguments: by this program, by the library, and within which budget."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.chunks import call, finish
from tests.translate.bounded import bounded
from tests.translate.broken import FAULTS, make_broken
from tests.translate.rows import ask
from tests.translate.upstream import MESSAGE_ID
from tray_app.translate.answer.chunk import decode_chunk
from tray_app.translate.answer.stream import StreamTranslator
from tray_app.translate.arguments.mending import MAX_LIBRARY_COST, LibraryBudget, mend, mend_with_library
from tray_app.translate.arguments.reader import ArgumentsReader
from tray_app.translate.schema.schema import Parameters

MOST_AT_ODDS = {
    "no quote that is escaped": 15,
    "raw line ends, and no quote that is escaped": 20,
    "no closing quote": 10,
    "a cut": 10,
    "a cut and a quote that is not escaped": 15,
}
"""How many of a hundred texts may be misread. In some of them nothing shows where a string ends."""

READ_BY_THE_LIBRARY = "{command: ls -la, n: 1}"
"""The library puts quotes around words. This program's own reader does not guess that much."""


def read(*fragments: str, schema: dict[str, Any] | None = None) -> Any:
    reader = ArgumentsReader(Parameters(schema or {}))
    return json.loads("".join([reader.feed(fragment) for fragment in fragments] + [reader.finish()]))


def names(*parameters: str) -> dict[str, Any]:
    return {"type": "object", "properties": {name: {} for name in parameters}}


@pytest.mark.parametrize("fault", FAULTS)
def test_broken_arguments_are_mended_no_worse_than_by_the_library(fault: str) -> None:
    texts = list(make_broken(fault, 20))
    at_odds = [broken for broken in texts if mend(broken.text, broken.is_parameter) != broken.meant]
    assert len(at_odds) <= len(texts) * MOST_AT_ODDS.get(fault, 1) / 100
    given_up = [broken for broken in at_odds if mend(broken.text, broken.is_parameter) is None]
    misread = [broken for broken in at_odds if broken not in given_up]
    assert not [broken for broken in misread if mend_with_library(broken.text) == broken.meant]


@pytest.mark.parametrize("fault", FAULTS)
def test_broken_arguments_mean_the_same_in_any_fragments(fault: str) -> None:
    for broken in make_broken(fault, 5):
        whole = read(broken.text, schema=broken.schema)
        assert read(*broken.text, schema=broken.schema) == whole
        middle = len(broken.text) // 2
        assert read(broken.text[:middle], broken.text[middle:], schema=broken.schema) == whole


# what a model writes -> what the parameters a and b are meant to be
WHERE_STRINGS_END: dict[str, tuple[str, dict[str, Any]]] = {
    "before another parameter": ('{"a": "x "y", "z": 1", "b": "w"}', {"a": 'x "y", "z": 1', "b": "w"}),
    "before a key that the tool does not know, if all is well from there": (
        '{"a": "x "y"", "z": [1]}',
        {"a": 'x "y"', "z": [1]},
    ),
    "not before a parameter that was there": (
        '{"a": "w", "b": "x "y", "a": "z" v"}',
        {"a": "w", "b": 'x "y", "a": "z" v'},
    ),
    "at the end of the object": ('{"a": "{"k": "v"}"}', {"a": '{"k": "v"}'}),
    "at the last brace before other words": ('{"a": "x "y" z"} so be it', {"a": 'x "y" z'}),
    "before another parameter, although its quote is missing": ('{"a": "\nx, "b": 1}', {"a": "\nx", "b": 1}),
    "at the end of the text": ('{"a": "x\ny', {"a": "x\ny"}),
    "before a brace that it did not open": ('{"a": "x\ny}', {"a": "x\ny"}),
    "behind a brace that it opened": ('{"a": "\n{}', {"a": "\n{}"}),
}


@pytest.mark.parametrize("where", WHERE_STRINGS_END)
def test_a_string_ends_at_the_right_quote(where: str) -> None:
    text, meant = WHERE_STRINGS_END[where]
    assert read(text, schema=names("a", "b")) == meant
    assert read(*text, schema=names("a", "b")) == meant


# what a model writes -> the object that is meant
MENDED: dict[str, tuple[str, dict[str, Any]]] = {
    "line ends and tabs": ('{"a": "x\n\ty", "b": ["\n"]}', {"a": "x\n\ty", "b": ["\n"]}),
    "escapes that JSON does not know": (r'{"a": "\d \' \u12 \\"}', {"a": "\\d ' \\u12 \\"}),
    "both halves of an escaped emoji": ('{"a": "\n\\ud83d\\ude00"}', {"a": "\n😀"}),
    "half an escape at the end": ('{"a": "\nx\\', {"a": "\nx"}),
    "Python's strings": ("{'a': 'it\\'s', 'b': \"it's\"}", {"a": "it's", "b": "it's"}),
    "Python's words": ("{'a': [True, False, None], 'b': -1.5e3}", {"a": [True, False, None], "b": -1500.0}),
    "commas too many": ('{"a": [1,,2,], "b": {"c": 1,},}', {"a": [1, 2], "b": {"c": 1}}),
    "commas too few": ('{"a": 1 "b": 2}', {"a": 1, "b": 2}),
    "a bracket too few": ('{"a": [1, 2}, "b": 2}', {"a": [1, 2], "b": 2}),
    "a bracket too many": ('{"a": [1, 2]], "b": 2}', {"a": [1, 2], "b": 2}),
    "a brace too few": ('{"a": [{"b": 1], "c": 2}', {"a": [{"b": 1}], "c": 2}),
    "a brace too many": ('{"a": {"b": "x"}}, "c": 2}', {"a": {"b": "x"}, "c": 2}),
    "the wrong bracket": ('{"a": {"b": 1], "c": 2}', {"a": {"b": 1}, "c": 2}),
    "no value": ('{"a": , "b": 1}', {"b": 1}),
    "a key that ends with the text": ('{"a": 1, "b"', {"a": 1}),
    "a code fence": ('```json\n{"a": 1}\n```', {"a": 1}),
    "quotes in strings of a list": ('{"a": ["x "y" z", "w"], "b": 1}', {"a": ['x "y" z', "w"], "b": 1}),
    "quotes in strings of objects": ('{"a": [{"b": "x "y" z", "c": "w"}]}', {"a": [{"b": 'x "y" z', "c": "w"}]}),
    "encoded twice and broken": ('"{\\"a\\": 1,}"', {"a": 1}),
}


@pytest.mark.parametrize("name", MENDED)
def test_a_broken_object_is_mended(name: str) -> None:
    text, meant = MENDED[name]
    assert mend(text) == meant
    assert read(text) == meant
    assert read(*text) == meant


@pytest.mark.parametrize("text", ['{"a": ls}', "{1: 2}", "ls -la", '{"a": ' * 200, '[{"a": 1}'])
def test_unusual_faults_are_left_to_the_library(text: str) -> None:
    assert mend(text) is None


@bounded
@given(st.lists(st.sampled_from(['{"a": ', '"', "'", "{", "}", ",", ":", "[", "]", "1", " ", "\\", "\n", '", "b": '])))
def test_any_text_is_mended_to_an_object_or_not_at_all(words: list[str]) -> None:
    for text in ("".join(words), "{" + "".join(words)):
        assert isinstance(mend(text), dict | None)
        assert isinstance(mend(text, "b".__eq__), dict | None)


def test_the_library_leaves_out_a_key_without_a_value() -> None:
    assert mend_with_library('{a: b, "c" : ') == {"a": "b"}
    assert mend_with_library("ls -la") is None
    assert mend_with_library("{ }") == {}


def test_the_library_reads_short_texts_as_far_as_the_budget_of_an_answer_goes() -> None:
    budget = LibraryBudget()
    readers = [ArgumentsReader(budget=budget) for _ in range(MAX_LIBRARY_COST // len(READ_BY_THE_LIBRARY) ** 2)]
    for reader in readers:
        reader.feed(READ_BY_THE_LIBRARY)
    unmended = [reader for reader in readers if reader.unmended]
    assert 0 < len(unmended) < len(readers)
    assert budget.left < len(READ_BY_THE_LIBRARY) ** 2 * 2
    meant = [json.loads(reader.finish()) for reader in readers]
    assert meant[0] == {"command": "ls -la", "n": 1}
    assert meant[-1] == {"arguments": READ_BY_THE_LIBRARY}


def long_text() -> str:
    return READ_BY_THE_LIBRARY.replace("ls", "ls " * 1_000)


def test_a_text_beyond_the_budget_can_be_mended_elsewhere() -> None:
    reader = ArgumentsReader()
    given_out = reader.feed('{"a": 1, "b": 2, ' + long_text()[1:])
    assert reader.unmended.startswith('{ "b": 2, command: ls ls')
    reader.take_mended({"b": 2, "n": 1})
    assert reader.unmended == ""
    assert json.loads(given_out + reader.finish()) == {"a": 1, "b": 2, "n": 1}


def test_arguments_that_cannot_be_mended_are_kept_as_they_came() -> None:
    for tells in (True, False):
        reader = ArgumentsReader()
        reader.feed(long_text())
        assert reader.unmended == long_text()
        if tells:
            reader.take_mended(None)
        assert json.loads(reader.finish()) == {"arguments": long_text()}


def test_only_arguments_that_were_not_returned_are_left_to_be_mended() -> None:
    reader = ArgumentsReader(Parameters(names("a", "b", "c")))
    given_out = reader.feed('{"a": "x", "b": "' + "y" * 10_000)
    assert reader.unmended == ""
    given_out += reader.feed('" z, "c": ' + "ls " * 1_000)
    assert reader.unmended == '{"b":"" z, "c": ' + "ls " * 1_000
    reader.take_mended({"b": "! z", "c": 1})
    assert json.loads(given_out + reader.finish()) == {"a": "x", "b": "y" * 10_000 + "! z", "c": 1}


@pytest.mark.parametrize(("reason", "count"), [("tool_calls", 1), ("length", 0)])
def test_an_answer_tells_which_of_its_calls_are_to_be_mended(reason: str, count: int) -> None:
    """A call in which the answer ran out of tokens is not repaired."""
    tools = [{"name": "Bash", "input_schema": names("command")}, {"name": "Read", "input_schema": names("n")}]
    translator = StreamTranslator(ask(tools=tools), MESSAGE_ID)
    for chunk in (
        call(0, "a", "Read", '{"n": 1,}'),
        call(1, "b", "Bash", long_text()),
        finish(reason),
    ):
        translator.answer.feed(decode_chunk(json.dumps(chunk).encode()))
    readers = translator.answer.unmended_calls()
    assert len(readers) == count
    for reader in readers:
        reader.take_mended(mend_with_library(READ_BY_THE_LIBRARY))
    assert translator.answer.unmended_calls() == []
    translator.finish()
    assert (b"ls -la" in translator.take()) == (count > 0)
