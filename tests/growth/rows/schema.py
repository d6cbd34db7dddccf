"""Rows for schemas of tools, and for values that are read by a schema."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from tests.growth.measure import Growth

Json = dict[str, Any]
Load = Callable[[str], Any]


def reference(name: object) -> Json:
    return {"$ref": f"#/$defs/{name}"}


def tool(definitions: Json, first: object = 0, **keywords: Any) -> Json:
    """Returns a schema with one required property, which is the definition `first`."""
    return {"properties": {"p": reference(first)}, "required": ["p"], "$defs": definitions, **keywords}


TREE = tool(
    {
        "0": {"anyOf": [{"type": "integer"}, {"type": "array", "items": reference(0)}, reference("node")]},
        "node": {"anyOf": [{"type": "object", "properties": {"type": reference(0)}}, reference(0), reference("node")]},
    }
)
TEXT = tool({"0": {"type": "string", "properties": {"a": reference(0)}}})
LISTS = tool({"0": {"type": "array", "items": reference(0)}})


def names(n: int) -> list[str]:
    return [f"p{number}" for number in range(n)]


def self_references(n: int) -> Json:
    return tool({"0": {"anyOf": [reference(0)] * n}})


def mutual_references(n: int) -> Json:
    return tool({"0": {"anyOf": [reference(1)] * n}, "1": {"oneOf": [reference(0)] * n}})


def expression(n: int) -> Json:
    kinds = {
        f"kind{number}": {"anyOf": [{"type": "object", "properties": {"of": reference(0)}}, reference(0)]}
        for number in range(n)
    }
    return tool({"0": {"anyOf": [{"type": "string"}, *map(reference, kinds)]}, **kinds})


def clique(n: int) -> Json:
    """Returns definitions, each of which is a union of all others. There are n options in all."""
    size = round(n**0.5)
    options = [reference(number) for number in range(size)]
    return tool({str(number): {"anyOf": [*options, {"type": "string"}]} for number in range(size)})


def unknown_words(n: int) -> Json:
    """Returns the same definitions, each with a type of its own that JSON schemas do not know."""
    schema = clique(n)
    for name, definition in schema["$defs"].items():
        definition["type"] = f"word{name}"
    return schema


def references(n: int) -> Json:
    return tool({**{str(number): reference(number + 1) for number in range(n)}, str(n): {"type": "string"}})


def unions(n: int) -> Json:
    chain = {str(number): {"anyOf": [reference(number + 1), {"type": "null"}]} for number in range(n)}
    return tool({**chain, str(n): {"type": "string"}})


def silent_unions(n: int) -> Json:
    return unions(n) | {"$defs": {**unions(n)["$defs"], str(n): {}}}


def one_target(n: int) -> Json:
    """Returns properties that all refer to one large union, whose options have neither properties nor items."""
    properties = {name: reference("all") for name in names(n)}
    return {"properties": properties, "$defs": {"all": {"anyOf": [{"type": "string"}] * n}}, "required": [*properties]}


def nullables(n: int) -> Json:
    return {"properties": {name: {"type": ["string", "null"]} for name in names(n)}, "required": names(n)}


def choices(n: int) -> Json:
    return {"properties": {"p": {"enum": [*range(n)]}}, "required": ["p"] * n}


def nested_options(n: int) -> Json:
    """Returns nested unions of one option and null, with n properties in the innermost option."""
    part: Json = {"properties": dict.fromkeys(names(n), True)}
    for _ in range(20):
        part = {"anyOf": [part, {"type": "null"}], "oneOf": [{"type": "null"}, {"minItems": 1}]}
    return part


def taken_names(n: int) -> tuple[Json, list[Json]]:
    """Returns a property called `type` for which all short new names are taken, and a list of such objects."""
    taken = {"type" + "_" * number: {"type": "string"} for number in range(round(n**0.5))}
    return {"properties": {"p": {"items": {"properties": taken}}}}, [{"type": 1}] * n


def texts(n: int) -> str:
    """Returns JSON within JSON, as deep as the escaped quotes have room."""
    text = "x" * (n // 2)
    while len(text) < n:
        text = json.dumps([text])
    return text


def nest(n: int, *, in_lists: bool) -> Any:
    nested: Any = 5
    for _ in range(n):
        nested = [nested] if in_lists else {"a": nested}
    return nested


def parameters(load: Load, schema: Json) -> Any:
    return load("tray_app.translate.schema.schema").Parameters(schema)


def send(load: Load, schema: Json) -> object:
    return parameters(load, schema).sent


def offer(load: Load, schemas: list[Json]) -> object:
    tools = [{"name": f"T{number}", "input_schema": schema} for number, schema in enumerate(schemas)]
    return load("tray_app.translate.request.tools").read_tools(tools)


def ask_for_each(load: Load, schema: Json) -> object:
    """Asks what a stream asks for each argument and at the end of a call, and what the history asks for a call."""
    asked = parameters(load, schema)
    given = {name: {"type": 1} for name in schema["properties"]}
    answers = [(asked.client_name(name), asked.takes_string(name), asked.restore(name, given[name])) for name in given]
    return answers, [*asked.missing(list(given)[::2])], asked.rename(given)


def restore(load: Load, schema: Json, given: Any) -> object:
    asked = parameters(load, schema)
    return asked.restore("p", given), asked.rename({"p": given})


def type_text(load: Load, schema: Json, text: str = '["x"]') -> object:
    return load("tray_app.translate.schema.schema").type_value(text, schema, "p")


def sent_schema(name: str, make: Callable[[int], Any], run: Callable[[Load, Any], object] = send) -> Growth:
    """Returns a row for schemas of n / 10 parts, each of which is a value of its own, as in a decoded request."""
    return Growth(f"schema: {name}", lambda n: json.loads(json.dumps(make(n // 10))), run)


def value(name: str, make: Callable[[int], Any], schema: Json) -> Growth:
    """Returns a row for values that are read by one schema."""
    return Growth(f"values: {name}", make, lambda load, given: restore(load, schema, given))


ROWS = [
    sent_schema("a union of references to itself", self_references),
    sent_schema("two unions of references to each other", mutual_references),
    sent_schema("an expression of many kinds", expression),
    sent_schema("unions of one another, each of all", clique),
    sent_schema("unions of one another, with types that do not exist", unknown_words),
    sent_schema("a reference to a reference, and so on", references),
    sent_schema("a union in a union, and so on", unions),
    sent_schema("unions that one option keeps from saying anything", silent_unions),
    sent_schema("many references to one large union", one_target, ask_for_each),
    sent_schema("required parameters that may be null", nullables),
    sent_schema("arguments of a tool with many parameters", nullables, ask_for_each),
    sent_schema("many choices, and a name that is required again and again", choices),
    sent_schema("options without null, one within the other", lambda n: nested_options(10 * n)),
    sent_schema("many tools", lambda n: [nullables(5)] * n, offer),
    sent_schema("text by a union of references to itself", self_references, type_text),
    sent_schema("text by a long way of unions", unions, type_text),
    Growth("values: a long text by its type", lambda n: "5" + "x" * n, lambda load, text: type_text(load, TREE, text)),
    value("a list by a recursive schema", lambda n: [{"type_": ["5"]} for _ in range(n // 10)], TREE),
    value("lists in lists", lambda n: nest(n, in_lists=True), TREE),
    value("lists in lists where all are lists", lambda n: nest(n, in_lists=True), LISTS),
    value("objects in objects where text is wanted", lambda n: nest(n, in_lists=False), TEXT),
    value("text in text", texts, LISTS),
    Growth(
        "values: objects with a property whose other names are taken",
        lambda n: taken_names(n // 10),
        lambda load, given: restore(load, *given),
    ),
]
