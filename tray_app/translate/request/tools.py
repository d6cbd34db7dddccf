"""Tool definitions and the choice among them."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tray_app.catalog import Model
from tray_app.errors import InvalidRequest
from tray_app.translate.request.known_tools import MOST_KNOWN_TOOLS, find_known
from tray_app.translate.schema.schema import NO_PARAMETERS, Parameters

_PLAIN_NAME = re.compile(r"[a-zA-Z0-9_-]{1,64}")
_CLIENT_DUMMY = "DeferredToolPlaceholder"  # Claude Code's stand-in for tools that it loads later


def upstream_name(name: str) -> str:
    """A tool's name as OpenAI's API takes it: 64 letters, digits, `_` and `-`. The same for the same name, always."""
    if _PLAIN_NAME.fullmatch(name):
        return name
    digest = hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()[:8]
    return f"{re.sub('[^a-zA-Z0-9_-]', '_', name)[:55]}_{digest}"


@dataclass(frozen=True, slots=True)
class Tool:
    """A tool as the client knows it."""

    name: str
    parameters: Parameters = NO_PARAMETERS


@dataclass(frozen=True, slots=True)
class ToolSet:
    """What a request offers: OpenAI function tools, and the client's tool for each name that is sent."""

    functions: list[dict[str, Any]]
    tools: Mapping[str, Tool]
    left_out: Collection[str] = ()
    """Names of tools that the client declares and that are not sent, as only Anthropic's servers run them."""


@dataclass(frozen=True, slots=True)
class ToolChoice:
    """Anthropic's `tool_choice`: request fields, an instruction to the model where a field cannot say it, and the
    names (as sent) of the tools that may be called."""

    fields: dict[str, Any]
    instruction: str
    callable: frozenset[str]


def ask_for_call(name: str = "") -> str:
    """The instruction to call the tool `name` (as sent), or one of them."""
    return f"Answer with a call of the tool {name}." if name else "Answer with a call of one of the tools."


def read_tools(tools: Sequence[dict[str, Any]]) -> ToolSet:
    """The client's own tools, those whose schema goes without saying as well. Tools that run on Anthropic's servers are
    left out."""
    functions: list[dict[str, Any]] = []
    known: dict[str, Tool] = {}
    left_out: set[str] = set()
    named_by_type = 0
    for n, tool in enumerate(tools):
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


def read_choice(choice: object, tool_set: ToolSet, model: Model) -> ToolChoice:
    """The client's choice among the tools that it offers."""
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
