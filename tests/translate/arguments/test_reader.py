"""Tests that the arguments of a call become an object, whose settled text is returned at once."""

from __future__ import annotations

import itertools
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.translate.bounded import bounded
from tray_app.translate.arguments.reader import MAX_BLANKS, MAX_BLANKS_IN_TEXT, ArgumentsReader
from tray_app.translate.schema.schema import Parameters


def read(*fragments: str, schema: dict[str, Any] | None = None, is_cut: bool = False) -> str:
    """Returns the text of the object that the fragments become."""
    reader = ArgumentsReader(Parameters(schema or {}))
    return "".join([reader.feed(fragment) for fragment in fragments] + [reader.finish(is_cut=is_cut)])


def pieces(*fragments: str) -> list[str]:
    """Returns the text that each fragment settles."""
    reader = ArgumentsReader()
    return [reader.feed(fragment) for fragment in fragments]


# what a model writes -> the object that the client gets
MENDED: dict[str, tuple[str, dict[str, Any]]] = {
    "nothing": ("", {}),
    "white space": (" \n", {}),
    "null": ("null", {}),
    "an empty object": (" { } ", {}),
    "an object": ('{"a": 1, "b": [1, {"c": null}], "d": "x\\n\\u00fc"}', {"a": 1, "b": [1, {"c": None}], "d": "x\nü"}),
    "white space around it": (' \n{ "a" : "x" , "b" : 2 }\n ', {"a": "x", "b": 2}),
    "a trailing comma": ('{"a": 1,}', {"a": 1}),
    "a trailing comma after text": ('{"a": "x", \n}', {"a": "x"}),
    "no closing brace": ('{"a": 1', {"a": 1}),
    "no closing quote": ('{"command": "ls -la', {"command": "ls -la"}),
    "no closing bracket": ('{"a": [1, 2', {"a": [1, 2]}),
    "half a key": ('{"a": "x", "b', {"a": "x"}),
    "a key without a value": ('{"a": "x", "b": ', {"a": "x"}),
    "one brace too many": ('{"a": 1}}', {"a": 1}),
    "words after it": ('{"a": "x"} as asked', {"a": "x"}),
    "quotes that are not escaped": ('{"command": "echo "hello" you", "n": 1}', {"command": 'echo "hello" you', "n": 1}),
    "single quotes": ("{'a': 'x'}", {"a": "x"}),
    "keys without quotes": ('{a: "x"}', {"a": "x"}),
    "a raw line end in a string": ('{"a": "x\ny", "b": 2}', {"a": "x\ny", "b": 2}),
    "Python's words": ('{"a": True, "b": None}', {"a": True, "b": None}),
    "no number": ('{"a": NaN}', {"a": None}),
    "an object encoded twice": ('"{\\"a\\": 1}"', {"a": 1}),
    "an object in a list": ('[{"a": 1}]', {"a": 1}),
    "a list": ("[1]", {"arguments": [1]}),
    "text": ("ls -la", {"arguments": "ls -la"}),
    "a key twice": ('{"a": 1, "a": 2}', {"a": 2}),
    "half a surrogate pair": ('{"a": "\\ud83d", "b": "\ud83d"}', {"a": "\ud83d", "b": "\ud83d"}),
}


@pytest.mark.parametrize("name", MENDED)
def test_arguments_become_the_object_that_they_mean(name: str) -> None:
    text, meant = MENDED[name]
    assert json.loads(read(text)) == meant


@pytest.mark.parametrize("name", MENDED)
def test_any_cut_means_the_same(name: str) -> None:
    text, meant = MENDED[name]
    assert json.loads(read(*text)) == meant
    for cut in range(len(text)):
        assert json.loads(read(text[:cut], text[cut:])) == meant


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=8,
)
OBJECTS = st.dictionaries(st.text(max_size=4), JSON, max_size=4)


@bounded
@given(OBJECTS, st.booleans(), st.sampled_from([None, 1]), st.lists(st.integers(0, 999), max_size=8))
def test_any_object_in_any_slices_comes_out_as_it_is(
    value: dict[str, Any], ensure_ascii: bool, indent: int | None, cuts: list[int]
) -> None:
    text = json.dumps(value, ensure_ascii=ensure_ascii, indent=indent)
    places = sorted({0, len(text), *(cut % (len(text) + 1) for cut in cuts)})
    fragments = [text[start:end] for start, end in itertools.pairwise(places)]
    assert json.loads(read(*fragments)) == value


@bounded
@given(st.lists(st.sampled_from(['{"a":', '"x"', '"', "{", "}", ",", ":", "[", "]", "1", " ", "\\", "\n", "a"])))
def test_whatever_a_model_writes_an_object_comes_out(words: list[str]) -> None:
    assert isinstance(json.loads(read(*words)), dict)
    reader = ArgumentsReader()
    given_out = "".join([reader.feed(word) for word in words] + [reader.finish(is_cut=True)])
    assert isinstance(given_out, str)


def test_text_is_returned_as_it_arrives_and_all_else_once_it_is_complete() -> None:
    assert pieces('{"pa', 'th": "/h', "om", 'e", "n": 1', '2, "l": [1', ', 2], "x', '": {}', "}") == [
        *("", '{"path": "/h', "om"),
        *('e"', ', "n": 12', ', "l": [1, 2]', "", ""),
    ]


def test_valid_arguments_stay_as_the_model_wrote_them() -> None:
    numbers = ", ".join(["1"] * 1000)
    text = f'{{"a": [{numbers}], "b": "x",  "c" : 1.50}}'
    assert read(*text) == text
    assert read(text[:-20], text[-20:]) == text


def test_arguments_are_repaired_from_the_place_where_they_break() -> None:
    assert read('{"a":  "x", "b": [1, "y') == '{"a":  "x","b":[1,"y"]}'
    assert read('{"a":  "say "hi", b"}') == '{"a":  "say \\"hi\\", b"}'


def test_half_an_escape_is_held_back() -> None:
    assert pieces('{"a": "x\\', "n\\u00", 'fc\\"') == ['{"a": "x', "\\n", '\\u00fc\\"']


def test_arguments_that_every_chunk_repeats_are_returned_once() -> None:
    assert read('{"a"', '{"a": "x', '{"a": "xy"', '{"a": "xy"}') == '{"a": "xy"}'
    assert read('{"a": ', '"x"}', '{"a": "x"}') == '{"a": "x"}'


def test_another_object_behind_the_first_is_returned_as_extra_text() -> None:
    for fragments in (('{"a": 1} {"b": 2}',), ('{"a": 1}', '{"b"', ": 2}"), tuple('{"a": 1}{"b": 2}')):
        reader = ArgumentsReader()
        assert "".join(map(reader.feed, fragments)) == '{"a": 1}'
        text, start = reader.take_extra() or ("", 0)
        assert text[start:] == '{"b": 2}'
        assert reader.finish() == ""


@pytest.mark.parametrize("start", ['{"a": 1', '{"a": "x"', '{"a": [1', "{", '{"a": 1,', '{"a": "x"}'])
def test_white_space_without_end_is_noticed(start: str) -> None:
    reader = ArgumentsReader()
    reader.feed(start)
    for _ in range(MAX_BLANKS - 1):
        reader.feed(" ")
        assert not reader.is_runaway
    reader.feed("\n")
    assert reader.is_runaway


@pytest.mark.parametrize("start", ['{"a": "x', '{"a": ["x', '{"a": {"b": "x\\"'])
def test_white_space_within_a_string_may_be_what_the_model_wants_to_say(start: str) -> None:
    reader = ArgumentsReader()
    reader.feed(start + " " * 2 * MAX_BLANKS)
    assert not reader.is_runaway


@pytest.mark.parametrize(
    "start", ['{"a": "x', '{"a": ["x', '{"a": {"b": "x\\"', '{"x', '{"a": "x" y', '{"a": "x\ny', "say"]
)
def test_white_space_without_end_is_noticed_within_a_string_or_broken_text_too(start: str) -> None:
    """The arguments so far may be half of what the model wants to say, so they must not look complete."""
    reader = ArgumentsReader()
    given_out = reader.feed(start)
    for _ in range(MAX_BLANKS_IN_TEXT - 1):
        given_out += reader.feed(" ")
        assert not reader.is_runaway
    given_out += reader.feed(" ")
    assert reader.is_runaway
    assert given_out + reader.finish() == start + " " * MAX_BLANKS_IN_TEXT


def test_white_space_counts_only_as_long_as_nothing_follows() -> None:
    reader = ArgumentsReader()
    reader.feed('{"a": 1' + " " * MAX_BLANKS)
    assert reader.is_runaway
    reader.feed(",")
    assert not reader.is_runaway
    reader.feed("\n" * MAX_BLANKS + '"')
    assert not reader.is_runaway


def test_a_string_that_goes_out_ends_before_the_next_key_only() -> None:
    text = '{"a": "[\\"x", "y", "z\\"]", "b": 1}'
    assert pieces('{"a": "x"', ', "b"', ": 1", "}") == ['{"a": "x', "", '"', ""]
    assert json.loads(read(text)) == {"a": '["x", "y", "z"]', "b": 1}
    assert json.loads(read(*text)) == {"a": '["x", "y", "z"]', "b": 1}


@pytest.mark.parametrize(
    "text", ['{"a": "x', '{"a": "x"', '{"a": [1, 2', '{"a": "x", "b', '{"a": "x", "b": ', "{", '{"a', '{"a": "x\ny']
)
def test_half_an_object_stays_half_if_the_answer_ran_out_of_tokens(text: str) -> None:
    for fragments in ((text,), tuple(text)):
        assert read(*fragments, is_cut=True) == text


def test_whole_arguments_are_whole_if_the_answer_ran_out_of_tokens() -> None:
    assert read('{"a": "x"}', is_cut=True) == '{"a": "x"}'


SCHEMA = {
    "type": "object",
    "properties": {
        "text": {"type": "string"},
        "note": {"type": ["string", "null"]},
        "count": {"anyOf": [{"type": "integer"}, {"type": "null"}]},
        "flag": {"type": "boolean"},
        "todos": {"type": "array", "items": {"type": "object", "properties": {"type": {"type": "string"}}}},
        "type": {"type": "string"},
    },
    "required": ["text", "count"],
}


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ('{"text": 12.50, "count": 1}', {"text": "12.50", "count": 1}),
        ('{"text": true, "count": "7"}', {"text": "true", "count": 7}),
        ('{"text": {"a": [1,  2]}, "count": null}', {"text": '{"a": [1,  2]}', "count": None}),
        ('{"text": "x"}', {"text": "x", "count": None}),
        ('{"text": "x", "count": "many"}', {"text": "x", "count": "many"}),
        ('{"text": "x", "count": 1, "flag": "False"}', {"text": "x", "count": 1, "flag": False}),
        ('{"note": null, "count": 1}', {"note": None, "count": 1}),
        ('{"note": 5, "count": 1}', {"note": "5", "count": 1}),
        ('{"type_": "x", "count": 1}', {"type": "x", "count": 1}),
        ('{"todos": "[{\\"type_\\": 1}]", "count": 1}', {"todos": [{"type": "1"}], "count": 1}),
        ('{"type_": "x", "count": 1', {"type": "x", "count": 1}),
        ('{"unknown": "x", "count": 1}', {"unknown": "x", "count": 1}),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_values_come_in_the_types_and_under_the_names_of_the_clients_schema(text: str, meant: dict[str, Any]) -> None:
    assert json.loads(read(text, schema=SCHEMA)) == meant
    assert json.loads(read(*text, schema=SCHEMA)) == meant


def test_a_value_nested_too_deeply_is_no_fault_of_this_program() -> None:
    text = '{"a":' * 100_000 + "1" + "}" * 100_000
    assert json.loads(read(text)) == {"arguments": text}


@pytest.mark.parametrize("depth", range(900, 1_000, 7))
def test_a_value_nested_almost_too_deeply_comes_out_as_it_is_or_as_text(depth: int) -> None:
    text = '{"todos": ' + "[" * depth + "]" * depth + "}"
    for fragments in ((text,), (text[:-1],), tuple(text)):
        meant = read(*fragments, schema={"properties": {"todos": {"type": "string"}}})
        assert "[" * depth + "]" * depth in meant


def test_a_number_of_thousands_of_digits_comes_out_digit_for_digit() -> None:
    """Python reads no whole number of more than 4,300 digits."""
    digits = "7" * 5_000
    for text in (f'{{"count": {digits}}}', f'{{"flag": [{digits}, -{digits}, {digits}.5], "count": 1}}'):
        assert read(text) == text
        assert read(*text, schema=SCHEMA) == text
    assert read(f'{{"text": {digits}, "count": 1}}', schema=SCHEMA) == f'{{"text": "{digits}", "count": 1}}'
    assert read(f'{{"a": {digits}, "b": [1,]}}') == f'{{"a": {digits},"b":[1]}}'
    assert read(f"{{a: [{digits}]}}") == '{"a":[null]}'  # what JavaScript makes of it, where JSON must be written anew


def test_a_key_of_any_length_is_read() -> None:
    text = f'{{"{"k" * 20_000}": 1}}'
    assert read(text) == read(*text) == text


def test_glued_objects_are_not_copied_for_each_of_them() -> None:
    text = '{"a": 1}{"b": 2} {"c": 3}'
    first, second, third = ArgumentsReader(), ArgumentsReader(), ArgumentsReader()
    assert first.feed(text) == '{"a": 1}'
    extra = first.take_extra()
    assert extra == (text, 8)
    assert first.take_extra() is None
    assert second.feed(*extra) == '{"b": 2}'
    extra = second.take_extra()
    assert extra == (text, 17)
    assert third.feed(*extra) + third.finish() == '{"c": 3}'


def test_a_chunk_that_repeats_all_so_far_may_be_cut_in_an_escape() -> None:
    assert read('{"a": "x\\', '{"a": "x\\u00', '{"a": "x\\u00fc"', '{"a": "x\\u00fc"}') == '{"a": "x\\u00fc"}'


OPTIONAL = {
    "properties": {
        "command": {"type": "string"},
        "n": {"type": "integer"},
        "m": {"type": ["integer", "null"]},
        "edits": {"type": "array", "items": {"properties": {"n": {"type": "integer"}, "old": {"type": "string"}}}},
    }
}

# what a model writes -> the object that the client gets, its parameters all optional
LEFT_OUT: dict[str, tuple[str, dict[str, Any]]] = {
    "first": ('{"n": null, "command": "ls"}', {"command": "ls"}),
    "last": ('{"command": "ls", "n": null}', {"command": "ls"}),
    "between": ('{"command": "ls" , "n": null , "m": 1}', {"command": "ls", "m": 1}),
    "alone": ('{"n": null}', {}),
    "all": ('{ "n": null, "command": null }', {}),
    "several": ('{"n": null, "command": null, "m": null, "x": null}', {"m": None, "x": None}),
    "a string": ('{"command": null, "m": 1}', {"m": 1}),
    "a word": ('{"n": "null", "m": "None"}', {"m": None}),
    "and then a value": ('{"n": null, "n": 1}', {"n": 1}),
    "within a list": ('{"edits": [{"n": null, "old": null}, {"n": "1"}]}', {"edits": [{}, {"n": 1}]}),
    "before a fault": ('{"n": null, "command": "a "b" c"}', {"command": 'a "b" c'}),
    "in what is broken": ("{'n': None, 'command': 'ls', 'm': None}", {"command": "ls", "m": None}),
    "before a comma too many": ('{"n": null,}', {}),
    "without an end": ('{"command": "ls", "n": null', {"command": "ls"}),
    "in a text of JSON": ('{"edits": "[{\\"n\\": null}]"}', {"edits": [{}]}),
}


@pytest.mark.parametrize("name", LEFT_OUT)
def test_null_is_left_out_wherever_the_arguments_are_cut(name: str) -> None:
    text, meant = LEFT_OUT[name]
    assert json.loads(read(text, schema=OPTIONAL)) == meant
    assert json.loads(read(*text, schema=OPTIONAL)) == meant
    for cut in range(len(text) + 1):
        assert json.loads(read(text[:cut], text[cut:], schema=OPTIONAL)) == meant


def test_a_required_parameter_stays_null() -> None:
    schema = {**OPTIONAL, "required": ["n", "command"]}
    text = '{"n": null, "command": null, "m": null}'
    assert json.loads(read(text, schema=schema)) == {"n": None, "command": None, "m": None}


def test_half_a_call_from_which_null_was_left_out_stays_half() -> None:
    assert read('{"command": "ls", "n": null, ', schema=OPTIONAL, is_cut=True) == '{"command": "ls", '
    assert read('{"n": null, "m": ', schema=OPTIONAL, is_cut=True) == '{ "m": '
