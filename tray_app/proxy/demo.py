"""The built-in upstream of `--demo`: a chat completions server that needs no key and no network.

It speaks NVIDIA's protocol on a loopback port, so that all of the gateway runs as it does with NVIDIA. Its answers are
canned, and they say so.
"""

from __future__ import annotations

import asyncio
import json
import re
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from tray_app.shells import name_command

_PAUSE_S = 0.02
"""Pause between words, so that the user sees the answer stream."""

_WAY_ON = (
    f"To talk to a real model, run `{name_command('set-key')}` in a terminal: it asks for your NVIDIA API key and "
    "replaces the demo."
)

# Tools of Claude Code that change nothing, with arguments for a call. The first one that is offered is called.
_HARMLESS = (
    ("Glob", {"pattern": "*"}),
    ("LS", {"path": "."}),
    ("Bash", {"command": "echo Hello from the demo", "description": "Say hello"}),
)
# The names of other tools that change nothing begin with one of these words.
_LOOKING = ("get", "list", "read", "search", "find", "look", "query", "fetch")


@dataclass(slots=True)
class Demo:
    """A running demo upstream."""

    url: str
    _runner: web.AppRunner

    async def stop(self) -> None:
        """Stops the server and closes its connections."""
        await self._runner.cleanup()


async def start_demo() -> Demo:
    """Starts the demo upstream on a free loopback port of the running event loop."""
    app = web.Application(client_max_size=64 * 1024 * 1024)
    app.router.add_post("/v1/chat/completions", _complete)
    runner = web.AppRunner(app, access_log=None, handler_cancellation=True, shutdown_timeout=0.5)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    return Demo(f"http://127.0.0.1:{runner.addresses[0][1]}/v1/chat/completions", runner)


async def _complete(request: web.Request) -> web.StreamResponse:
    question = await request.json()
    answer = compose(question)
    usage = {"prompt_tokens": len(json.dumps(question)) // 4, "completion_tokens": len(json.dumps(answer)) // 4}
    finish = "tool_calls" if "tool_calls" in answer else "stop"
    if not question.get("stream"):
        choice = {"index": 0, "message": {"role": "assistant", **answer}, "finish_reason": finish}
        return web.json_response({"model": question["model"], "choices": [choice], "usage": usage})
    response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
    await response.prepare(request)
    for delta in _deltas(answer):
        await _send(response, {"choices": [{"index": 0, "delta": delta, "finish_reason": None}]})
        await asyncio.sleep(_PAUSE_S)
    await _send(response, {"choices": [{"index": 0, "delta": {}, "finish_reason": finish}]})
    await _send(response, {"choices": [], "usage": usage})
    await response.write(b"data: [DONE]\n\n")
    return response


def compose(question: dict[str, Any]) -> dict[str, Any]:
    """Returns the demo's assistant message (`content`, `reasoning_content`, `tool_calls`) for a chat request."""
    messages = question.get("messages") or [{}]
    tools, choice = question.get("tools") or [], question.get("tool_choice")
    if isinstance(choice, dict):
        tools = [tool for tool in tools if tool["function"]["name"] == choice["function"]["name"]]
    is_result = messages[-1].get("role") == "tool" or any(m.get("role") == "tool" for m in messages[-2:])
    answer: dict[str, Any] = {"reasoning_content": "This is the demo: nothing goes to NVIDIA, no model is thinking."}
    if is_result:
        seen = next(m["content"] for m in reversed(messages) if m.get("role") == "tool")
        answer["content"] = (
            f"[demo] The tool answered: {seen.strip()[:200]}\n\n"
            f"The whole path works: the client, this gateway, and back. {_WAY_ON}"
        )
    elif tools and choice != "none":
        name, arguments = _choose_call(tools)
        answer["content"] = f"[demo] I am a canned answer of Claude NVIDIA Tray, and will call the tool {name} once."
        answer["tool_calls"] = [
            {
                "id": f"call_demo_{uuid.uuid4().hex[:8]}",
                "type": "function",
                "function": {"name": name, "arguments": json.dumps(arguments)},
            }
        ]
    else:
        answer["content"] = (
            f"[demo] Hello! This is a canned answer of Claude NVIDIA Tray, in the place of {question.get('model')}. "
            f"Nothing left your machine. {_WAY_ON}"
        )
    return answer


def _choose_call(tools: list[dict[str, Any]]) -> tuple[str, dict[str, Any]]:
    """Chooses a tool and its arguments. It prefers a tool that changes nothing, as far as names tell."""
    schemas = {tool["function"]["name"]: tool["function"].get("parameters") or {} for tool in tools}
    for name, arguments in _HARMLESS:
        if name in schemas:
            return name, arguments
    name = next((name for name in schemas if name.lower().startswith(_LOOKING)), next(iter(schemas)))
    return name, _example(schemas[name]) or {}


def _example(schema: Any) -> Any:
    """Returns a value that fits a simple JSON schema, with the required properties only."""
    if not isinstance(schema, dict):
        return "demo"
    if choices := schema.get("enum"):
        return choices[0]
    kind = schema.get("type")
    kind = kind[0] if isinstance(kind, list) and kind else kind
    if kind == "object" or "properties" in schema:
        properties = schema.get("properties") or {}
        return {name: _example(properties.get(name)) for name in schema.get("required") or ()}
    if kind == "array":
        return [_example(schema.get("items"))] if schema.get("minItems") else []
    return {"integer": 1, "number": 1, "boolean": False, "null": None}.get(str(kind), "demo")


def _deltas(answer: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yields the answer in small pieces, as a model streams it."""
    yield {"role": "assistant", "content": ""}
    for key in ("reasoning_content", "content"):
        for word in re.findall(r"\s*\S+", answer.get(key, "")):
            yield {key: word}
    for index, call in enumerate(answer.get("tool_calls", ())):
        function = call["function"]
        yield {"tool_calls": [{**call, "index": index, "function": {"name": function["name"], "arguments": ""}}]}
        text = function["arguments"]
        for start in range(0, len(text), 12):
            yield {"tool_calls": [{"index": index, "function": {"arguments": text[start : start + 12]}}]}


async def _send(response: web.StreamResponse, chunk: dict[str, Any]) -> None:
    await response.write(b"data: " + json.dumps(chunk).encode() + b"\n\n")
