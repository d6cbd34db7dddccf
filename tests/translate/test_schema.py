"""Schemas of tools: what goes upstream, and how values come back."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.translate.bounded import bounded
from tray_app.translate.schema import Parameters, allowed_types, type_value

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
def test_what_goes_upstream(name: str) -> None:
    schema, sent = SENT[name]
    before = copy.deepcopy(schema)
    assert Parameters(schema).sent == sent
    assert schema == before, "the client's schema was changed"


def restore(value: Any, schema: Any, definitions: dict[str, Any] | None = None) -> Any:
    return Parameters({"properties": {"p": schema}, "$defs": definitions or {}}).restore("p", value)


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
def test_a_value_comes_back_in_the_type_that_the_client_wants(schema: Any, value: Any, restored: Any) -> None:
    found = restore(value, schema)
    assert (found, type(found)) == (restored, type(restored))


def test_names_come_back_through_references_lists_and_unions() -> None:
    sent = {"type_": "a", "next": {"type_": "b", "next": {"type_": 1}}}
    meant = {"type": "a", "next": {"type": "b", "next": {"type": "1"}}}
    reference = {"$ref": "#/$defs/node"}
    assert restore(sent, reference, {"node": NODE}) == meant
    assert restore([sent], {"type": "array", "items": reference}, {"node": NODE}) == [meant]
    assert restore(sent, {"anyOf": [reference, {"type": "null"}]}, {"node": NODE}) == meant


def test_a_call_of_the_history_goes_up_under_the_names_that_upstream_knows() -> None:
    parameters = Parameters(SENT["a property called type gets another name at any depth"][0])
    assert parameters.rename({"type": "x", "list": [{"type": "x"}, "y"], "other": 1}) == {
        **{"type_": "x", "list": [{"type_": "x"}, "y"], "other": 1}
    }


@pytest.mark.parametrize("schema", [{"$ref": "#"}, {"$ref": "#/properties/p"}, {"anyOf": [{"$ref": "#/properties/p"}]}])
def test_a_schema_that_leads_to_itself_is_no_trap(schema: dict[str, Any]) -> None:
    root = {"properties": {"p": schema}}
    assert allowed_types(schema, root) == set()
    assert Parameters(root).restore("p", 5) == 5
    assert Parameters(root).sent == root


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
def test_no_breaking_form_is_left_in_any_schema(schema: dict[str, Any]) -> None:
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
def test_text_is_read_as_the_schema_says(text: str, schema: dict[str, Any], value: Any) -> None:
    assert type_value(text, {"properties": {"p": schema}}, "p") == value
