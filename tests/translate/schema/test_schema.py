"""Schemas of tools in the form for upstream, and the restored values of their parameters."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.translate.bounded import bounded
from tests.translate.fuzz_schema import check_all, check_text, check_tool
from tray_app.errors import InvalidRequest
from tray_app.translate.schema.limits import MAX_DEPTH, MAX_VALUES
from tray_app.translate.schema.schema import LEFT_OUT, Parameters, allowed_types, type_value
from tray_app.translate.schema.subschemas import Subschemas

NODE = {"type": "object", "properties": {"type": {"type": "string"}, "next": {"$ref": "#/$defs/node"}}}

# what the client describes -> what goes upstream
SENT: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "a plain schema goes as it is": (
        {
            "$schema": "http://json-schema.org/draft-07/schema#",
            "type": "object",
            "properties": {"path": {"type": "string", "minLength": 1}, "mode": {"enum": ["a", "b"], "default": "a"}},
            "required": ["path"],
            "additionalProperties": False,
        },
        {
            "$schema": "http://json-schema.org/draft-07/schema#",
            "type": "object",
            "properties": {"path": {"type": "string", "minLength": 1}, "mode": {"enum": ["a", "b"], "default": "a"}},
            "required": ["path"],
            "additionalProperties": False,
        },
    ),
    "boolean sub-schemas are written in another way or left out": (
        {
            "properties": {
                "any": True,
                "env": {"type": "object", "additionalProperties": True},
                "list": {"type": "array", "items": True},
                "strict": {"type": "object", "properties": {"a": {"type": "string"}}, "additionalProperties": False},
                "union": {"anyOf": [True, {"type": "string"}]},
            }
        },
        {
            "properties": {
                "any": {},
                "env": {"type": "object"},
                "list": {"type": "array"},
                "strict": {"type": "object", "properties": {"a": {"type": "string"}}},
                "union": {"anyOf": [{}, {"type": "string"}]},
            }
        },
    ),
    "what nothing fits is no property": (
        {"properties": {"a": False, "b": {"type": "string"}}, "required": ["a", "b"]},
        {"properties": {"b": {"type": "string"}}, "required": ["b"]},
    ),
    "what is no name among the required ones is left out": (
        {"properties": {"a": {"type": ["string", "null"]}}, "required": [["a"], 5, "a", "b"]},
        {"properties": {"a": {"type": "string"}}, "required": ["b"]},
    ),
    "a property called type gets another name at any depth": (
        {
            "properties": {
                "type": {"type": "string"},
                "list": {"type": "array", "items": {"properties": {"type": {"enum": ["x"]}}, "required": ["type"]}},
            },
            "required": ["type"],
        },
        {
            "properties": {
                "type_": {"type": "string"},
                "list": {"type": "array", "items": {"properties": {"type_": {"enum": ["x"]}}, "required": ["type_"]}},
            },
            "required": ["type_"],
        },
    ),
    "the other name is a free one": (
        {"properties": {"type": {"type": "string"}, "type_": {"type": "string"}}},
        {"properties": {"type__": {"type": "string"}, "type_": {"type": "string"}}},
    ),
    "null is no option, and what may be null may be left out": (
        {
            "properties": {
                "a": {"type": ["string", "null"], "default": None, "description": "A"},
                "b": {"anyOf": [{"type": "integer", "minimum": 1}, {"type": "null"}], "description": "B"},
                "c": {"oneOf": [{"type": "string"}, {"type": "array", "items": {}}, {"type": "null"}]},
                "d": {"type": ["string", "integer", "null"], "enum": ["x", 1, None]},
                "e": {"type": "null"},
            },
            "required": ["a", "b", "f"],
        },
        {
            "properties": {
                "a": {"type": "string", "description": "A"},
                "b": {"type": "integer", "minimum": 1, "description": "B"},
                "c": {"oneOf": [{"type": "string"}, {"type": "array", "items": {}}]},
                "d": {"type": ["string", "integer"], "enum": ["x", 1]},
                "e": {"type": "null"},
            },
            "required": ["f"],
        },
    ),
    "definitions are schemas, too": (
        {"properties": {"node": {"$ref": "#/$defs/node"}}, "$defs": {"node": NODE}},
        {
            "properties": {"node": {"$ref": "#/$defs/node"}},
            "$defs": {
                "node": {
                    "type": "object",
                    "properties": {"type_": {"type": "string"}, "next": {"$ref": "#/$defs/node"}},
                }
            },
        },
    ),
    "lists of schemas by place are kept": (
        {"properties": {"pair": {"type": "array", "items": [{"type": "string"}, {"type": "integer"}]}}},
        {"properties": {"pair": {"type": "array", "items": [{"type": "string"}, {"type": "integer"}]}}},
    ),
}


@pytest.mark.parametrize("name", SENT)
def test_a_schema_is_simplified_for_upstream(name: str) -> None:
    schema, sent = SENT[name]
    before = copy.deepcopy(schema)
    assert Parameters(schema).sent == sent
    assert schema == before, "the client's schema was changed"


def restore(value: Any, schema: Any, definitions: dict[str, Any] | None = None) -> Any:
    """The value of a required parameter."""
    tool = {"properties": {"p": schema}, "required": ["p"], "$defs": definitions or {}}
    return Parameters(tool).restore("p", value)


STRING, INTEGER = {"type": "string"}, {"type": "integer"}


@pytest.mark.parametrize(
    ("schema", "value", "restored"),
    [
        (STRING, "5", "5"),
        (STRING, 5, "5"),
        (STRING, True, "true"),
        (STRING, [1], "[1]"),
        (STRING, None, None),
        (INTEGER, "5", 5),
        (INTEGER, "five", "five"),
        (INTEGER, '"5"', '"5"'),
        (INTEGER, 5.0, 5.0),
        (INTEGER, True, True),
        ({"type": "number"}, "1e3", 1000.0),
        ({"type": "boolean"}, "True", True),
        ({"type": ["boolean", "null"]}, "None", None),
        ({"type": ["string", "null"]}, "null", "null"),
        ({"type": "array", "items": INTEGER}, '["1", 2]', [1, 2]),
        ({"type": "array", "items": STRING}, [1, "a"], ["1", "a"]),
        ({"type": "object", "properties": {"n": INTEGER}}, '{"n": "1"}', {"n": 1}),
        ({"anyOf": [STRING, {"type": "array"}]}, "[1]", "[1]"),
        ({"anyOf": [INTEGER, {"description": "or anything else"}]}, "5", "5"),
        ({"enum": [1, 2]}, "1", 1),
        ({"enum": ["1", "2"]}, 1, "1"),
        ({}, "5", "5"),
        (True, 5, 5),
        ({"type": "nonsense"}, 5, 5),
        ({"$ref": "#/nowhere"}, 5, 5),
    ],
)
def test_a_value_is_restored_to_the_type_that_the_client_wants(schema: Any, value: Any, restored: Any) -> None:
    found = restore(value, schema)
    assert (found, type(found)) == (restored, type(restored))


def test_names_are_restored_within_references_lists_and_unions() -> None:
    sent = {"type_": "a", "next": {"type_": "b", "next": {"type_": 1}}}
    meant = {"type": "a", "next": {"type": "b", "next": {"type": "1"}}}
    reference = {"$ref": "#/$defs/node"}
    assert restore(sent, reference, {"node": NODE}) == meant
    assert restore([sent], {"type": "array", "items": reference}, {"node": NODE}) == [meant]
    assert restore(sent, {"anyOf": [reference, {"type": "null"}]}, {"node": NODE}) == meant


def test_an_earlier_call_is_sent_with_the_names_for_upstream() -> None:
    parameters = Parameters(SENT["a property called type gets another name at any depth"][0])
    assert parameters.rename({"type": "x", "list": [{"type": "x"}, "y"], "other": 1}) == {
        "type_": "x",
        "list": [{"type_": "x"}, "y"],
        "other": 1,
    }


@pytest.mark.parametrize("schema", [{"$ref": "#"}, {"$ref": "#/properties/p"}, {"anyOf": [{"$ref": "#/properties/p"}]}])
def test_a_schema_that_refers_to_itself_is_read_to_an_end(schema: dict[str, Any]) -> None:
    root = {"properties": {"p": schema}}
    assert allowed_types(schema, root) == set()
    assert Parameters(root).restore("p", 5) == 5
    assert Parameters(root).sent == root


def reference(name: str) -> dict[str, Any]:
    return {"$ref": f"#/$defs/{name}"}


# definitions -> the types that the definition `a` admits
RECURSIVE: dict[str, tuple[dict[str, Any], set[str]]] = {
    "a union of itself alone says nothing": ({"a": {"anyOf": [reference("a")] * 3}}, set()),
    "two unions that are each other say nothing": (
        {"a": {"anyOf": [reference("b")] * 3}, "b": {"oneOf": [reference("a")] * 3}},
        set(),
    ),
    "references in a circle say nothing": ({"a": reference("b"), "b": reference("a")}, set()),
    "an option that leads back admits what the others admit": (
        {"a": {"anyOf": [STRING, reference("b")]}, "b": {"anyOf": [reference("a"), INTEGER]}},
        {"string", "integer"},
    ),
    "an expression is a literal, or an object with expressions in it": (
        {
            "a": {"anyOf": [{"type": ["string", "number"]}, reference("not"), reference("paren")]},
            "not": {"type": "object", "properties": {"not": reference("a")}},
            "paren": {"oneOf": [{"type": "array", "items": reference("a")}, reference("not")]},
        },
        {"string", "number", "object", "array"},
    ),
    "one option that says nothing leaves the whole circle open": (
        {"a": {"anyOf": [STRING, reference("b")]}, "b": {"anyOf": [reference("a"), {"description": "anything"}]}},
        set(),
    ),
    "a type beside an open union says enough": (
        {"a": {"type": "string", "anyOf": [reference("b"), {}]}, "b": {"anyOf": [reference("a")]}},
        {"string"},
    ),
    "the choices count where a union is open": (
        {"a": {"enum": [1.5, None], "anyOf": [reference("b"), {}]}, "b": reference("a")},
        {"number", "null"},
    ),
    "a long way over references is a way": (
        {**{f"a{n}": reference(f"a{n + 1}") for n in range(50)}, "a50": STRING, "a": reference("a0")},
        {"string"},
    ),
    "a long way over unions is a way": (
        {
            **{f"a{n}": {"oneOf": [reference(f"a{n + 1}"), INTEGER]} for n in range(50)},
            "a50": STRING,
            "a": reference("a0"),
        },
        {"string", "integer"},
    ),
}


@pytest.mark.parametrize("name", RECURSIVE)
def test_the_types_of_a_schema_that_refers_to_itself_are_found(name: str) -> None:
    definitions, types = RECURSIVE[name]
    root = {"type": "object", "properties": {"p": reference("a")}, "required": ["p"], "$defs": definitions}
    assert allowed_types(reference("a"), root) == types
    assert Parameters(root).takes_string("p") is (not types or "string" in types)
    assert list(Parameters(root).missing([])) == (["p"] if "null" in types else [])


def test_types_do_not_depend_on_which_part_is_asked_for_first() -> None:
    definitions = {
        "a": {"anyOf": [reference("b"), reference("silent")]},
        "b": {"anyOf": [reference("a"), STRING]},
        "c": {"anyOf": [reference("b"), reference("d")]},
        "d": {"oneOf": [reference("d")]},
        "e": {"anyOf": [reference("d"), INTEGER]},
        "silent": {"description": "anything"},
    }
    root = {"properties": {name: reference(name) for name in definitions}, "$defs": definitions}
    one, other = Parameters(root), Parameters(root)
    asked = {name: one.takes_string(name) for name in definitions}
    assert asked == {"a": True, "b": True, "c": True, "d": True, "e": False, "silent": True}
    assert {name: other.takes_string(name) for name in reversed(definitions)} == asked


def test_all_unions_of_a_circle_allow_the_types_that_one_of_them_allows() -> None:
    kinds = ["string", "integer", "boolean", "array"]
    definitions = {
        kind: {"anyOf": [reference(follower), {"type": kind}]}
        for kind, follower in zip(kinds, [*kinds[1:], kinds[0]], strict=True)
    }
    parts = Subschemas({"$defs": definitions})
    for definition in definitions.values():
        assert parts.types(definition) == set(kinds)


def test_the_whole_schema_can_be_referred_to() -> None:
    root = {"type": "object", "properties": {"type": STRING, "next": {"$ref": "#"}}}
    assert Parameters(root).restore("next", {"type_": 1, "next": {"type_": 2}}) == {"type": "1", "next": {"type": "2"}}


def test_a_name_that_is_required_twice_is_missing_once() -> None:
    root = {"properties": {"a": {"type": ["string", "null"]}}, "required": ["a", "a", {}]}
    assert list(Parameters(root).missing([])) == ["a"]


LISTS, OBJECTS = {"type": "array", "items": reference("p")}, {"properties": {"a": reference("p")}}


def nest(value: Any, levels: int, *, in_lists: bool) -> Any:
    for _ in range(levels):
        value = [value] if in_lists else {"a": value}
    return value


@pytest.mark.parametrize("in_lists", [True, False])
def test_a_value_that_is_nested_thousands_of_times_stays_unchanged(in_lists: bool) -> None:
    schema = LISTS if in_lists else OBJECTS
    parameters = Parameters({"properties": {"p": schema}, "$defs": {"p": schema}})
    value = nest("x", 5_000, in_lists=in_lists)
    assert parameters.restore("p", value) == value
    assert parameters.rename({"p": value}) == {"p": value}
    assert restore(value, STRING) is value, "too deep to be written as text"


def test_a_value_that_is_nested_dozens_of_times_is_restored_throughout() -> None:
    numbers = {"anyOf": [LISTS, INTEGER]}
    assert restore(nest("5", 60, in_lists=True), reference("p"), {"p": numbers}) == nest(5, 60, in_lists=True)


def test_text_within_text_is_read_as_often_as_a_model_may_encode_it() -> None:
    text = "[5]"
    for _ in range(3):
        text = json.dumps([text])
    assert restore(text, reference("p"), {"p": LISTS}) == [[[[5]]]]
    for _ in range(3):
        text = json.dumps([text])
    assert restore(text, reference("p"), {"p": LISTS}) == [[[['["[\\"[5]\\"]"]']]]]


def test_an_object_for_a_string_parameter_becomes_its_json_text() -> None:
    value = nest(1, 30, in_lists=False)
    assert restore(value, reference("p"), {"p": {"type": "string", **OBJECTS}}) == json.dumps(value)


# keyword -> what may stand under it that is not what should
ODD: dict[str, list[Any]] = {
    "properties": [[], "a", {"a": [], "type": 5, "b": {"properties": [{"a": 1}]}}],
    "required": [[[], {}, 5, None, True], {"a": 1}, "a", True],
    "anyOf": [["a", 5, None, [], True, False], {"a": {}}, "a", 5],
    "oneOf": [["a", 5, None, [], True, False], {"a": {}}, "a", 5],
    "allOf": [["a", 5, None, [], True, False], {"a": {}}, "a", 5],
    "type": [{"type": "string"}, [{"a": 1}, "null", []], 5, ["null"], [], True],
    "enum": [{"a": 1}, "a", [[], {}, None, {"a": [None]}], 5],
    "$ref": [5, {}, ["#"], "#/", "#/$defs", "#/required/0", "http://example.com", "", "#a"],
    "items": [[], "a", 5, [["a"]], {"type": []}],
    "additionalProperties": [[], "a", 5, [["a"]], {"type": []}],
    "not": [[], "a", 5, [["a"]], {"type": []}],
    "$defs": [[], "a", {"a": "b"}, {"p": None}],
    "patternProperties": [[], "a", {"a": "b"}, {"p": None}],
    "default": [None, {"type": None}, [[]]],
}


@pytest.mark.parametrize("keyword", ODD)
def test_an_odd_value_of_a_keyword_does_no_harm(keyword: str) -> None:
    values: Any = {"p": {"a": [1, "x", None], "type": {}}, "type": [{"a": "5"}], "a": "[1]"}
    for odd in ODD[keyword]:
        part = {keyword: odd}
        required = part.get("required", ["p", "a", "type"])
        for schema in (
            {"type": "object", "properties": {"p": part, "a": {"type": ["integer", "null"]}}, "required": required},
            {"anyOf": [{"properties": {"a": {"type": ["string", "null"]}, "p": part}}, part], "required": required},
            {"properties": {"p": {"items": part, "anyOf": [part, {"type": "null"}]}, "type": part}},
            {"$ref": "#/$defs/p", "$defs": {"p": part}, "required": required},
            part,
        ):
            check_tool(schema, values)
            check_text(schema, values)


@bounded
@given(st.binary(max_size=400))
def test_the_fuzzers_invariants_hold_for_any_bytes(data: bytes) -> None:
    check_all(data)


ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 99) | st.floats() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=10,
)


@bounded
@given(ANY_JSON, ANY_JSON)
def test_any_json_is_a_schema_and_an_argument_or_is_refused(schema: Any, arguments: Any) -> None:
    check_tool(schema, arguments)
    check_text(schema, arguments)


@pytest.mark.parametrize("in_lists", [True, False])
def test_a_schema_of_the_most_levels_is_accepted_and_a_deeper_one_is_refused(in_lists: bool) -> None:
    def schema(levels: int) -> dict[str, Any]:
        part: dict[str, Any] = {}
        for _ in range(levels - 1):
            part = {"not": part}
        return {"default": nest([], levels - 2, in_lists=True)} if in_lists else part

    assert Parameters(schema(MAX_DEPTH)).sent == schema(MAX_DEPTH)
    for levels in (MAX_DEPTH + 1, 5_000):
        with pytest.raises(
            InvalidRequest, match=r"^tools\.3\.input_schema: The schema is nested too deeply\. Use at most 64"
        ):
            Parameters(schema(levels), "tools.3.input_schema")


def test_a_schema_of_the_most_values_is_accepted_and_a_larger_one_is_refused() -> None:
    assert Parameters({"enum": [0] * (MAX_VALUES - 1)}).schema
    with pytest.raises(InvalidRequest, match=r"^input_schema: The schema is too large\. Use at most 250,000 values\.$"):
        Parameters({"enum": [0] * MAX_VALUES})


SCHEMAS: st.SearchStrategy[Any] = st.recursive(
    st.booleans() | st.sampled_from([{}, {"type": "string"}, {"type": ["integer", "null"]}, {"enum": ["a", None]}]),
    lambda inner: (
        st.fixed_dictionaries(
            {"type": st.just("object"), "properties": st.dictionaries(st.sampled_from(["type", "a", "b"]), inner)},
            optional={"required": st.lists(st.sampled_from(["type", "a", "b"]), unique=True)},
        )
        | st.fixed_dictionaries({"type": st.just("array"), "items": inner})
        | st.fixed_dictionaries({"anyOf": st.lists(inner, max_size=3)})
    ),
    max_leaves=8,
)


@bounded
@given(st.fixed_dictionaries({"type": st.just("object"), "properties": st.dictionaries(st.just("p"), SCHEMAS)}))
def test_no_simplified_schema_has_a_form_that_breaks_the_parser(schema: dict[str, Any]) -> None:
    def visit(part: Any) -> None:
        assert isinstance(part, dict)
        assert not isinstance(part.get("type"), list) or "null" not in part["type"]
        for name, inner in part.get("properties", {}).items():
            assert name != "type"
            visit(inner)
        for inner in [*part.get("anyOf", []), *([part["items"]] if "items" in part else [])]:
            visit(inner)

    visit(Parameters(schema).sent)


@pytest.mark.parametrize(
    ("text", "schema", "value"),
    [
        ("5", STRING, "5"),
        ("5", INTEGER, 5),
        ('"5"', {"type": "string"}, '"5"'),
        ("5", {}, "5"),
        ('{"a": 1}', {}, {"a": 1}),
        ("yes", {"type": "boolean"}, "yes"),
        ("[1", {"type": "array"}, "[1"),
    ],
)
def test_text_is_read_as_a_value_of_the_type_in_the_schema(text: str, schema: dict[str, Any], value: Any) -> None:
    assert type_value(text, {"properties": {"p": schema}}, "p") == value


def test_what_the_fuzzer_found_holds() -> None:
    for schema in ({"type": [["null", "null", None], "null"]}, {"type": [["null"], "null", "string"]}):
        check_tool(schema, "text")


OPTIONS = {
    "type": "object",
    "properties": {
        "text": STRING,
        "n": INTEGER,
        "flag": {"type": "boolean"},
        "names": {"type": "array", "items": STRING},
        "any": {},
        "null": {"type": ["integer", "null"]},
        "null_by_union": {"anyOf": [INTEGER, {"type": "null"}]},
        "null_by_word": {"type": "integer", "nullable": True},
        "null_by_choice": {"enum": [1, None]},
        "must": INTEGER,
    },
    "required": ["must"],
}
TOOL_OF_OPTIONS = {
    "properties": {
        **OPTIONS["properties"],  # type: ignore[dict-item]
        "one": OPTIONS,
        "list": {"type": "array", "items": {"$ref": "#/$defs/options"}},
        "union": {"anyOf": [{"type": "null"}, {"type": "string"}, {"$ref": "#/$defs/options"}]},
        "others": {"type": "object", "additionalProperties": OPTIONS},
    },
    "required": ["must"],
    "$defs": {"options": OPTIONS},
}
NULLS = dict.fromkeys(OPTIONS["properties"])
KEPT_NULLS = dict.fromkeys(["any", "null", "null_by_union", "null_by_word", "null_by_choice", "must"])


def test_null_is_left_out_if_an_optional_parameter_must_not_be_null() -> None:
    parameters = Parameters(TOOL_OF_OPTIONS)
    given = {name: parameters.restore(name, None) for name in NULLS}
    assert {name: value for name, value in given.items() if value is not LEFT_OUT} == KEPT_NULLS
    assert parameters.restore("unknown", None) is None


@pytest.mark.parametrize(
    ("name", "value", "restored"),
    [
        ("one", NULLS, KEPT_NULLS),
        ("one", json.dumps(NULLS), KEPT_NULLS),
        ("list", [NULLS, {"n": None}], [KEPT_NULLS, {}]),
        ("union", NULLS, KEPT_NULLS),
        ("others", {"a": NULLS, "b": {"n": "5"}}, {"a": KEPT_NULLS, "b": {"n": 5}}),
        ("names", [None], [None]),
    ],
    ids=repr,
)
def test_null_is_left_out_at_every_depth(name: str, value: Any, restored: Any) -> None:
    assert Parameters(TOOL_OF_OPTIONS).restore(name, value) == restored


@pytest.mark.parametrize("word", ["null", "None", " NULL ", "", "undefined"])
def test_a_word_for_null_is_left_out_if_no_string_is_wanted(word: str) -> None:
    parameters = Parameters(TOOL_OF_OPTIONS)
    for name in ("n", "flag", "names"):
        assert parameters.restore(name, word) is LEFT_OUT
        assert parameters.restore("one", {name: word}) == {}
    for name in ("text", "any", "must"):
        assert parameters.restore(name, word) == word


def test_values_are_converted_in_every_option_of_a_union() -> None:
    schema = {
        "anyOf": [
            {"type": "object", "properties": {"kind": STRING, "n": INTEGER}, "required": ["n"]},
            {
                "type": "object",
                "properties": {"kind": STRING, "flags": {"type": "array", "items": {"type": "boolean"}}},
            },
        ]
    }
    assert restore({"kind": 5, "flags": '["true"]'}, schema) == {"kind": "5", "flags": [True]}
    assert restore([{"kind": "a", "n": "3"}], {"type": "array", "items": schema}) == [{"kind": "a", "n": 3}]
