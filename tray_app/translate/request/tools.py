"""Translates the definitions of tools, and the choice among them."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tray_app.catalog import Model
from tray_app.errors import InvalidRequest
from tray_app.translate.request.known_tools import MOST_KNOWN_TOOLS, find_known
from tray_app.translate.schema.limits import Schema
from tray_app.translate.schema.schema import NO_PARAMETERS, Parameters

_PLAIN_NAME = re.compile(r"[a-zA-Z0-9_-]{1,64}")
_CLIENT_DUMMY = "DeferredToolPlaceholder"  # Claude Code sends it in place of tools that it loads later


def upstream_name(name: str) -> str:
    """Returns a tool's name in the form of OpenAI's API: at most 64 letters, digits, `_` and `-`.

    The result depends on the name alone.
    """
    if _PLAIN_NAME.fullmatch(name):
        return name
    digest = hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()[:8]
    return f"{re.sub('[^a-zA-Z0-9_-]', '_', name)[:55]}_{digest}"


@dataclass(frozen=True, slots=True)
class Tool:
    """A tool with the client's name for it."""

    name: str
    parameters: Parameters = NO_PARAMETERS


@dataclass(frozen=True, slots=True)
class ToolSet:
    """The tools that a request offers: OpenAI's function tools, and the client's tool for each name sent upstream."""

    functions: list[dict[str, Any]]
    tools: Mapping[str, Tool]
    left_out: Collection[str] = ()
    """Names of declared tools that are not sent upstream, because only Anthropic's servers run them."""


@dataclass(frozen=True, slots=True)
class ToolChoice:
    """The client's `tool_choice`, translated."""

    fields: dict[str, Any]
    """The fields for the chat request."""
    instruction: str
    """An instruction for the model if no field expresses the choice; else empty."""
    callable: frozenset[str]
    """The names, as sent upstream, of the tools that may be called."""


def ask_for_call(name: str = "") -> str:
    """Returns the instruction to call the tool `name` (as sent upstream), or any of the tools if it is empty."""
    return f"Answer with a call of the tool {name}." if name else "Answer with a call of one of the tools."


def read_tools(tools: Sequence[dict[str, Any]]) -> ToolSet:
    """Returns the tools that the client runs, including those that it names by their type alone.

    Tools that run on Anthropic's servers are left out. InvalidRequest names the tool that is wrong.
    """
    functions: list[dict[str, Any]] = []
    known: dict[str, Tool] = {}
    left_out: set[str] = set()
    named_by_type = 0
    for n, offered in enumerate(tools):
        tool = offered
        if tool.get("type", "custom") not in ("custom", None) and "input_schema" not in tool:
            by_type = find_known(tool)
            if by_type is None:
                left_out.add(str(tool.get("name")))
                continue
            named_by_type += 1
            if named_by_type > MOST_KNOWN_TOOLS:
                raise InvalidRequest(f"tools: at most {MOST_KNOWN_TOOLS} of the tools may be named by their type alone")
            tool = {
                "name": tool.get("name") or by_type.name,
                "description": by_type.description,
                "input_schema": by_type.schema,
            }
        name, schema = tool.get("name"), tool.get("input_schema") or {"type": "object", "properties": {}}
        if not isinstance(name, str) or not name:
            raise InvalidRequest(f"tools.{n}.name: Field required")
        if not isinstance(schema, dict):
            raise InvalidRequest(f"tools.{n}.input_schema: Input should be a JSON schema object")
        sent = upstream_name(name)
        if name == _CLIENT_DUMMY or sent in known:
            continue
        known[sent] = Tool(name, Parameters(schema, f"tools.{n}.input_schema"))
        function = {"name": sent, "parameters": known[sent].parameters.sent}
        if isinstance(tool.get("description"), str):
            function["description"] = tool["description"]
        functions.append({"type": "function", "function": function})
    return ToolSet(functions, known, left_out)


def pick_schemas(functions: Iterable[dict[str, Any]], names: Collection[str]) -> dict[str, Schema]:
    """Returns name -> schema, both as sent upstream, of the function tools with one of these names."""
    picked = (function["function"] for function in functions if function["function"]["name"] in names)
    return {function["name"]: function["parameters"] for function in picked}


def read_choice(choice: object, tool_set: ToolSet, model: Model) -> ToolChoice:
    """Returns the client's `tool_choice` for this model. InvalidRequest names the field that is wrong."""
    if choice is None or not tool_set.functions:
        return ToolChoice({}, "", frozenset(tool_set.tools))
    if not isinstance(choice, dict) or not isinstance(choice.get("type"), str):
        raise InvalidRequest("tool_choice: Input should be an object with a `type`")
    kind, fields, instruction, names = choice["type"], dict[str, Any](), "", frozenset(tool_set.tools)
    if kind in ("auto", "none"):
        fields["tool_choice"] = kind
        names = frozenset() if kind == "none" else names
    elif kind == "any" and model.takes_required_tool_choice:
        fields["tool_choice"] = "required"
    elif kind == "any":
        fields["tool_choice"] = "auto"
        instruction = ask_for_call()
    elif kind == "tool":
        named = choice.get("name")
        if named is not None and not isinstance(named, str):
            raise InvalidRequest("tool_choice.name: Input should be a valid string")
        name = upstream_name(named or "")
        if name in tool_set.tools:
            fields["tool_choice"] = {"type": "function", "function": {"name": name}}
            names = frozenset({name})
        elif named in tool_set.left_out:
            fields["tool_choice"] = "auto"
        else:
            raise InvalidRequest(f"tool_choice.name: there is no tool named {named!r} in tools")
    else:
        raise InvalidRequest("tool_choice.type: Input should be 'auto', 'any', 'tool' or 'none'")
    if choice.get("disable_parallel_tool_use") is True and kind != "none":
        fields["parallel_tool_calls"] = False
    return ToolChoice(fields, instruction, names)
