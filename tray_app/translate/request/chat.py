"""An Anthropic Messages request as an OpenAI Chat Completions request."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tray_app.catalog import EFFORTS, Model
from tray_app.errors import InvalidRequest, ThreadUnsupported
from tray_app.translate.call_ids import read_used_ids
from tray_app.translate.request.calibration import UNCALIBRATED, Calibration
from tray_app.translate.request.content import read_system
from tray_app.translate.request.history import to_messages
from tray_app.translate.request.output import find_brackets, read_effort, read_format
from tray_app.translate.request.tokens import Estimate, estimate_chat
from tray_app.translate.request.tool_changes import effective_tools
from tray_app.translate.request.tools import Tool, read_choice, read_tools
from tray_app.translate.schema.schema import Schema

MAX_STOPS = 4  # NVIDIA refuses more; the rest is watched for in the answer
MOST_NAME_CHARS = 256
"""Anthropic's own limit for the name of a model."""
MOST_STOP_SEQUENCES = 500
MOST_STOP_CHARS = 50_000
"""Both are far more than any client sends; every piece of an answer is searched for all of them."""
_LEAST_ROOM_TOKENS = 1_024
_WITHOUT_TEXT = ("omitted", "updates")
"""Values of `thinking.display`; `updates` shows the notes between calls alone, which models here do not set apart."""


@dataclass(frozen=True, slots=True)
class ChatRequest:
    """What goes upstream (`body`), and what its answer needs to know of the question."""

    body: dict[str, Any]
    model: Model
    tools: Mapping[str, Tool]
    """Name sent upstream -> the client's tool."""
    callable_schemas: Mapping[str, Schema]
    """Name -> schema, both as sent, of the tools that the choice among them allows."""
    shows_thinking: bool
    """Thinking that the client did not ask for is not shown to it, as Anthropic's API never shows it."""
    stop_sequences: Sequence[str]
    estimate: Estimate
    """Of what is sent."""
    input_tokens: int
    """The estimate, calibrated."""
    omits_thinking: bool = False
    """Whether thinking is shown without its text: that there was some, and a signature."""
    used_call_ids: Collection[str] = frozenset()
    """Ids of calls in the conversation so far, in the form in which ids are given out."""
    json_brackets: str = ""
    """The brackets with which the answer may begin, if all of it must be JSON; empty if not."""

    @property
    def is_stream(self) -> bool:
        return bool(self.body.get("stream"))

    @property
    def wants_nothing(self) -> bool:
        """Whether the answer may have no tokens, so that nobody need be asked for it."""
        return bool(self.body["max_tokens"] == 0)

    def find_tool(self, sent_name: str) -> Tool:
        """The client's tool; one that was never offered keeps its name, for the client to refuse."""
        return self.tools.get(sent_name) or Tool(sent_name)


def to_chat(body: dict[str, Any], model: Model, calibration: Calibration = UNCALIBRATED) -> ChatRequest:
    """The request for `model`; InvalidRequest names the field that is wrong.

    Unknown fields (metadata, betas, context_management, ...) are for Anthropic's own servers: not sent, not refused.
    """
    try:
        return _translate(body, model, calibration)
    except RecursionError:
        raise InvalidRequest("The request is nested too deeply.") from None


def _translate(body: dict[str, Any], model: Model, calibration: Calibration) -> ChatRequest:
    if isinstance(body.get("thread"), dict):
        raise ThreadUnsupported("thread: This gateway keeps no conversations. Send all messages, without `thread`.")
    tool_set = read_tools(effective_tools(body))
    choice = read_choice(body.get("tool_choice"), tool_set, model)
    answer_format, on_format = read_format(body, model, has_tools=bool(tool_set.functions))
    system = "\n\n".join(text for text in (read_system(body.get("system")), choice.instruction, on_format) if text)
    messages = to_messages(body.get("messages"), model, tool_set.tools)
    if system:
        messages.insert(0, {"role": "system", "content": system})
    thinks = _asks_to_think(body)
    estimate = estimate_chat(messages, tool_set.functions)
    input_tokens = estimate.tokens(calibration.factor)
    chat: dict[str, Any] = {
        "model": model.id,
        "messages": messages,
        "max_tokens": _max_tokens(body, model, round(input_tokens * calibration.margin)),
        **_sampling(body, model),
        **_thinking(model, thinks, read_effort(body)),
        **answer_format,
    }
    if stops := _read_stops(body):
        chat["stop"] = stops[:MAX_STOPS]
    if tool_set.functions:
        chat["tools"] = tool_set.functions
        chat.update(choice.fields)
    if _is_stream(body):
        chat["stream"] = True
        chat["stream_options"] = {"include_usage": True}
    return ChatRequest(
        chat,
        model,
        tools=tool_set.tools,
        callable_schemas={
            tool["function"]["name"]: tool["function"]["parameters"]
            for tool in tool_set.functions
            if tool["function"]["name"] in choice.callable
        },
        shows_thinking=thinks,
        stop_sequences=stops,
        estimate=estimate,
        input_tokens=input_tokens,
        omits_thinking=thinks and body["thinking"].get("display") in _WITHOUT_TEXT,
        used_call_ids=frozenset(read_used_ids(body.get("messages"))),
        json_brackets=find_brackets(body),
    )


def read_model_name(body: dict[str, Any]) -> str:
    """The model that the client asks for."""
    name = body.get("model")
    if name is None:
        raise InvalidRequest("model: Field required")
    if not isinstance(name, str) or not name:
        raise InvalidRequest("model: Input should be a valid string")
    if len(name) > MOST_NAME_CHARS:
        raise InvalidRequest(f"model: String should have at most {MOST_NAME_CHARS} characters")
    return name


def _is_stream(body: dict[str, Any]) -> bool:
    stream = body.get("stream")
    if stream is not None and not isinstance(stream, bool):
        raise InvalidRequest("stream: Input should be a valid boolean")
    return bool(stream)


def _asks_to_think(body: dict[str, Any]) -> bool:
    thinking = body.get("thinking")
    if thinking is not None and not isinstance(thinking, dict):
        raise InvalidRequest("thinking: Input should be an object")
    return thinking is not None and thinking.get("type") in ("enabled", "adaptive")


def _thinking(model: Model, thinks: bool, effort: str) -> dict[str, Any]:
    """Fields for thinking that is on or off, and for its effort: the one that was asked for, or the next above it."""
    fields = dict(model.thinking_on if thinks else model.thinking_off)
    if thinks and effort and model.efforts:
        enough = (known for known in model.efforts if EFFORTS.index(known) >= EFFORTS.index(effort))
        fields["reasoning_effort"] = next(enough, model.efforts[-1])
    elif not thinks and not fields and model.efforts:  # what cannot be switched off can be kept short
        fields["reasoning_effort"] = model.efforts[0]
    return fields


def _max_tokens(body: dict[str, Any], model: Model, most_input_tokens: int) -> int:
    wanted = body.get("max_tokens")
    if wanted is None:
        wanted = model.max_output_tokens
    if isinstance(wanted, bool) or not isinstance(wanted, int):
        raise InvalidRequest("max_tokens: Input should be a valid integer")
    if wanted < 0:
        raise InvalidRequest("max_tokens: Input should be greater than or equal to 0")
    # upstream refuses a sum past the window; where next to nothing is left, its refusal is the truth and makes the
    # client compact
    room = max(_LEAST_ROOM_TOKENS, model.context_tokens - most_input_tokens)
    return min(wanted, model.max_output_tokens, room)


def _sampling(body: dict[str, Any], model: Model) -> dict[str, Any]:
    sampling: dict[str, Any] = {}
    temperature = _number(body, "temperature")
    if temperature is not None:
        sampling["temperature"] = min(max(temperature, 0.0), 1.0)
    top_p = _number(body, "top_p")
    if top_p is not None:
        sampling["top_p"] = min(max(top_p, 0.01), 1.0)
    top_k = body.get("top_k")
    if top_k is not None and (isinstance(top_k, bool) or not isinstance(top_k, int)):
        raise InvalidRequest("top_k: Input should be a valid integer")
    if top_k and top_k > 0 and model.takes_top_k:
        sampling["top_k"] = top_k
    return sampling


def _read_stops(body: dict[str, Any]) -> list[str]:
    stops = body.get("stop_sequences")
    if stops is not None and not (isinstance(stops, list) and all(isinstance(stop, str) for stop in stops)):
        raise InvalidRequest("stop_sequences: Input should be a list of strings")
    stops = [stop for stop in stops or () if stop]
    if len(stops) > MOST_STOP_SEQUENCES or sum(map(len, stops)) > MOST_STOP_CHARS:
        raise InvalidRequest(
            f"stop_sequences: List should have at most {MOST_STOP_SEQUENCES} strings, of {MOST_STOP_CHARS} "
            "characters in all"
        )
    return stops


def _number(body: dict[str, Any], name: str) -> float | None:
    value = body.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise InvalidRequest(f"{name}: Input should be a valid number")
    return value
